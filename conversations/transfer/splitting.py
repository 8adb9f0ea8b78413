"""Cuts a JSON file of any size into its conversations without reading it whole: those of an array, or one after the other.

It looks for brackets and strings only, so it finds the next conversation behind one that cannot be read. A piece in memory is never
larger than one conversation may be.
"""

import json
import re
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple, Protocol

from .refusals import FileRefused, Refused

CHUNK = 256 * 1024  # bytes
LARGEST = 16 * 1024 * 1024  # bytes of one conversation
DEEPEST = 100  # levels of brackets: ChatGPT's and Claude's stay below twenty

BOM = b"\xef\xbb\xbf"
_NEXT = re.compile(rb'[^"\[\]{}]*+(["\[\]{}])')
_REST_OF_STRING = re.compile(rb'(?:[^"\\]++|\\.)*+', re.DOTALL)


class Item(NamedTuple):
    """One conversation as it stands in the file."""

    number: int
    line: int
    source: bytes
    fault: str = ""  # why it was not even cut out

    def read(self) -> dict[str, Any]:
        """Raises Refused with a sentence."""
        if self.fault:
            raise Refused(self.fault)
        try:
            found = json.loads(self.source.decode())
        except UnicodeDecodeError:
            raise Refused("It holds bytes that are no UTF-8 text.") from None
        except json.JSONDecodeError as error:
            raise Refused(f"It is no valid JSON: {error.msg} (line {self.line + error.lineno - 1}, column {error.colno}).") from None
        except (ValueError, RecursionError):  # a number of ten thousand digits
            raise Refused("It is no valid JSON.") from None
        if not isinstance(found, dict):
            raise Refused("It is no conversation.")
        return found


class Readable(Protocol):
    def read(self, size: int, /) -> bytes: ...


def items(file: Readable, tell: Callable[[int], None] = lambda size: None) -> Iterator[Item]:
    """Yield the conversations of a file, and `tell` how many bytes were read. Raises FileRefused for what is no JSON of ours."""
    return Splitter(file, tell).items()


class Splitter:
    def __init__(self, file: Readable, tell: Callable[[int], None]) -> None:
        self._file, self._tell = file, tell
        self._buffer = bytearray()
        self._at = 0  # where to look on
        self._line = 1  # of the beginning of the buffer
        self._number, self._begun = 0, 1  # of the conversation that is being cut out, and its line
        self._is_in_string = self._is_cut = False

    def items(self) -> Iterator[Item]:
        outside = depth = deepest = self._open()
        while bracket := self._bracket():
            if bracket in b"[{":
                if depth == outside:
                    self._begin()
                    deepest = depth
                depth += 1
                deepest = max(deepest, depth)
            elif depth == outside:
                return  # the array ends
            else:
                depth -= 1
                if depth == outside:
                    yield self._end(f"It is nested more than {DEEPEST} levels deep." if deepest - outside > DEEPEST else "")
        if depth > outside:
            yield self._end("The file ends in the middle of it.")
        elif outside:
            raise FileRefused("The file ends too early: it seems to be cut off. What stands before is imported.")

    def _open(self) -> int:
        """Look for the first bracket; return at which depth conversations stand: 1 in an array, 0 one after the other."""
        while len(self._buffer) < len(BOM) and self._fill():
            pass
        if self._buffer.startswith(BOM):
            del self._buffer[: len(BOM)]
        while not self._buffer.strip():
            self._forget(len(self._buffer))
            if not self._fill():
                raise FileRefused("This file is empty.")
        beginning = bytes(self._buffer.lstrip()[:1])
        if beginning not in (b"[", b"{"):
            raise FileRefused("This is no JSON file: it begins with neither [ nor {.")
        if beginning == b"{":
            return 0
        self._at = self._buffer.index(b"[") + 1
        return 1

    def _begin(self) -> None:
        self._forget(self._at - 1)
        self._number, self._begun, self._is_cut = self._number + 1, self._line, False

    def _end(self, fault: str) -> Item:
        source = bytes(self._buffer[: self._at])
        self._forget(self._at)
        if self._is_cut or len(source) > LARGEST:
            source, fault = b"", f"It is larger than {LARGEST // 2**20} MB."
        return Item(self._number, self._begun, source, fault)

    def _bracket(self) -> bytes:
        """Return the next bracket outside of strings, and look on behind it; b"" at the end of the file."""
        while True:
            if self._is_in_string:
                if self._pass_string():
                    continue
            elif found := _NEXT.match(self._buffer, self._at):
                self._at = found.end()
                if found[1] != b'"':
                    return bytes(found[1])
                self._is_in_string = True
                continue
            else:
                self._at = len(self._buffer)
            if not self._read_on():
                return b""

    def _pass_string(self) -> bool:
        """Go to the end of a string; False if it is not in the buffer. A backslash at the end of that waits for what it escapes."""
        rest = _REST_OF_STRING.match(self._buffer, self._at)
        assert rest is not None  # it matches nothing, too
        self._at = rest.end()
        self._is_in_string = self._buffer[self._at : self._at + 1] != b'"'
        self._at += not self._is_in_string
        return not self._is_in_string

    def _read_on(self) -> bool:
        """Read the next chunk, and let go of what is too large to be kept; False at the end of the file."""
        if self._at > LARGEST:
            self._forget(self._at)
            self._is_cut = True
        return self._fill()

    def _fill(self) -> bool:
        chunk = self._file.read(CHUNK)
        self._buffer += chunk
        self._tell(len(chunk))
        return bool(chunk)

    def _forget(self, end: int) -> None:
        self._line += self._buffer.count(b"\n", 0, end)
        del self._buffer[:end]
        self._at = max(0, self._at - end)
