"""Markdown to sanitised HTML, a string per top-level block. Nothing leaves this room but through sanitise.clean.

Each piece of the source is parsed by itself, so a piece that is complete has its final HTML; only link references and
footnotes reach across pieces: a `References` carries them.
"""

import re
from html import escape
from typing import Any

from pyromark import Markdown, Options, reference_definitions

from . import code, latex
from .pieces import Kind, Piece
from .sanitise import clean
from .writer import Writer

OPTIONS = (
    Options.ENABLE_TABLES
    | Options.ENABLE_STRIKETHROUGH
    | Options.ENABLE_TASKLISTS
    | Options.ENABLE_MATH
    | Options.ENABLE_GFM
    | Options.ENABLE_FOOTNOTES
)
_parser = Markdown(options=OPTIONS)
_NOTE = re.compile(r"^ {0,3}\[\^([^\]\s]+)\]:", re.M)
PLAIN_FROM = 65_536  # characters; half of them take the parser and the sanitiser about 5 ms
_BOMB = re.compile(r"^(?:[ \t]{0,8}(?:>|(?:[-+*]|[0-9]{1,9}[.)])[ \t])){200}", re.M)  # each level costs 4 µs, seen or not
_SPACES = re.compile(r"\s+")
_VERBATIM = {"Code", "Html", "InlineHtml", "InlineMath", "DisplayMath"}


class References:
    """Link reference definitions and footnote labels known so far; the first definition of a label wins."""

    def __init__(self) -> None:
        self.links: dict[str, tuple[str, str]] = {}
        self.notes: set[str] = set()
        self._parser = Markdown(options=OPTIONS, broken_link_callback=self._resolve)  # type: ignore[arg-type]

    def __len__(self) -> int:
        return len(self.links) + len(self.notes)

    @property
    def parser(self) -> Markdown:
        return self._parser if self.links else _parser

    def collect(self, piece: Piece) -> None:
        if piece.kind in (Kind.CODE, Kind.INDENTED, Kind.MATH, Kind.HEADING, Kind.RULE):
            return
        source = piece.source
        if "]:" not in source:
            return
        self.notes.update(_NOTE.findall(source))
        for label, found in reference_definitions(source, options=OPTIONS).items():
            self.links.setdefault(_label(label), (found["dest"], found["title"] or ""))

    def _resolve(self, link: dict[str, Any]) -> tuple[str, str] | None:
        return self.links.get(_label(link["reference"]))


def _label(text: str) -> str:
    return _SPACES.sub(" ", text.strip()).casefold()


NONE = References()


def render_piece(piece: Piece, references: References) -> list[str]:
    """Return the blocks of a piece."""
    if piece.kind is Kind.CODE:
        return [clean(block) for block in write(piece.source, references).blocks]
    if piece.kind is Kind.MATH and (formula := _formula(piece)):
        return [clean(f"<p>{latex.formula(formula, display=True)}</p>")]
    return render_source(piece.source, references)


def _formula(piece: Piece) -> str:
    r"""Return what stands between lines of $$ or \[ \]; "" if it does not end."""
    source = piece.source.strip()
    closing = "$$" if source.startswith("$$") else "\\]"
    return source[2:-2].strip() if len(source) >= 4 and source.endswith(closing) else ""


def render_source(source: str, references: References = NONE) -> list[str]:
    """Return the blocks of a source that is normalised."""
    if is_plain(source):
        return [render_plain(source)]
    return [clean(block) for block in write(source, references).blocks]


def is_plain(source: str) -> bool:
    """Whether the source is more than a frame has time for: too long to be parsed at once, or a bomb of markers."""
    return len(source) > PLAIN_FROM or (len(source) > 200 and _BOMB.search(source) is not None)


def render_plain(source: str) -> str:
    """Return the source as it was written."""
    return clean(f'<pre class="raw-html">{escape(source.strip())}</pre>')


def render_item(source: str, references: References) -> tuple[str, str]:
    """Return the opening tag of the list that the source of one item is, and its <li>."""
    if is_plain(source):
        return "<ul>", f"<li>{render_plain(source)}</li>"
    writer = write(source, references)
    blocks = [clean(block) for block in writer.blocks]
    if len(blocks) == 1 and writer.items == 1 and blocks[0].startswith(("<ul", "<ol")):
        opening, _, rest = blocks[0].partition(">")
        return opening + ">", rest[:-5]
    return "<ul>", f"<li>{''.join(blocks)}</li>"


def render_rows(header: str, rows: str, references: References) -> tuple[list[str], list[str]]:
    """Return the <tr>s of rows below a header and its delimiters, and what the parser found behind the table."""
    blocks = render_source(f"{header}{rows}", references)
    if not blocks or not blocks[0].startswith('<div class="table"'):
        return [], blocks
    body = blocks[0].partition("<tbody>")[2].partition("</tbody>")[0]
    return ["<tr>" + row for row in body.split("<tr>")[1:]], blocks[1:]


def render_open_code(info: str) -> str:
    """Return the figure of a block of code without its code."""
    return clean(code.frame(code.language_of(info), ""))


def write(source: str, references: References) -> Writer:
    events, hidden = events_of(source, references)
    writer = Writer(hidden, references.notes)
    writer.write(events)
    return writer


def events_of(source: str, references: References) -> tuple[Any, latex.Hidden | None]:
    """Return what the parser finds in a source, and the formulas that were hidden from it."""
    hidden = latex.Hidden(source, _masks(source)) if "\\(" in source or "\\[" in source else None
    return references.parser.events(hidden.source if hidden else source), hidden if hidden and hidden.formulas else None


def _masks(source: str) -> list[tuple[int, int]]:
    """Return the byte ranges of code, formulas and raw HTML, in order."""
    masks = []
    for event, place in _parser.events_with_range(source):
        if not isinstance(event, dict):
            continue
        ((name, value),) = event.items()
        if name in _VERBATIM or (name == "Start" and isinstance(value, dict) and "CodeBlock" in value):
            masks.append((place["start"], place["end"]))
    return masks
