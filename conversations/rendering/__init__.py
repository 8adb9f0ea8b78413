"""Markdown to HTML that is safe to show, whole or while it arrives. The only room that may call HTML safe.

The source is cut into top-level pieces line by line (pieces.py), each piece is rendered by itself (markdown.py: writer.py,
code.py, latex.py, sanitise.py), and an answer that still arrives is told as patches (live.py). No ORM and no network here.
"""
