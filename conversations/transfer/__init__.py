"""Conversations out of the site as files, and into it from files.

Files of others are hostile: each is read in pieces of a bounded size, and what cannot be read is said, never guessed. Nothing of a
conversation is taken in unless all of it is.
"""
