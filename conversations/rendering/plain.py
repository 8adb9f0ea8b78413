"""Markdown as text without marks, to be pasted where nobody renders it.

Lists keep their bullets, tables become tabs, formulas stay LaTeX.
"""

from typing import Any

from .markdown import References, events_of, is_plain
from .pieces import normalise, split


def plain_text(source: str) -> str:
    """Return the text as a person would have typed it."""
    pieces, references = split(normalise(source)), References()
    for piece in pieces:
        references.collect(piece)
    return "\n\n".join(block for piece in pieces for block in _blocks(piece.source, references))


def _blocks(source: str, references: References) -> list[str]:
    if is_plain(source):
        return [source.strip()]
    events, hidden = events_of(source, references)
    writer = PlainWriter()
    writer.write(events)
    return [hidden.text(block) if hidden else block for block in writer.root.blocks]


class Open:
    """An element that is open: the blocks in it, and the line that is being written."""

    def __init__(self, kind: str, value: Any = None) -> None:
        self.kind, self.value = kind, value
        self.blocks: list[str] = []
        self.line: list[str] = []
        self.items = 0

    def flush(self) -> None:
        """What was written inline becomes a block."""
        if text := "".join(self.line).strip(" "):
            self.blocks.append(text)
        self.line.clear()


class PlainWriter:
    """One text. An inline element writes into the line of the block it stands in."""

    def __init__(self) -> None:
        self.root = Open("Document")
        self._open = [self.root]

    def write(self, events: Any) -> None:
        for event in events:
            if isinstance(event, str):
                self._bare(event)
                continue
            ((name, value),) = event.items()
            if name == "Start":
                kind, detail = next(iter(value.items())) if isinstance(value, dict) else (value, None)
                self._open.append(Open(kind, detail))
            elif name == "End":
                element = self._open.pop()
                _ENDS.get(element.kind, PlainWriter._inline)(self, element)
            else:
                self._leaf(name, value)

    def _bare(self, name: str) -> None:
        if name == "Rule":
            self._block("———")
        else:
            self._open[-1].line.append("\n")

    def _leaf(self, name: str, value: Any) -> None:
        if name == "TaskListMarker":
            value = "[x] " if value else "[ ] "
        elif name == "FootnoteReference":
            value = f"[^{value}]"
        self._open[-1].line.append(value)

    def _block(self, text: str) -> None:
        parent = self._open[-1]
        parent.flush()
        if text:
            parent.blocks.append(text)

    # What an element becomes when it ends

    def _inline(self, element: Open) -> None:
        self._open[-1].line += [*element.blocks, *element.line]

    def _link(self, element: Open) -> None:
        text, address = "".join(element.line), element.value["dest_url"]
        self._open[-1].line.append(text if address.removeprefix("mailto:") in ("", text) else f"{text} ({address})")

    def _paragraph(self, element: Open) -> None:
        self._block("".join(element.line).strip())

    def _container(self, element: Open) -> None:
        element.flush()
        self._block("\n\n".join(element.blocks))

    def _verbatim(self, element: Open) -> None:
        self._block("".join(element.line).rstrip("\n"))

    def _quote(self, element: Open) -> None:
        element.flush()
        self._block(_indented("\n\n".join(element.blocks), "> ", "> "))

    def _list(self, element: Open) -> None:
        self._block("\n".join(element.blocks))

    def _item(self, element: Open) -> None:
        element.flush()
        of = self._open[-1]
        mark = "- " if of.value is None else f"{of.value + of.items}. "
        of.items += 1
        of.blocks.append(_indented("\n".join(element.blocks), mark, " " * len(mark)))

    def _note(self, element: Open) -> None:
        element.flush()
        mark = f"[^{element.value}] "
        self._block(_indented("\n".join(element.blocks), mark, " " * len(mark)))

    def _cell(self, element: Open) -> None:
        self._open[-1].blocks.append("".join(element.line).replace("\t", " "))

    def _row(self, element: Open) -> None:
        self._open[-1].blocks.append("\t".join(element.blocks))

    def _table(self, element: Open) -> None:
        self._block("\n".join(element.blocks))


def _indented(text: str, first: str, rest: str) -> str:
    """Return the text with a mark before its first line, and what is as wide before the others; empty lines stay empty."""
    lines = text.split("\n")
    return "\n".join([first + lines[0], *((rest + line).rstrip() if line or rest.strip() else "" for line in lines[1:])])


_ENDS = {
    "Paragraph": PlainWriter._paragraph,
    "Heading": PlainWriter._paragraph,
    "Link": PlainWriter._link,
    "Image": PlainWriter._link,
    "CodeBlock": PlainWriter._verbatim,
    "HtmlBlock": PlainWriter._verbatim,
    "BlockQuote": PlainWriter._quote,
    "List": PlainWriter._list,
    "Item": PlainWriter._item,
    "FootnoteDefinition": PlainWriter._note,
    "Table": PlainWriter._table,
    "TableHead": PlainWriter._row,
    "TableRow": PlainWriter._row,
    "TableCell": PlainWriter._cell,
}
