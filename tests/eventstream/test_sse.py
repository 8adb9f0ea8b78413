"""Events on the wire, read back by the rules of the HTML standard."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from conversations.events import Place
from conversations.eventstream import sse
from tests.live import ServerEvent, parsed


def received(wire: bytes) -> list[ServerEvent]:
    """What a browser dispatches: CR, LF and CRLF each end a line, an empty line ends an event."""
    text = re.sub("\r\n|\r", "\n", wire.decode())
    assert text.endswith("\n\n")
    return [parsed(block) for block in text.removesuffix("\n\n").split("\n\n")]


@pytest.mark.parametrize(
    "data",
    [
        "",
        "\n",
        "\n\n",
        "a\nb",
        "a\r\nb",
        "a\rb",
        "\r",
        "\r\r\n\n",
        "x\n\nevent: done\ndata: complete\n\n",
        "x\r\revent: done\rdata: forged\r\r",
        "data: nested",
        ":comment",
        " leading space",
        "id: 9.9",
        "\u2028\u2029\x85\x0b\x0c",
        "𝄞é",
    ],
    ids=repr,
)
def test_no_text_can_forge_an_event(data: str) -> None:
    (event,) = received(sse.encode(data, event="text", id="1.2"))
    assert event == ServerEvent("text", re.sub("\r\n|\r", "\n", data), "1.2")


@given(st.text(st.characters(exclude_categories=["Cs"])))
def test_whatever_goes_in_comes_out_as_one_event(data: str) -> None:
    assert received(sse.encode(data)) == [ServerEvent("", re.sub("\r\n|\r", "\n", data), "")]


def test_a_lone_surrogate_does_not_break_the_stream() -> None:
    assert received(sse.encode("a\ud800b")) == [ServerEvent("", "a?b", "")]


def test_a_ping_is_an_event_without_data() -> None:
    assert received(sse.PING) == [ServerEvent("ping", "", "")]


@pytest.mark.parametrize("place", [Place(), Place(0, 7), Place(12, 0), Place(10**9, 10**9)])
def test_a_place_is_read_back_as_it_was_written(place: Place) -> None:
    assert Place.parse(str(place)) == place


@pytest.mark.parametrize(
    "value",
    [
        "",
        ".",
        "1",
        "1.",
        ".1",
        "-1.2",
        "1.-2",
        "1.2.3.4",
        "a.b",
        "1,2",
        "1.2\n",
        " 1.2",
        "٣.٤",
        "²." + "1",
        "1e3.0",
        "0x1.2",
        "9" * 400 + ".0",
    ],
    ids=lambda value: repr(value[:12]),
)
def test_what_is_no_place_is_the_beginning(value: str) -> None:
    assert Place.parse(value) == Place()


@given(st.text())
def test_any_text_is_a_place_or_the_beginning(value: str) -> None:
    assert all(number >= 0 for number in Place.parse(value))
