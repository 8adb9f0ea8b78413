"""Tools: what a model may ask this site to do, as plain typed Python functions.

What a model writes and what a tool gives are both hostile text. A tool is given what its schema allows, in its own time and room, and
whatever it does the answer goes on: the model is told of an error in words.
"""
