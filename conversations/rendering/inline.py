"""The inline half of the writer: text, emphasis, links, images, code and formulas, and where a paragraph must be opened.

Raw HTML becomes text, an image becomes a labelled link; only http, https and mailto are linked.
"""

import re
from collections.abc import Iterable
from html import escape
from typing import Any

from . import latex

NESTING_LIMIT = 64  # of elements
_SAFE_HREF = re.compile(r"(?:https?://|mailto:)\S", re.I)
_BARE_URL = re.compile(r"\bhttps?://[^\s<>\"'`]+")
_NOTE_MARK = re.compile(r"\[\^([^\]\s]+)\]")


class Surroundings:
    """Where inline content stands: in an element of its own, or bare in an item (or quote), where later runs need a <p>."""

    __slots__ = ("is_bare", "is_lead", "is_open")

    def __init__(self, *, is_bare: bool, is_lead: bool) -> None:
        self.is_bare, self.is_lead, self.is_open = is_bare, is_lead, False


class InlineWriter:
    """What stands in one line after another; `_out` takes the HTML, `_ends` knows what is open."""

    def __init__(self, formulas: latex.Hidden | None = None, notes: Iterable[str] = ()) -> None:
        self._out: list[str] = []
        self._ends: list[Any] = []  # per open element its closing tag, or what to call
        self._place = Surroundings(is_bare=False, is_lead=False)
        self._places: list[Surroundings] = []
        self._formulas, self._notes = formulas, notes
        self._in_link = False
        self._is_plain = False  # in an image's description: text without tags
        self._is_verbatim = False  # in code or raw HTML: text that is escaped as a whole

    def _run(self) -> None:
        """Inline content comes: give it a paragraph if it stands bare behind another block."""
        place = self._place
        if place.is_bare and not place.is_lead and not place.is_open:
            self._out.append("<p>")
            place.is_open = True

    def _block(self) -> None:
        """A block comes: bare content before it ends."""
        place = self._place
        if place.is_open:
            self._out.append("</p>")
        place.is_lead = place.is_open = False

    def _enter(self, *, is_bare: bool = False, is_lead: bool = False) -> None:
        self._places.append(self._place)
        self._place = Surroundings(is_bare=is_bare, is_lead=is_lead)

    def _leave(self) -> None:
        self._place = self._places.pop()

    def _inline(self, opening: str, closing: str) -> None:
        self._run()
        if self._is_plain or len(self._ends) >= NESTING_LIMIT:
            opening = closing = ""
        self._out.append(opening)
        self._ends.append(closing)

    def _link(self, value: Any) -> None:
        self._run()
        href = self._href(value)
        if not href or self._in_link or self._is_plain:
            self._ends.append("")
            return
        title = f' title="{escape(self._shown(value["title"]))}"' if value["title"] else ""
        self._out.append(f'<a href="{escape(href)}"{title} target="_blank">')
        self._in_link = True

        def end() -> None:
            self._in_link = False
            self._out.append("</a>")

        self._ends.append(end)

    def _href(self, value: Any) -> str:
        href = self._shown(value["dest_url"])
        href = f"mailto:{href}" if value["link_type"] == "Email" else href
        return href if _SAFE_HREF.match(href) else ""

    def _image(self, value: Any) -> None:
        self._run()
        if self._is_plain:  # an image in the description of another
            self._ends.append("")
            return
        href = "" if self._in_link else self._href(value)
        outer, self._out, self._is_plain = self._out, [], True

        def end() -> None:
            text, self._out, self._is_plain = "Image: " + "".join(self._out), outer, False
            link = f'<a class="image-link" href="{escape(href)}" target="_blank">{text}</a>'
            self._out.append(link if href else text)

        self._ends.append(end)

    def _text(self, text: str) -> None:
        if self._is_verbatim:
            self._out.append(self._shown(text))
            return
        if self._place.is_bare:
            self._run()
        may_link = "://" in text and not self._in_link and not self._is_plain
        html = _linked(text) if may_link else escape(text, quote=False)
        if self._notes and "[^" in html:
            html = _NOTE_MARK.sub(lambda mark: self._note(mark) or mark[0], html)
        if self._formulas:
            html = self._shown(html) if self._is_plain else self._formulas.html(html)
        self._out.append(html)

    def _shown(self, text: str) -> str:
        return self._formulas.text(text) if self._formulas else text

    def _note(self, mark: re.Match[str]) -> str:
        return f'<sup class="footnote">{mark[1]}</sup>' if mark[1] in self._notes else ""

    def _note_mark(self, label: str) -> None:
        self._run()
        self._out.append(escape(label) if self._is_plain else f'<sup class="footnote">{escape(label)}</sup>')

    def _raw(self, text: str) -> None:
        if not self._is_verbatim:
            self._run()
        text = self._shown(text)
        self._out.append(text if self._is_verbatim else escape(text))

    def _code(self, text: str) -> None:
        self._run()
        text = escape(self._shown(text))
        self._out.append(text if self._is_plain else f"<code>{text}</code>")

    def _inline_math(self, text: str) -> None:
        self._formula(text, display=False)

    def _display_math(self, text: str) -> None:
        self._formula(text, display=True)

    def _formula(self, text: str, *, display: bool) -> None:
        self._run()
        text = self._shown(text)
        self._out.append(escape(text) if self._is_plain else latex.formula(text.strip(), display=display))


def _linked(text: str) -> str:
    """Return escaped text in which bare addresses are links."""
    out, done = [], 0
    for found in _BARE_URL.finditer(text):
        url = _trimmed(found[0])
        end = found.start() + len(url)
        out += [escape(text[done : found.start()], quote=False), f'<a href="{escape(url)}" target="_blank">{escape(url)}</a>']
        done = end
    return "".join([*out, escape(text[done:], quote=False)])


def _trimmed(url: str) -> str:
    """Leave out the punctuation that ends a sentence, and a bracket that was opened before the address."""
    url = url.rstrip(".,;:!?*_~\ue000")
    while url.endswith((")", "]", "}")) and url.count(url[-1]) > url.count({")": "(", "]": "[", "}": "{"}[url[-1]]):
        url = url[:-1].rstrip(".,;:!?*_~")
    return url
