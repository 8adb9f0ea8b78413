"""Split the bytes of a server-sent event stream into events, however the network cut them.

Works on bytes and looks for whole events only: a character cut in two between reads meets its other half before anyone
decodes it. Knows the framing (WHATWG HTML, "Server-sent events", 9.2.6) and nothing of what the events mean.
"""

MAX_EVENT_BYTES = 8 * 1024 * 1024
BOM = b"\xef\xbb\xbf"


class EventTooLong(ValueError):
    """An event longer than MAX_EVENT_BYTES, or that much without a blank line."""


class EventSplitter:
    """Feed it reads; it gives back the data of the events they complete. One splitter for each response."""

    def __init__(self) -> None:
        self._pieces: list[bytes] = []
        self._size = 0
        self._ends_in_cr = False
        self._is_first = True

    def feed(self, read: bytes) -> list[bytes]:
        """Return the data of each event that `read` completes; raises EventTooLong."""
        if self._ends_in_cr or b"\r" in read:
            read = self._with_line_feeds(read)
        if not self._completes(read):
            self._keep(read)
            return []
        whole, _, rest = b"".join([*self._pieces, read]).rpartition(b"\n\n")
        self._pieces, self._size = [], 0
        self._keep(rest)
        if self._is_first:
            whole, self._is_first = whole.removeprefix(BOM), False
        return [data for event in whole.split(b"\n\n") if (data := data_of(event))]

    def end(self) -> list[bytes]:
        """Return the data of a last event that no blank line followed; many servers leave it out."""
        rest = b"".join(self._pieces)
        self._pieces, self._size = [], 0
        data = data_of(rest)
        return [data] if data else []

    def _with_line_feeds(self, read: bytes) -> bytes:
        """Make CRLF and CR the LF they stand for, also where the pair is cut between two reads."""
        if self._ends_in_cr:
            read = read.removeprefix(b"\n")
            self._ends_in_cr = not read
        if read:
            self._ends_in_cr = read.endswith(b"\r")
        return read.replace(b"\r\n", b"\n").replace(b"\r", b"\n")

    def _completes(self, read: bytes) -> bool:
        return b"\n\n" in read or (read[:1] == b"\n" and bool(self._pieces) and self._pieces[-1].endswith(b"\n"))

    def _keep(self, piece: bytes) -> None:
        if piece:
            self._pieces.append(piece)
            self._size += len(piece)
        if self._size > MAX_EVENT_BYTES:
            raise EventTooLong(f"more than {MAX_EVENT_BYTES} bytes in one event")


class WholeBody:
    """Stands in for the splitter where a server ignored `stream` and answers with one JSON document."""

    def __init__(self) -> None:
        self._pieces: list[bytes] = []
        self._size = 0

    def feed(self, read: bytes) -> list[bytes]:
        self._pieces.append(read)
        self._size += len(read)
        if self._size > MAX_EVENT_BYTES:
            raise EventTooLong(f"a document of more than {MAX_EVENT_BYTES} bytes")
        return []

    def end(self) -> list[bytes]:
        document = b"".join(self._pieces)
        self._pieces.clear()
        return [document] if document else []


def data_of(event: bytes) -> bytes:
    """Return the data of one event with LF line ends; empty for comments and events without data."""
    if event.startswith(b"data: ") and b"\n" not in event:
        return event[6:]
    fields = (line.partition(b":") for line in event.split(b"\n"))
    # llama.cpp of 2024 and before names the field of an error object "error" instead of "data".
    return b"\n".join(value.removeprefix(b" ") for name, _, value in fields if name in (b"data", b"error"))
