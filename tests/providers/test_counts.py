"""Counts of tokens, whatever a provider says they are: the ledger is never told what cannot be."""

import json
from collections.abc import Callable
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from conversations.providers import anthropic_events, chunks, response_events
from conversations.providers.base import UsageReport
from conversations.providers.counts import MAX_COUNT, counts_in

NAMES = ["prompt_tokens", "completion_tokens", "prompt_cache_hit_tokens", "input_tokens", "output_tokens"]
NAMES += ["cache_read_input_tokens", "cache_creation_input_tokens"]
GROUPS = ["prompt_tokens_details", "completion_tokens_details", "input_tokens_details", "output_tokens_details"]
DETAILS = ["cached_tokens", "cache_write_tokens", "reasoning_tokens", "thinking_tokens"]

numbers = st.integers(0, 10**5) | st.integers() | st.floats()
nonsense = st.none() | st.booleans() | st.text(max_size=3) | st.lists(st.integers(), max_size=2)
details = st.dictionaries(st.sampled_from(DETAILS), numbers | nonsense) | nonsense
usages = st.builds(
    lambda counts, groups: counts | groups,
    st.dictionaries(st.sampled_from(NAMES), numbers | nonsense),
    st.dictionaries(st.sampled_from(GROUPS), details),
)
READERS: dict[str, Callable[[msgspec.Raw], UsageReport | None]] = {
    "chat completions": chunks.usage_of,
    "responses": response_events.usage_of,
    "messages": lambda raw: anthropic_events.usage_of(counts_in(raw)),
}


@pytest.mark.parametrize("reader", READERS.values(), ids=READERS)
@given(usage=usages)
def test_no_count_is_negative_and_no_part_larger_than_its_whole(reader: Callable[..., UsageReport | None], usage: dict[str, Any]) -> None:
    found = reader(msgspec.Raw(json.dumps(usage).encode()))
    if found is not None:
        assert 0 <= found.cached_tokens + found.cache_write_tokens <= found.input_tokens <= 3 * MAX_COUNT
        assert 0 <= found.reasoning_tokens <= found.output_tokens <= MAX_COUNT
        assert min(found.cached_tokens, found.cache_write_tokens) >= 0


@pytest.mark.parametrize("reader", READERS.values(), ids=READERS)
@pytest.mark.parametrize("raw", [b"", b"{", b"7", b"[]", b"null", b'"many"', b"[" * 100_000, b'{"input_tokens":' + b"9" * 5000 + b"}"])
def test_what_is_no_count_of_tokens_says_nothing(reader: Callable[..., UsageReport | None], raw: bytes) -> None:
    assert reader(msgspec.Raw(raw)) is None
