"""The smallest page that patches can be applied to: elements and text, as a browser would hold them."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from html import escape
from html.parser import HTMLParser

from conversations.rendering.patches import Patch

VOID = {"br", "hr", "input", "mspace", "mprescripts"}


@dataclass(eq=False)
class Element:
    name: str
    attributes: list[tuple[str, str | None]] = field(default_factory=list)
    children: list["Element | str"] = field(default_factory=list)
    parent: "Element | None" = None

    @property
    def elements(self) -> list["Element"]:
        return [child for child in self.children if isinstance(child, Element)]

    def html(self) -> str:
        inner = "".join(child.html() if isinstance(child, Element) else escape(child) for child in self.children)
        opening = "".join(f' {name}="{escape(value or "")}"' for name, value in self.attributes)
        return f"<{self.name}{opening}>{inner}</{self.name}>"

    def replace(self, children: list["Element | str"]) -> None:
        assert self.parent
        index = next(at for at, child in enumerate(self.parent.children) if child is self)
        self.parent.children[index : index + 1] = children
        for child in children:
            if isinstance(child, Element):
                child.parent = self.parent


class Parser(HTMLParser):
    def __init__(self, html: str) -> None:
        super().__init__(convert_charrefs=True)
        self.here = self.root = Element("div")
        self.feed(html)
        self.close()
        assert self.here is self.root, f"unclosed: {self.here.name} in {html!r}"

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        element = Element(tag, attrs, parent=self.here)
        self.here.children.append(element)
        if tag not in VOID:
            self.here = element

    def handle_endtag(self, tag: str) -> None:
        if tag in VOID:
            return
        assert self.here.parent, f"</{tag}> closes nothing"
        assert self.here.name == tag, f"</{tag}> closes <{self.here.name}>"
        self.here = self.here.parent

    def handle_data(self, data: str) -> None:
        if self.here.children and isinstance(self.here.children[-1], str):
            self.here.children[-1] += data
        else:
            self.here.children.append(data)


def parse(html: str) -> Element:
    return Parser(html).root


class Page:
    """A container that patches are applied to."""

    def __init__(self, html: str = "") -> None:
        self.container = parse(html)

    @property
    def html(self) -> str:
        return parse(self.container.html()).html()

    def apply(self, patches: Iterable[Patch]) -> None:
        for patch, targets in [(patch, self._targets(patch)) for patch in patches]:
            for target in targets:
                if patch.swap == "innerHTML":
                    target.children = []
                    for child in parse(patch.html).children:
                        target.children.append(child)
                        if isinstance(child, Element):
                            child.parent = target
                else:
                    target.replace(parse(patch.html).children if patch.swap == "outerHTML" else [])

    def _targets(self, patch: Patch) -> list[Element]:
        here = [self.container]
        for depth, step in enumerate(patch.path):
            children = [child for element in here for child in element.elements]
            if isinstance(step, str):
                here = [child for child in children if child.name == step]
            elif patch.swap == "delete" and depth == len(patch.path) - 1:
                here = [child for element in here for child in element.elements[step - 1 :]]
            else:
                here = [child for element in here for child in element.elements[step - 1 : step]]
        return here


def page_html(html: str) -> str:
    """Return HTML as a page that was loaded with it holds it."""
    return Page(html).html
