"""The framing of server-sent events, and that no cut of the network changes what is read."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from conversations.providers.sse import MAX_EVENT_BYTES, EventSplitter, EventTooLong, WholeBody

from .wire import STREAMS, recorded

FILES = sorted(path.name for path in STREAMS.glob("*.sse"))


def split(*reads: bytes) -> list[bytes]:
    splitter = EventSplitter()
    return [event for read in reads for event in splitter.feed(read)] + splitter.end()


@pytest.mark.parametrize("name", FILES)
def test_reading_byte_by_byte_gives_the_same_events(name: str) -> None:
    stream = recorded(name)
    assert split(*(stream[index : index + 1] for index in range(len(stream)))) == split(stream)


@given(cuts=st.lists(st.integers(0, 600)), name=st.sampled_from(["emoji.sse", "crlf.sse", "cr.sse", "multi_line_data.sse"]))
def test_no_cut_changes_the_events(cuts: list[int], name: str) -> None:
    stream = recorded(name)
    edges = [0, *sorted(cuts), len(stream)]
    assert split(*(stream[start:end] for start, end in pairwise(edges))) == split(stream)


@pytest.mark.parametrize("end", [b"\n", b"\r\n", b"\r"])
def test_every_line_end_of_the_standard_is_one(end: bytes) -> None:
    assert split(end.join([b"data: a", b"data: b", b"", b": ping", b"", b"data:c", b"", b""])) == [b"a\nb", b"c"]


def test_comments_ids_and_empty_events_are_no_data() -> None:
    assert split(b": ping\n\n\n\nevent: ping\n\nid: 1\nretry: 3\n\ndata: a\n\n") == [b"a"]


def test_a_last_event_needs_no_blank_line() -> None:
    assert split(b"data: a\n\ndata: [DONE]") == [b"a", b"[DONE]"]


def test_an_event_of_a_megabyte_is_read() -> None:
    data = b"x" * 1_000_000
    assert split(b"data: " + data[:500_000], data[500_000:] + b"\n", b"\n") == [data]


def test_an_event_without_end_is_refused_before_it_fills_the_memory() -> None:
    with pytest.raises(EventTooLong):
        split(*[b"x" * 65536] * (MAX_EVENT_BYTES // 65536 + 1))


def test_a_document_is_given_once_and_whole() -> None:
    body = WholeBody()
    assert (body.feed(b'{"a"'), body.feed(b":1}"), body.end(), body.end()) == ([], [], [b'{"a":1}'], [])


def test_a_document_without_end_is_refused() -> None:
    with pytest.raises(EventTooLong):
        WholeBody().feed(b"x" * (MAX_EVENT_BYTES + 1))
