"""A real process that is killed or ended in the middle of an answer. Whatever anybody was shown is still there afterwards."""

import json
from collections.abc import Iterator
from http.client import HTTPResponse, IncompleteRead
from pathlib import Path

import pytest

from tests.server import Server


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    site = Server(tmp_path_factory.mktemp("restart") / "data")
    site.more = {"HEARTBEAT_SECONDS": "1", "LEASE_SECONDS": "7"}
    with site.running():
        yield site


@pytest.fixture
def server(site: Server) -> Server:
    """The same for all, running again."""
    site.start()
    return site


OF_ANSWER = "WHERE generation_id = (SELECT id FROM conversations_generation WHERE message_id = ?)"
BILLED = f"SELECT attempt, is_estimated FROM conversations_usage {OF_ANSWER} ORDER BY attempt"


def read_text(response: HTTPResponse, characters: int) -> str:
    """Read a program's stream until so much text has come, or to its end."""
    text = ""
    while len(text) < characters and (line := line_of(response)):
        if line.startswith(b'data: {"text":'):
            text += json.loads(line[6:])["text"]
    return text


def line_of(response: HTTPResponse) -> bytes:
    try:
        return response.readline()
    except (IncompleteRead, ConnectionResetError):
        return b""


def test_kill_9_in_the_middle_of_an_answer_loses_nothing_that_was_shown(server: Server) -> None:
    turn = server.send("/rate 50 /long 5")
    with server.open("GET", turn["events_url"]) as response:
        shown = read_text(response, 300)
        server.kill()
        shown += read_text(response, 10**9)
    assert len(shown) >= 300
    server.start()
    assert server.wait_for_status(turn["answer"], "interrupted", "complete", "failed") == "interrupted"
    ((text,),) = server.rows("SELECT text FROM conversations_message WHERE id = ?", turn["answer"])
    assert text.startswith(shown)
    assert server.rows(f"SELECT count(*) FROM conversations_journalentry {OF_ANSWER}", turn["answer"]) == [(0,)]
    assert server.rows(BILLED, turn["answer"]) == [(1, 1)]
    page = server.ask("GET", turn["url"]).body.decode()
    assert "/rate 50 /long 5" in page
    assert 'data-status="interrupted"' in page
    assert "try again for a whole one" in page
    again = server.ask("POST", f"/messages/{turn['answer']}/retry", {}, Accept="application/json").json
    server.wait_for_status(again["answer"], "running")
    assert server.ask("POST", again["stop_url"], {}, Accept="application/json").status == 204
    assert server.wait_for_status(again["answer"], "stopped", "complete") == "stopped"


def test_kill_9_before_the_first_token_runs_the_answer_again(server: Server) -> None:
    turn = server.send("hello /delay 3 /rate 1000")
    server.wait_for_status(turn["answer"], "running")
    server.kill()
    server.start()
    assert server.wait_for_status(turn["answer"], "interrupted", "complete", "failed") == "complete"
    assert server.rows("SELECT attempt FROM conversations_generation WHERE message_id = ?", turn["answer"]) == [(2,)]
    assert server.rows(BILLED, turn["answer"]) == [(1, 1), (2, 0)]


def test_sigterm_in_the_middle_of_an_answer_loses_no_text(server: Server) -> None:
    turn = server.send("/rate 50 /long 8")
    silent = server.send("/silent")
    server.wait_for_status(silent["answer"], "running")
    with server.open("GET", turn["events_url"]) as response:
        shown = read_text(response, 200)
        assert server.terminate() == 0
        shown += read_text(response, 10**9)
    ((text,),) = server.rows("SELECT text FROM conversations_message WHERE id = ?", turn["answer"])
    assert text.startswith(shown)
    assert server.status_of(turn["answer"]) == "interrupted"
    assert server.status_of(silent["answer"]) == "queued"
    assert "Traceback" not in server.log
    server.start()
    assert server.wait_for_status(silent["answer"], "running")
    assert server.ask("POST", silent["stop_url"], {}, Accept="application/json").status == 204


def test_sigterm_in_the_middle_of_an_answer_tells_open_pages_how_it_ended(server: Server) -> None:
    turn = server.send("/rate 50 /long 4000")
    server.wait_for_status(turn["answer"], "running")
    with server.open("GET", f"/messages/{turn['answer']}/events?after=0.0") as response:
        response.readline()
        assert server.terminate() == 0
        assert response.read().endswith(b"event: done\ndata: interrupted\n\n")


def test_sigterm_lets_a_short_answer_finish(server: Server) -> None:
    turn = server.send("hello /rate 100")
    with server.open("GET", turn["events_url"]) as response:
        read_text(response, 1)
        assert server.terminate() == 0
    assert server.status_of(turn["answer"]) == "complete"


def test_kill_9_in_the_middle_of_a_tool_keeps_what_was_shown_and_bills_the_round_once(tmp_path: Path) -> None:
    site = Server(tmp_path / "data")
    site.more = {"HEARTBEAT_SECONDS": "1", "LEASE_SECONDS": "7", "DJANGO_SETTINGS_MODULE": "tests.tools.slow_settings"}
    with site.running():
        turn = site.send("/tool current_time /rate 400")
        with site.open("GET", turn["events_url"]) as response:
            while (line := line_of(response)) and b"event: tool_start" not in line:
                pass
        site.kill()
        site.start()
        assert site.wait_for_status(turn["answer"], "interrupted", "complete", "failed") == "interrupted"
        ((text, tools),) = site.rows("SELECT text, tool_events FROM conversations_message WHERE id = ?", turn["answer"])
        assert text == "I ask current_time."
        assert [event["event"] for event in json.loads(tools)] == ["tool_start"]
        assert site.rows(BILLED, turn["answer"]) == [(1, 0)]
        page = site.ask("GET", turn["url"]).body.decode()
        assert "did not finish" in page
        assert "Continue" in page
