"""Writes HTML from the parser's events, one string per top-level block, each with one root element.

Headings start at h3, raw HTML becomes text. A list item reads the same in a tight and in a loose list,
so that an item never changes because of what follows it. Nesting has a limit: deeper levels lose their tags, never their text.
"""

from collections.abc import Callable, Iterable
from html import escape
from typing import Any

from . import code, latex
from .inline import InlineWriter

DEPTH_LIMIT = 16  # of quotes and lists
_INLINE = {"Emphasis": ("<em>", "</em>"), "Strong": ("<strong>", "</strong>"), "Strikethrough": ("<del>", "</del>")}
_ALIGN = {"None": "", "Left": ' class="align-left"', "Center": ' class="align-center"', "Right": ' class="align-right"'}


class Writer(InlineWriter):
    """One rendering. `items` counts the items of the top-level lists."""

    def __init__(self, formulas: latex.Hidden | None = None, notes: Iterable[str] = ()) -> None:
        super().__init__(formulas, notes)
        self.blocks: list[str] = []
        self.items = 0
        self._depth = 0
        self._align: tuple[str, ...] = ()
        self._column, self._cell = 0, "td"

    def write(self, events: Iterable[Any]) -> list[str]:
        """Take all events and return the blocks. The hot path of every frame: the commonest events are met here."""
        ends = self._ends
        for event in events:
            if event.__class__ is str:
                self._bare(event)
                continue
            ((name, value),) = event.items()
            if name == "Text":
                self._text(value)
            elif name == "End":
                end = ends.pop()
                if end.__class__ is str:
                    self._out.append(end)
                else:
                    end()
                if not ends:
                    self._cut()
            elif name == "Start":
                self._start(value)
            else:
                _LEAVES[name](self, value)
        return self.blocks

    def _bare(self, name: str) -> None:
        if name == "Rule":
            self._block()
            self._out.append("<hr>")
            if not self._ends:
                self._cut()
        else:
            self._out.append("<br>" if name == "HardBreak" and not self._is_plain else "\n")

    def _start(self, tag: Any) -> None:
        if tag.__class__ is not str:
            ((tag, value),) = tag.items()
            _STARTS[tag](self, value)
        elif tag in _INLINE:
            self._inline(*_INLINE[tag])
        else:
            _STARTS[tag](self, None)

    def _cut(self) -> None:
        self.blocks.append("".join(self._out))
        self._out.clear()

    def _container(self, opening: str, closing: str, *, is_lead: bool = False) -> None:
        self._out.append(opening)
        self._enter(is_bare=True, is_lead=is_lead)

        def end() -> None:
            self._block()
            self._leave()
            self._out.append(closing)

        self._ends.append(end)

    def _element(self, opening: str, closing: str) -> None:
        """An element that holds inline content."""
        self._block()
        self._out.append(opening)
        self._enter()

        def end() -> None:
            self._leave()
            self._out.append(closing)

        self._ends.append(end)

    # Blocks

    def _paragraph(self, _: None) -> None:
        place = self._place
        if place.is_lead:  # the first of an item stands bare, as in a tight list
            self._ends.append(lambda: setattr(place, "is_lead", False))
        else:
            self._element("<p>", "</p>")

    def _heading(self, value: Any) -> None:
        level = min(int(value["level"][1]) + 2, 6)
        self._element(f"<h{level}>", f"</h{level}>")

    def _quote(self, kind: str | None) -> None:
        self._block()
        opening = f'<blockquote class="alert {kind.lower()}">' if kind else "<blockquote>"
        self._nested(opening, "</blockquote>")

    def _nested(self, opening: str, closing: str, *, is_lead: bool = False) -> None:
        self._depth += 1
        fits = self._depth <= DEPTH_LIMIT
        self._container(opening if fits else "", closing if fits else "", is_lead=is_lead and fits)
        leave = self._ends.pop()

        def end() -> None:
            leave()
            self._depth -= 1

        self._ends.append(end)

    def _list(self, start: int | None) -> None:
        self._block()
        fits = self._depth < DEPTH_LIMIT
        name, number = ("ul", "") if start is None else ("ol", f' start="{start}"' if start != 1 else "")
        self._out.append(f"<{name}{number}>" if fits else "")
        self._ends.append(f"</{name}>" if fits else "")

    def _item(self, _: None) -> None:
        self.items += not self._depth
        self._nested("<li>", "</li>", is_lead=True)

    def _task(self, is_done: bool) -> None:
        state = 'checked aria-label="Done"' if is_done else 'aria-label="To do"'
        if self._out and self._out[-1] == "<li>":
            self._out[-1] = '<li class="task">'
        self._run()
        self._out.append(f'<input type="checkbox" disabled {state}> ')

    def _footnote(self, label: str) -> None:
        self._block()
        self._nested(f'<div class="footnote-definition" role="note"><sup class="footnote">{escape(label)}</sup> ', "</div>")

    def _code_block(self, kind: Any) -> None:
        self._block()
        info = kind["Fenced"] if isinstance(kind, dict) else ""
        self._capture(lambda text: code.figure(info, text))

    def _raw_block(self, _: None) -> None:
        self._block()
        self._capture(lambda text: f'<pre class="raw-html">{escape(text.rstrip())}</pre>')

    def _capture(self, show: Callable[[str], str]) -> None:
        """Collect text as it is written, up to the end of the element."""
        outer, self._out, self._is_verbatim = self._out, [], True

        def end() -> None:
            text, self._out, self._is_verbatim = "".join(self._out), outer, False
            self._out.append(show(text))

        self._ends.append(end)

    # Tables

    def _table(self, align: tuple[str, ...]) -> None:
        self._block()
        self._align = align
        self._out.append('<div class="table" role="group" aria-label="Table" tabindex="0"><table>')
        self._ends.append("</tbody></table></div>")

    def _table_head(self, _: None) -> None:
        self._column, self._cell = 0, "th"
        self._out.append("<thead><tr>")

        def end() -> None:
            self._cell = "td"
            self._out.append("</tr></thead><tbody>")

        self._ends.append(end)

    def _table_row(self, _: None) -> None:
        self._column = 0
        self._out.append("<tr>")
        self._ends.append("</tr>")

    def _table_cell(self, _: None) -> None:
        align = _ALIGN[self._align[self._column]] if self._column < len(self._align) else ""
        self._column += 1
        scope = ' scope="col"' if self._cell == "th" else ""
        self._out.append(f"<{self._cell}{scope}{align}>")
        self._enter()

        def end(closing: str = f"</{self._cell}>") -> None:
            self._leave()
            self._out.append(closing)

        self._ends.append(end)


_STARTS: dict[str, Callable[[Writer, Any], None]] = {
    "Paragraph": Writer._paragraph,
    "Heading": Writer._heading,
    "BlockQuote": Writer._quote,
    "CodeBlock": Writer._code_block,
    "HtmlBlock": Writer._raw_block,
    "List": Writer._list,
    "Item": Writer._item,
    "FootnoteDefinition": Writer._footnote,
    "Table": Writer._table,
    "TableHead": Writer._table_head,
    "TableRow": Writer._table_row,
    "TableCell": Writer._table_cell,
    "Link": Writer._link,
    "Image": Writer._image,
}
_LEAVES: dict[str, Callable[[Writer, Any], None]] = {
    "Code": Writer._code,
    "InlineMath": Writer._inline_math,
    "DisplayMath": Writer._display_math,
    "Html": Writer._raw,
    "InlineHtml": Writer._raw,
    "FootnoteReference": Writer._note_mark,
    "TaskListMarker": Writer._task,
}
