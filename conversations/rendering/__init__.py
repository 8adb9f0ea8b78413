"""Markdown to HTML that is safe to show, whole or while it arrives. The only room that may call HTML safe.

The source is cut into top-level pieces line by line (pieces.py, lines.py), each piece is rendered by itself (markdown.py: writer.py,
code.py, latex.py, sanitise.py). An answer that still arrives (live.py) grows by parts (growing.py, nesting.py), told as patches
(patches.py). No network here, and no ORM but in cache.py, which keeps the HTML of finished answers.
"""
