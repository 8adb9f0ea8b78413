"""What changed between two frames, as patches of a page that each may be applied twice.

The page is a tree of growing elements (growing.py); a patch names its place by the way there. Nothing is rendered here.
"""

from collections.abc import Sequence
from typing import NamedTuple

from .growing import GrowingParts

type Path = tuple[int | str, ...]


class Patch(NamedTuple):
    """One change. `path` leads from the answer's container: a number is a 1-based child, a name a child element; () is itself.

    `swap` is outerHTML, innerHTML or delete; the last number n of a delete means child n and all behind it. The targets of
    a frame are looked up before its first patch is applied; a missing one is no error.
    """

    path: Path
    swap: str
    html: str


class Told(NamedTuple):
    """What the last frame left in the page: of an element that grows, and of the one that grows in it."""

    element: GrowingParts
    parts: int
    inner: "Told | None"
    tail: list[str]


def tell(element: GrowingParts) -> Told:
    return Told(element, len(element.parts), tell(element.inner) if element.inner else None, element.tail)


def patches(path: Path, told: Told, *, is_careful: bool = False) -> list[Patch]:
    """Return what brings a page from what it was told to the present; `path` leads to the parent of the element's parts.

    To be careful is to reach pages, too, that are ahead of what was told.
    """
    element, inner = told.element, told.inner
    base = element.before + told.parts
    if inner and inner.element is element.inner:
        if element.tail and not told.tail:  # behind it there is nothing to put the tail in place of
            return changes(path, base + 1, [], element.tail, element.inner.root(), is_careful=is_careful)
        return _inside(path, base, inner, is_careful) + changes(path, base + 1, told.tail, element.tail, "", is_careful=is_careful)
    new = element.children(told.parts)
    if inner and new and new[0] == inner.element.root():
        behind = changes(path, base + 1, told.tail, new[1:], new[0], is_careful=is_careful)
        return behind if new[1:] and not told.tail else _inside(path, base, inner, is_careful) + behind
    last = element.parts[told.parts - 1] if told.parts else ""
    return changes(path, base, [*([""] if inner else []), *told.tail], new, last, is_careful=is_careful)


def _inside(path: Path, base: int, inner: Told, is_careful: bool) -> list[Patch]:
    return patches((*path, base + 1, *(inner.element.path or ())), inner, is_careful=is_careful)


def changes(path: Path, base: int, old: Sequence[str], new: Sequence[str], last: str, *, is_careful: bool = False) -> list[Patch]:
    """Return patches that make the children behind the first `base` ones `new`, in a page where they are `old`.

    `last` is the child before them, "" if there is none.
    """
    same = 0 if is_careful else _common(old, new)
    if same == len(new):
        return [Patch((*path, base + same + 1), "delete", "")] if len(old) > same or is_careful else []
    if len(old) == len(new) and not is_careful:
        return [Patch((*path, base + at + 1), "outerHTML", new[at]) for at in range(same, len(new)) if old[at] != new[at]]
    if same < len(old):
        first, html = base + same + 1, new[same:]
    elif same:
        first, html = base + same, new[same - 1 :]
    elif base and last:
        first, html = base, [last, *new]
    else:
        return [Patch(path, "innerHTML", "".join(new))]
    return [Patch((*path, first + 1), "delete", ""), Patch((*path, first), "outerHTML", "".join(html))]


def _common(old: Sequence[str], new: Sequence[str]) -> int:
    """How many elements at the start are the same."""
    for at, (left, right) in enumerate(zip(old, new, strict=False)):
        if left != right:
            return at
    return min(len(old), len(new))
