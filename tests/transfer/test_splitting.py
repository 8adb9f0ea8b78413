"""The splitter: it finds the conversations of any file, in any pieces, and never holds more than one of them."""

import io
import json
import random
import tracemalloc
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from conversations.transfer import splitting
from conversations.transfer.refusals import FileRefused, Refused
from conversations.transfer.splitting import Item, items

values = st.recursive(
    st.none() | st.booleans() | st.floats(allow_nan=False, allow_infinity=False) | st.text(alphabet='ab"\\{}[]\n, é漢\U0001f600'),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(alphabet='k"{\\'), inner, max_size=3),
    max_leaves=12,
)
conversations = st.lists(st.dictionaries(st.text(alphabet="ab"), values, max_size=4), max_size=5)


class Pieces:
    """A file that gives a few bytes at a time."""

    def __init__(self, source: bytes, piece: int) -> None:
        self._file, self._piece = io.BytesIO(source), piece

    def read(self, size: int, /) -> bytes:
        return self._file.read(min(size, self._piece))


def found(source: bytes, piece: int = 1_000_000) -> list[Item]:
    return list(items(Pieces(source, piece)))


@given(conversations, st.integers(1, 60), st.booleans(), st.sampled_from([None, 1]))
def test_an_array_is_cut_into_what_is_in_it(told: list[Any], piece: int, is_ascii: bool, indent: int | None) -> None:
    source = json.dumps(told, ensure_ascii=is_ascii, indent=indent).encode()
    assert [item.read() for item in found(source, piece)] == told


@given(conversations.filter(bool), st.integers(1, 60))
def test_conversations_one_after_the_other_are_found_too(told: list[Any], piece: int) -> None:
    source = b"\n".join(json.dumps(one).encode() for one in told)
    assert [item.read() for item in found(source, piece)] == told


@given(st.binary(max_size=300), st.integers(1, 20))
def test_no_bytes_break_it(source: bytes, piece: int) -> None:
    with suppress(FileRefused, Refused):
        for item in found(b"[" + source, piece):
            item.read()


def test_a_byte_order_mark_and_blank_lines_are_passed_over() -> None:
    assert [item.read() for item in found(b"\xef\xbb\xbf \n\n [{}]", 1)] == [{}]


@pytest.mark.parametrize("source", [b"", b"  \n ", b"\xef\xbb\xbf", b"hello", b"<html>", b'"[]"', b"\x00\x00", b"\xff\xfe[\x00]\x00"])
def test_what_is_no_json_is_refused_in_words(source: bytes) -> None:
    with pytest.raises(FileRefused, match=r"\.$"):
        found(source)


def test_each_conversation_knows_its_number_and_line() -> None:
    told = found(b'[\n{"a":\n 1},\n\n{"a": 2}, {"a":\n3}]')
    assert [(item.number, item.line) for item in told] == [(1, 2), (2, 5), (3, 5)]


def test_one_that_cannot_be_read_is_named_by_line_and_costs_none_of_the_others() -> None:
    good, bad, broken, deep = '{"a": 1}', '{"a": 1,\n,}', '{"a": "\udcff"}', "[" * 5000 + "]" * 5000
    source = "[" + ",\n".join([good, bad, broken, deep, good]) + "]"
    told = found(source.encode("utf-8", "surrogateescape"), 7)
    assert [told[0].read(), told[-1].read()] == [{"a": 1}, {"a": 1}]
    for item, words in ((told[1], "line 3"), (told[2], "no UTF-8"), (told[3], "nested")):
        with pytest.raises(Refused, match=words):
            item.read()


def test_a_file_that_is_cut_off_gives_what_is_whole() -> None:
    whole, cut = found(b'[{"a": 1}, {"a": "in the mid')
    assert whole.read() == {"a": 1}
    with pytest.raises(Refused, match="ends in the middle"):
        cut.read()
    with pytest.raises(FileRefused, match="cut off"):
        found(b'[{"a": 1},')


def test_numbers_that_are_none_are_refused() -> None:
    with pytest.raises(Refused):
        found(b'[{"a": ' + b"9" * 10_000 + b"}]")[0].read()


@pytest.mark.parametrize("filling", ['"%s"' % ("x" * 300_000), "[%s]" % ("{}," * 100_000 + "1"), '"%s"' % ('\\"' * 150_000)])
def test_what_is_too_large_is_refused_without_being_held(monkeypatch: pytest.MonkeyPatch, filling: str) -> None:
    monkeypatch.setattr(splitting, "LARGEST", 100_000)
    monkeypatch.setattr(splitting, "CHUNK", 4096)
    source = ('[{"a": 1}, {"a": ' + filling + '}, {"a": 2}]').encode()
    tracemalloc.start()
    try:
        told = found(source)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert [told[0].read(), told[2].read()] == [{"a": 1}, {"a": 2}]
    with pytest.raises(Refused, match="larger than"):
        told[1].read()
    assert peak < 1_000_000 + len(source)  # of which BytesIO holds one copy


def test_large_files_are_cut_in_time_that_grows_with_them_only(monkeypatch: pytest.MonkeyPatch) -> None:
    """A string over many chunks is looked at once, so reading byte by byte looks at no byte twice."""
    looked_at = 0
    pattern = splitting._REST_OF_STRING

    class Counted:
        def match(self, buffer: bytearray, at: int) -> Any:
            nonlocal looked_at
            result = pattern.match(buffer, at)
            looked_at += result.end() - at if result else 0
            return result

    monkeypatch.setattr(splitting, "_REST_OF_STRING", Counted())
    monkeypatch.setattr(splitting, "CHUNK", 64)
    text = "".join(random.Random(1).choices("ab\\n ", k=20_000))
    assert found(json.dumps([{"a": text}]).encode())[0].read() == {"a": text}
    assert looked_at < 2 * len(json.dumps(text))
