"""Server-Sent Events on the wire (html.spec.whatwg.org/multipage/server-sent-events.html)."""

import re

LINE_ENDS = re.compile(r"\r\n|\r|\n")

HEADERS = {
    "Content-Type": "text/event-stream; charset=utf-8",
    "Cache-Control": "no-cache, no-store, no-transform",
    "X-Accel-Buffering": "no",
}
PING_SECONDS = 15
PING = b"event: ping\ndata:\n\n"
GONE = b"event: done\ndata: failed\n\n"  # the end of an answer that was deleted for good while it was read


def encode(data: str, *, event: str = "", id: str = "") -> bytes:
    """Return one event. Each line end of `data`, a bare CR too, begins a new data line, so no text can forge a field."""
    head = (f"id: {id}\n" if id else "") + (f"event: {event}\n" if event else "")
    lines = data.split("\n") if "\r" not in data else LINE_ENDS.split(data)
    return (head + "data: " + "\ndata: ".join(lines) + "\n\n").encode("utf-8", "replace")
