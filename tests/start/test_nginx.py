"""The shipped configuration of nginx, run by a real nginx before two real processes on PostgreSQL."""

import gzip
import http.client
import json
import signal
import ssl
import subprocess
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import NamedTuple
from uuid import uuid4

import pytest
from aiohttp import ClientSession

from tests.cluster import Node, cluster
from tests.front import BEHIND_NGINX, HOST, Nginx
from tests.generation.test_restart import read_text
from tests.server import LIMIT
from tests.viewers import Browser, Program

pytestmark = [pytest.mark.real_postgresql, pytest.mark.nginx]
LONG = "/rate 100 /long 4"
STREAMS = 8
POSTERS = 4  # so many that a process which is killed always has a prompt in its hands


class Behind(Node):
    """A process that is asked through the proxy only."""

    def log_in(self) -> None:
        """The person does that through the proxy."""


class Site(NamedTuple):
    front: Nginx
    nodes: list[Node]


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    directory = tmp_path_factory.mktemp("nginx")
    with cluster(directory / "data", kind=Behind, **BEHIND_NGINX) as nodes, Nginx(directory / "nginx", nodes).running() as front:
        yield Site(front, nodes)


def text_of(site: Site, answer: int) -> str:
    site.nodes[0].wait_for_status(answer, "complete")
    ((text,),) = site.nodes[0].rows("SELECT text FROM conversations_message WHERE id = ?", answer)
    return str(text)


def test_the_first_token_passes_before_the_last_is_produced(site: Site) -> None:
    turn = site.front.send(LONG)
    with site.front.open("GET", turn["events_url"]) as response:
        shown = read_text(response, 1)
        assert site.nodes[0].status_of(turn["answer"]) == "running"
        shown += read_text(response, 10**9)
    assert shown == text_of(site, turn["answer"])


def test_over_http_2_too(site: Site) -> None:
    turn = site.front.send(LONG)
    url = f"https://{HOST}:{site.front.port}{turn['events_url']}"
    resolve, trust = f"{HOST}:{site.front.port}:127.0.0.1", str(site.front.data_dir / "fullchain.pem")
    command = ["curl", "-sN", "--http2", "--resolve", resolve, "--cacert", trust, "-w", "%{http_version}", "-H", "@-", url]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as curl:
        assert curl.stdin
        assert curl.stdout
        curl.stdin.write(header_lines(site.front))
        curl.stdin.close()
        first = next(line for line in curl.stdout if line.startswith(b'data: {"text":'))
        assert site.nodes[0].status_of(turn["answer"]) == "running"
        *rest, version = [first, *curl.stdout]
    shown = "".join(json.loads(line[6:])["text"] for line in rest if line.startswith(b'data: {"text":'))
    assert version == b"2"
    assert shown == text_of(site, turn["answer"])


def header_lines(front: Nginx) -> bytes:
    """The headers as curl reads them from a file."""
    return "".join(f"{name}: {value}\n" for name, value in front.headers().items()).encode()


def test_a_page_is_compressed_by_the_site(site: Site) -> None:
    page = site.front.ask("GET", "/", Accept_Encoding="gzip")
    assert page.headers["Content-Encoding"] == "gzip"
    assert b"</html>" in gzip.decompress(page.body)


def test_a_large_file_reaches_the_site_where_it_is_imported_and_nowhere_else(site: Site) -> None:
    """It is no export, and the site says so: what counts is who answers."""
    body = b"x" * (6 * 2**20)
    assert posted(site.front, "/imports", body).status == 422
    assert posted(site.front, "/conversations", body).status == 413


def posted(front: Nginx, path: str, body: bytes) -> http.client.HTTPResponse:
    connection = front.connection()
    connection.request("POST", path, body, front.headers(Accept="application/json", Content_Type="application/octet-stream"))
    response = connection.getresponse()
    response.read()
    connection.close()
    return response


def test_plain_http_is_sent_to_https(site: Site) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", site.front.plain_port, timeout=LIMIT)
    connection.request("GET", "/conversations/7", headers={"Host": HOST})
    assert connection.getresponse().headers["Location"] == f"https://{HOST}/conversations/7"
    connection.close()


async def test_a_websocket_passes(site: Site) -> None:
    turn = site.front.send("hello /rate 1000")
    trust = ssl.create_default_context(cafile=site.front.data_dir / "fullchain.pem")
    url = f"https://127.0.0.1:{site.front.port}/messages/{turn['answer']}/events"
    async with ClientSession() as client, client.ws_connect(url, headers=site.front.headers(), ssl=trust) as socket:
        frames = [message.json() async for message in socket]
    assert "".join(frame["data"]["text"] for frame in frames if frame["event"] == "text_delta") == text_of(site, turn["answer"])
    assert frames[-1]["data"]["status"] == "complete"


class Worked(NamedTuple):
    """What a busy person saw, and did, while the processes came and went."""

    seen: list[int]
    prompts: list[str]


@contextmanager
def worked_all_the_time(front: Nginx) -> Iterator[Worked]:
    """Pages are asked and prompts posted, each on a connection of its own."""
    worked, is_over = Worked([], []), threading.Event()

    def keep(work: Callable[[], int]) -> None:
        while not is_over.is_set():
            try:
                worked.seen.append(work())
            except (OSError, http.client.HTTPException):
                worked.seen.append(0)

    def post() -> int:
        worked.prompts.append(prompt := f"hello {uuid4()} /rate 5000")
        return front.ask("POST", "/conversations", {"prompt": prompt, "request_key": uuid4()}, Accept="application/json").status

    threads = [threading.Thread(target=keep, args=[work]) for work in [lambda: front.ask("GET", "/").status] + [post] * POSTERS]
    for thread in threads:
        thread.start()
    try:
        yield worked
    finally:
        is_over.set()
        for thread in threads:
            thread.join()


@pytest.mark.parametrize("end", [signal.SIGTERM, signal.SIGKILL], ids=["SIGTERM", "kill -9"])
def test_processes_that_end_one_after_the_other_cost_nobody_a_request_or_a_prompt(site: Site, end: signal.Signals) -> None:
    before = {prompt for (prompt,) in prompts_of(site)}
    with worked_all_the_time(site.front) as worked:
        for node in site.nodes:
            begun = len(worked.seen)
            node.wait(lambda begun=begun: len(worked.seen) > begun + 4)
            node.end(end)
            node.start()
    assert set(worked.seen) == {200, 201}
    assert sorted(prompt for (prompt,) in prompts_of(site) if prompt not in before) == sorted(worked.prompts)


@pytest.mark.parametrize("end", [signal.SIGTERM, signal.SIGKILL], ids=["SIGTERM", "kill -9"])
def test_streams_go_on_by_themselves_while_the_processes_behind_it_are_replaced(site: Site, end: signal.Signals) -> None:
    """A page comes again to the one address it knows: it is served at once by who is there, and shown every character that is kept."""
    turns = [site.front.send("/rate 40 /long 6") for _ in range(STREAMS)]
    viewers = [(Browser if number % 2 else Program)([site.front], turn) for number, turn in enumerate(turns)]
    site.front.wait(lambda: all(viewer.visits for viewer in viewers))
    for node in site.nodes:
        node.end(end)
        node.start()
    for viewer in viewers:
        viewer.join()
        viewer.check(site.front)
    assert any(viewer.visits > 1 for viewer in viewers)
    assert not any(viewer.refusals for viewer in viewers)


def prompts_of(site: Site) -> list[tuple[str]]:
    return site.nodes[0].rows("SELECT text FROM conversations_message WHERE role = 'user'")
