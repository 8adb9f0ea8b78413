"""Counts of tokens as providers tell them: read whatever numbers they hold, and believe none that cannot be true."""

import json
from typing import Any

import msgspec

MAX_COUNT = 10**8  # tokens; no answer has so many, and who says so counts wrong

type Counts = dict[str, Any]


def counts_in(raw: msgspec.Raw) -> Counts:
    """Return the usage object of an event, whatever numbers it holds; empty where it is none."""
    try:
        counts = json.loads(bytes(raw))  # not msgspec, which refuses a whole document for one number out of range
    except (ValueError, RecursionError):
        return {}
    return counts if isinstance(counts, dict) else {}


def are_believable(counts: Counts, *names: str) -> bool:
    """Say whether one of these counts is given and none is so large that it is none: else the tokens are estimated."""
    values = [counts.get(name) for name in names]
    return any(value is not None for value in values) and not any(map(is_absurd, values))


def is_absurd(value: Any) -> bool:
    return isinstance(value, int | float) and value > MAX_COUNT


def count(value: Any) -> int:
    """Clamp what should be a number of tokens to 0..MAX_COUNT; anything that is no number is 0."""
    if isinstance(value, bool) or not isinstance(value, int | float) or value != value:
        return 0
    return int(min(max(value, 0), MAX_COUNT))


def detail(counts: Counts, group: str, name: str) -> int:
    """Return a count that stands in an object of its own."""
    details = counts.get(group)
    return count(details.get(name)) if isinstance(details, dict) else 0
