"""Viewers of an answer in threads of their own, who come again as a page and a program do until they have seen its end.

What each is shown is checked as it comes: nothing twice, nothing out of order, and nothing that the database does not hold in the end.
"""

import http.client
import itertools
import json
import re
import threading
from collections.abc import Iterator, Sequence
from typing import Any

from .live import ServerEvent, parsed
from .page import Node, Page
from .server import LIMIT, Server

LIVE = {"queued", "running"}
PAUSE = 0.05  # seconds before a viewer comes again
GONE = (OSError, http.client.HTTPException)  # a server that is away, or goes away


class Viewer(threading.Thread):
    """Follows one answer through any of the servers; `join()` raises what went wrong."""

    format = ""

    def __init__(self, servers: Sequence[Server], turn: dict[str, Any]) -> None:
        super().__init__(daemon=True)
        self.turn, self.visits, self.ending = turn, 0, ""
        self.place = "0.0"
        self.history: list[Any] = []  # what is said when a check fails
        self.refusals: list[int] = []  # each status of a server that was there and did not serve: no balancer sends that elsewhere
        self._servers = itertools.cycle(servers)
        self._error: BaseException | None = None
        self._is_given_up = threading.Event()
        self.start()

    def run(self) -> None:
        try:
            for server in self._servers:
                self._visit(server)
                if self.ending:
                    return
                assert not self._is_given_up.wait(PAUSE), f"no end of answer {self.turn['answer']}"
        except BaseException as error:
            self._error = error

    def join(self, timeout: float | None = LIMIT) -> None:
        super().join(timeout)
        self._is_given_up.set()
        super().join(timeout)
        if self._error:
            raise self._error
        assert self.ending

    def wait(self, seconds: float) -> None:
        """Wait for its end, and no longer than that."""
        super().join(seconds)

    def _visit(self, server: Server) -> None:
        """Follow until the end, or until the connection breaks."""
        try:
            with server.open("GET", f"/messages/{self.turn['answer']}/events?after={self.place}{self.format}") as response:
                if response.status >= 500:
                    self.refusals.append(response.status)
                    return
                assert response.status == 200, response.read()
                self.visits += 1
                self._follow(response)
        except GONE:
            pass
        finally:
            self.left()

    def _follow(self, response: http.client.HTTPResponse) -> None:
        self.history.append(f"connected behind {self.place}")
        for event in whole_events(response):
            self.history.append((event.name, event.id, event.data[:200]))
            self.place = event.id or self.place
            self.take(event)
            if event.name == "done":
                self.ending = event.data
                assert not LIVE & set(self.ending.replace('"', " ").split()), self.history

    def take(self, event: ServerEvent) -> None:
        raise NotImplementedError

    def left(self) -> None:
        """The connection is over."""

    def check(self, server: Server) -> None:
        """Hold what was shown against what is kept."""
        raise NotImplementedError


def whole_events(response: http.client.HTTPResponse) -> Iterator[ServerEvent]:
    """Yield the events that came to their end, as a browser takes them; a torn one counts for nothing."""
    lines: list[str] = []
    while line := response.readline().decode():
        if line != "\n":
            lines.append(line.removesuffix("\n"))
            continue
        yield parsed("\n".join(lines))
        lines = []


class Program(Viewer):
    """Reads the events as JSON."""

    format = "&format=json"
    text = ""

    def take(self, event: ServerEvent) -> None:
        if event.name == "text_delta":
            piece = json.loads(event.data)["text"]
            self.text += piece
            assert event.id.partition(".")[2] == str(len(self.text)), "a piece came twice, or one is missing"

    def check(self, server: Server) -> None:
        assert self.text == kept_text(server, self.turn)


class Browser(Viewer):
    """Applies the frames to a page."""

    def __init__(self, servers: Sequence[Server], turn: dict[str, Any]) -> None:
        pk = turn["answer"]
        places = "".join(f'<div id="message-{pk}-{name}"></div>' for name in ("stream", "reasoning-text", "text", "waiting", "footer"))
        self.page, self.seen = Page(f'<article id="message-{pk}">{places}</article>'), [""]
        super().__init__(servers, turn)

    def take(self, event: ServerEvent) -> None:
        self.page.take(event)

    def left(self) -> None:
        self.seen.append(letters(texts_in(self.place_of_text(self.page))))

    def check(self, server: Server) -> None:
        pk, kept = self.turn["answer"], letters(kept_text(server, self.turn))
        for shown in self.seen:
            assert kept.startswith(shown), f"shown: {shown}\nkept: {kept}"
        article = re.search(rf'<article id="message-{pk}".*?</article>', server.ask("GET", self.turn["url"]).body.decode(), re.DOTALL)
        assert article
        ours, theirs = ([node.html() for node in self.place_of_text(page).elements] for page in (self.page, Page(article[0])))
        assert ours == theirs, f"replayed: {ours}\nreloaded: {theirs}\n{self.history}"

    def place_of_text(self, page: Page) -> Node:
        place = page.root.find(f"message-{self.turn['answer']}-text")
        assert place
        return place


def texts_in(node: Node) -> str:
    return node.text + "".join(texts_in(child) for child in node.children)


def letters(text: str) -> str:
    """A text without the marks of Markdown and the spaces around them, which a page does not show as they were written."""
    return "".join(character for character in text if character.isalnum())


def kept_text(server: Server, turn: dict[str, Any]) -> str:
    ((text,),) = server.rows("SELECT text FROM conversations_message WHERE id = ?", turn["answer"])
    return str(text)
