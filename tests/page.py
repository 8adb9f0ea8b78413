"""A page as a browser holds it, as far as streams need: it parses HTML, applies the partials of events, and compares."""

import re
from html.parser import HTMLParser
from typing import Self

from .live import ServerEvent

VOID = {"input", "br", "hr", "img", "meta", "link"}
PARTIAL = re.compile(r'<hx-partial hx-target="([^"]*)" hx-swap="([^"]*)">(.*?)</hx-partial>', re.DOTALL)
STEP = re.compile(r":nth-child\((n\+)?(\d+)\)")


class Node:
    """An element, or with no name a text."""

    def __init__(self, name: str, attributes: dict[str, str] | None = None, text: str = "") -> None:
        self.name, self.attributes, self.text = name, attributes or {}, text
        self.children: list[Node] = []
        self.parent: Node | None = None

    def append(self, child: Self) -> None:
        child.parent = self
        self.children.append(child)

    @property
    def elements(self) -> list[Self]:
        return [child for child in self.children if child.name]  # type: ignore[misc]

    def find(self, identity: str) -> "Node | None":
        if self.attributes.get("id") == identity:
            return self
        return next((found for child in self.children if (found := child.find(identity))), None)

    def replace(self, nodes: "list[Node]") -> None:
        assert self.parent is not None
        at = self.parent.children.index(self)
        self.parent.children[at : at + 1] = nodes
        for node in nodes:
            node.parent = self.parent

    def html(self) -> str:
        if not self.name:
            return self.text
        attributes = "".join(f' {key}="{value}"' for key, value in sorted(self.attributes.items()))
        return f"<{self.name}{attributes}>{''.join(child.html() for child in merged(self.children))}</{self.name}>"


def merged(nodes: list[Node]) -> list[Node]:
    """Neighbouring texts as one, as `normalize()` does; white space between elements of a template counts for nothing."""
    result: list[Node] = []
    for node in nodes:
        if not node.name and result and not result[-1].name:
            result[-1] = Node("", text=result[-1].text + node.text)
        else:
            result.append(node)
    return [node for node in result if node.name or node.text.strip()]


class Builder(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.root = self.at = Node("root")

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        node = Node(tag, {key: value or "" for key, value in attrs})
        self.at.append(node)
        if tag not in VOID:
            self.at = node

    def handle_endtag(self, tag: str) -> None:
        if tag not in VOID:
            assert self.at.name == tag, f"</{tag}> closes <{self.at.name}>"
            assert self.at.parent is not None
            self.at = self.at.parent

    def handle_data(self, data: str) -> None:
        self.at.append(Node("", text=data))


def parse(html: str) -> Node:
    builder = Builder()
    builder.feed(html)
    builder.close()
    return builder.root


class Page:
    def __init__(self, html: str) -> None:
        self.root = parse(html)

    @property
    def connect_place(self) -> str:
        """The place in the URL of the stream element; "" where the answer is not live."""
        found = re.search(r"events\?after=([0-9.]+)", self.root.html())
        return found[1] if found else ""

    def html(self, identity: str) -> str:
        node = self.root.find(identity)
        assert node is not None, identity
        return node.html()

    def take(self, event: ServerEvent) -> None:
        """Do what htmx and chat.js do with an event."""
        if event.name in ("status", "done"):
            self.set_status(event)
        elif not event.name:
            targets = [(self.select(target), swap, html) for target, swap, html in PARTIAL.findall(event.data)]
            for nodes, swap, html in targets:
                for node in nodes:
                    swap_into(node, swap, html)

    def set_status(self, event: ServerEvent) -> None:
        for article in self.root.elements:
            article.attributes["data-status"] = event.data
            stream = article.find(f"{article.attributes['id']}-stream")
            if event.name == "done" and stream is not None:
                stream.replace([])

    def select(self, selector: str) -> list[Node]:
        """`#id > :nth-child(2) > pre > :nth-child(n+3)`, with the spaces."""
        identity, *steps = selector.split(" > ")
        node = self.root.find(identity.removeprefix("#"))
        nodes = [node] if node else []
        for step in steps:
            nodes = [child for node in nodes for child in matching(node, step)]
        return nodes


def matching(node: Node, step: str) -> list[Node]:
    if found := STEP.fullmatch(step):
        index = int(found[2]) - 1
        return node.elements[index:] if found[1] else node.elements[index : index + 1]
    return [child for child in node.elements if child.name == step]


def swap_into(node: Node, swap: str, html: str) -> None:
    content = parse(html).children
    if swap == "delete":
        node.replace([])
    elif swap == "outerHTML":
        node.replace(content)
    elif swap == "innerHTML":
        node.children = []
        for child in content:
            node.append(child)
    else:
        raise AssertionError(swap)
