"""Exports: one conversation or all of them as files, written while they are sent."""

import asyncio
import time
from collections.abc import AsyncIterator, Iterable, Iterator

from django.http import Http404, StreamingHttpResponse
from django.utils import timezone
from django.utils.http import content_disposition_header
from django.views.decorators.http import require_GET

from chatsite import threads
from conversations.transfer import archive
from conversations.transfer.formats import FORMATS, Format

from .chat import find_kept
from .programs import with_token
from .requests import SignedInRequest, signed_in

STEP_BYTES, STEP_SECONDS = 64 * 1024, 0.05


@with_token()
@require_GET
@signed_in
def of_conversation(request: SignedInRequest, pk: int) -> StreamingHttpResponse:
    """One conversation, `?as=` markdown, html or json."""
    conversation, form = find_kept(request, pk), chosen(request)
    return download((piece.encode() for piece in form.pieces(conversation)), form.file_name(conversation), form.content_type)


@with_token()
@require_GET
@signed_in
def of_everything(request: SignedInRequest) -> StreamingHttpResponse:
    """All conversations, a file for each, in a zip."""
    name = f"conversations {timezone.localdate():%Y-%m-%d}.zip"
    return download(archive.pieces(request.user, chosen(request)), name, "application/zip")


def chosen(request: SignedInRequest) -> Format:
    try:
        return FORMATS[request.GET.get("as", "json")]
    except KeyError:
        raise Http404 from None


def download(pieces: Iterator[bytes], name: str, content_type: str) -> StreamingHttpResponse:
    response = StreamingHttpResponse(in_steps(pieces), content_type=content_type)
    response["Content-Disposition"] = content_disposition_header(True, name) or ""
    response["Cache-Control"] = "private, no-store"
    return response


async def in_steps(pieces: Iterator[bytes]) -> AsyncIterator[bytes]:
    """Write in short steps in the one thread there is for it; between two of them a reader, however slow, holds nothing.

    After each step it rests as long as the step took: an export may take a minute, and the answers of others go on meanwhile.
    """
    while True:
        data, took = await step_in_thread(pieces)
        if not data:
            return
        yield data
        await asyncio.sleep(took)


def step(pieces: Iterable[bytes]) -> tuple[bytes, float]:
    """Return the next bytes, b"" at the end, and the seconds it took to write them."""
    began, written = time.monotonic(), bytearray()
    for piece in pieces:
        written += piece
        is_enough = len(written) >= STEP_BYTES or time.monotonic() - began > STEP_SECONDS
        if is_enough and written:  # b"" is the end
            break
    return bytes(written), time.monotonic() - began


step_in_thread = threads.in_thread(threads.transfer, step)
