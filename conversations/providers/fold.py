"""Folds what a provider's events say into batches of ours; a protocol says in `_take_event` what one of them means.

Knows bytes and events; opens no connection.
"""

import json
from collections.abc import Iterable
from typing import Any

import msgspec

from conversations.events import Event, EventKind

from .base import ToolCall, UsageReport
from .errors import Malformed, Refused

ABSENT = msgspec.Raw()  # of a field that is read late, or never
REFUSALS = {"content_filter", "refusal"}  # finish reasons: OpenAI's, and Anthropic's and ours for a refusal in words


class ErrorObject(Exception):
    """The provider put an error object where an answer belongs."""

    def __init__(self, error: Any) -> None:
        super().__init__("error object")
        self.error = error


class Fold:
    """Folds the events of one attempt and remembers what it is known by."""

    def __init__(self) -> None:
        self.finish_reason = self.refusal = ""  # `refusal`: why, where the provider says so
        self.has_text = self.has_called = self.is_done = self.is_one_document = False
        self._failure: Exception | None = None
        self._batch: list[Event] = []
        self._kind, self._texts = EventKind.TEXT_DELTA, list[str]()

    @property
    def usage(self) -> UsageReport | None:
        """What the provider has counted; None while it has not said all."""
        raise NotImplementedError

    def take(self, events: list[bytes]) -> list[Event]:
        """Return the deltas of one read, adjacent ones merged; raises ErrorObject and whatever decoding raises.

        What stands before a broken event in the same read is returned first: the person keeps all that arrived.
        """
        try:
            self._take_events(events)
        except Exception as error:
            self._failure = error
        self._flush()
        batch, self._batch = self._batch, []
        if not batch and self._failure:
            raise self._failure
        return batch

    def raise_failure(self) -> None:
        """Raise what an earlier read broke on, once what stood before it has been returned."""
        if self._failure:
            raise self._failure

    def check_end(self) -> None:
        """Raise Refused for an answer of which there is nothing but a refusal, Malformed for one that was cut off."""
        if self.finish_reason in REFUSALS and not self.has_text:
            raise Refused(self.refusal or self.finish_reason)
        if not self.finish_reason and not (self.is_done and (self.has_text or self.has_called or not self.is_one_document)):
            raise Malformed("cut off: it ended without a finish reason")

    def _take_events(self, events: list[bytes]) -> None:
        for data in events:
            if self.is_done or self._failure:
                return
            self._take_event(data)
        self.is_done = self.is_done or (self.is_one_document and bool(events))

    def _take_event(self, data: bytes) -> None:
        raise NotImplementedError

    def _add(self, kind: EventKind, text: Any) -> None:
        if not text or not isinstance(text, str):
            return
        if kind is not self._kind:
            self._flush()
            self._kind = kind
        self._texts.append(text)

    def _tell(self, calls: Iterable[ToolCall]) -> None:
        """Tell of calls of tools, behind what was said before them."""
        for call in calls:
            self._flush()
            self._batch.append(call.told())
            self.has_called = True

    def _flush(self) -> None:
        if not self._texts:
            return
        text = "".join(self._texts)
        self._texts.clear()
        if "\0" in text:  # PostgreSQL keeps no NUL in a text
            text = text.replace("\0", "\N{REPLACEMENT CHARACTER}")
        self.has_text = self.has_text or self._kind is EventKind.TEXT_DELTA
        self._batch.append(Event(self._kind, text))


def decoded[T](decoder: msgspec.json.Decoder[T], data: bytes) -> T:
    """Decode one event. Bad UTF-8 and halves of surrogate pairs become replacement characters, not errors."""
    try:
        return decoder.decode(data)
    except msgspec.ValidationError:
        raise
    except (msgspec.DecodeError, UnicodeDecodeError):
        document = json.dumps(json.loads(data.decode("utf-8", "replace")), ensure_ascii=False)
        return decoder.decode(document.encode("utf-16", "surrogatepass").decode("utf-16", "replace"))


def says_something(raw: msgspec.Raw) -> bool:
    return raw is not ABSENT and bytes(raw) not in (b"null", b"{}", b'""', b"false")
