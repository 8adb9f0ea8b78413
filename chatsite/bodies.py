"""The body of a form is read once, by Django, which refuses in words what it cannot read.

Twisted would read each form first, for a dictionary that nobody here asks, and answer a bad one with 400 and an empty body.
"""

from typing import Any

from daphne import http_protocol


class UnreadRequest(http_protocol.WebRequest):  # type: ignore[misc]
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, parsePOSTFormSubmission=False, **kwargs)


def leave_to_django() -> None:
    """Let Daphne make its requests so; it looks the class up for each connection."""
    http_protocol.WebRequest = UnreadRequest
