"""What can be said of one line of Markdown: its indentation, the mark of a quote, the marker of an item, and what is behind them."""

import re
from collections.abc import Sequence

QUOTE = re.compile(r" {0,3}>")
MARKER = re.compile(r"( {0,3})([-+*]|([0-9]{1,9})([.)]))(?:([ \t]+)(?=\S)|[ \t]*$)")


def is_blank(line: str) -> bool:
    return not line.strip(" \t\v\f")


def indent_of(line: str) -> int:
    """Return the width of the leading white space, tab stops being four columns apart."""
    column = 0
    for character in line:
        if character == " ":
            column += 1
        elif character == "\t":
            column += 4 - column % 4
        else:
            break
    return column


def without_indent(line: str, indent: int) -> str:
    """Return the line without as many columns of white space, or with none if it has fewer."""
    if line.startswith(" " * indent):
        return line[indent:]
    rest = line.lstrip(" \t")
    return " " * (indent_of(line) - indent) + rest


def start_without_indent(chunks: Sequence[str], indent: int) -> list[str]:
    """Return the chunks of an unfinished line without its indentation; chunks behind that stay as they are."""
    head = ""
    for number, chunk in enumerate(chunks, 1):
        head += chunk
        if indent_of(head) >= indent or not is_blank(head):
            return [without_indent(head, indent), *chunks[number:]]
    return [without_indent(head, indent)]


def indent_of_item(line: str) -> int:
    """Return the column at which the content of an item begins, from its first line."""
    marker = MARKER.match(line)
    assert marker is not None  # a list and its items begin with a marker
    upto = indent_of(" " * marker.end(2) + (marker[5] or ""))
    content = len(marker[1]) + len(marker[2])
    return upto if marker[5] and upto - content <= 4 else content + 1


def without_marker(line: str) -> str:
    """Return the first line of an item without what makes it one."""
    marker = MARKER.match(line)
    assert marker is not None
    return without_indent(" " * marker.end(2) + line[marker.end(2) :], indent_of_item(line))


def is_quoted(line: str) -> bool:
    """Whether the line has the mark of a quote, or is blank."""
    return bool(QUOTE.match(line)) or is_blank(line)


def unquoted(line: str) -> str:
    """Return a quoted line without its mark."""
    mark = QUOTE.match(line)
    return without_indent(" " * mark.end() + line[mark.end() :], mark.end() + 1) if mark else line
