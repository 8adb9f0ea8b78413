"""The last step of everything that leaves this room: an allow-list, kept by nh3.

It holds what our own writer emits and nothing else: no image, no script, no style, no id, no event handler, no htmx attribute.
"""

import re

from nh3 import Cleaner
from pygments.token import STANDARD_TYPES

_ELEMENT = re.compile(r'<(/?)([a-z][a-z0-9]*)(?:[^">]|"[^"]*")*>')
_VOID = {"br", "hr", "input"}
_MATHML = """
    math merror mfrac mi mmultiscripts mn mo mover mpadded mphantom mprescripts mroot mrow ms mspace msqrt msub msubsup
    msup mtable mtd mtext mtr munder munderover menclose"""
_MATHML_ATTRIBUTES = """
    accent accentunder columnspan depth display displaystyle fence form height largeop linethickness lspace mathvariant
    maxsize minsize movablelimits notation rowspan rspace scriptlevel separator stretchy symmetric voffset width"""
_PROSE = """
    a blockquote br button code del details div em figcaption figure h3 h4 h5 h6 hr input li ol p pre span strong summary sup
    table tbody td th thead tr ul"""
MATHML = frozenset(_MATHML.split())
PROSE = frozenset(_PROSE.split())
ALIGNMENTS = frozenset({"align-left", "align-center", "align-right"})
CLASSES = {
    "a": {"image-link"},
    "blockquote": {"alert", "note", "tip", "important", "warning", "caution"},
    "code": {"math"},
    "div": {"table", "footnote-definition"},
    "figure": {"code"},
    "li": {"task"},
    "pre": {"raw-html"},
    "span": {"language", "more", "less"} | {name for name in STANDARD_TYPES.values() if name},
    "sup": {"footnote"},
    "td": ALIGNMENTS,
    "th": ALIGNMENTS,
    "mrow": {"menclose-updiagonalstrike", "menclose-downdiagonalstrike"},
    "mtd": ALIGNMENTS | {"line-top", "line-right", "line-bottom", "line-left"},
}
FIXED = {
    "a": {"target": {"_blank"}},
    "button": {"type": {"button"}, "data-copy": {"code"}},
    "div": {"role": {"group", "note"}, "tabindex": {"0"}, "aria-label": {"Table"}},
    "input": {"type": {"checkbox"}, "aria-label": {"Done", "To do"}},
    "pre": {"tabindex": {"0"}},
    "th": {"scope": {"col"}},
}
ATTRIBUTES: dict[str, set[str]] = {
    "a": {"href", "title"},
    "input": {"checked", "disabled"},
    "ol": {"start"},
} | {name: set(_MATHML_ATTRIBUTES.split()) for name in MATHML}

_cleaner = Cleaner(
    tags=PROSE | MATHML,
    attributes=ATTRIBUTES,
    allowed_classes=CLASSES,
    tag_attribute_values=FIXED,
    link_rel="noopener noreferrer nofollow",
    url_schemes={"http", "https", "mailto"},
    url_relative="deny",
)


def clean(html: str) -> str:
    """Return the HTML without anything that is not on the list."""
    return _cleaner.clean(html)


def count_elements(html: str) -> int:
    """How many elements stand side by side in sanitised HTML."""
    count = depth = 0
    for closing, name in _ELEMENT.findall(html):
        count += not closing and not depth
        depth += 0 if name in _VOID else -1 if closing else 1
    return count
