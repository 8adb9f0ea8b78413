"""Imports: a file comes in, and its page says how far it is. The work is done elsewhere (transfer/worker.py)."""

import shutil
from functools import partial
from pathlib import Path
from typing import Any

from django.core.files.uploadedfile import TemporaryUploadedFile, UploadedFile
from django.http import HttpResponse, JsonResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.http import require_GET, require_POST

from conversations.forms.transfer import ImportForm
from conversations.generation.changes import tell_of_import
from conversations.models import Import
from conversations.models.imports import COUNTS, FILE_NAME_MAX_CHARACTERS, UNFINISHED
from conversations.transfer.files import COMING, path_of
from conversations.transfer.worker import starter

from .data import data_page
from .pages import page
from .programs import with_token
from .requests import SignedInRequest, is_htmx, is_program, refusal, signed_in

BUSY = "Another file of yours is being imported. Wait for it or stop it, then import this one."
NO_ROOM = "The file could not be kept: there may be no room left on the server. Tell the people who run this site."
GONE = "The uploaded file is not here any more. Import it again: what is here already is not doubled."


def find(request: SignedInRequest, pk: int) -> Import:
    return get_object_or_404(request.user.imports, pk=pk)


@with_token(get=None)
@require_POST
@signed_in
def start(request: SignedInRequest) -> HttpResponseBase:
    form = ImportForm(request.POST, request.FILES)
    if not form.is_valid():
        return refuse(request, form.sentence, 422, "invalid")
    let_go_of_idle(request)
    if request.user.imports.filter(status__in=UNFINISHED).exists():
        return refuse(request, BUSY, 409, "busy")
    file: UploadedFile[Any] = form.cleaned_data["file"]
    row = request.user.imports.create(file_name=(file.name or "")[-FILE_NAME_MAX_CHARACTERS:], size=file.size or 0)
    try:
        put(file, path_of(row.pk))
    except OSError:
        row.delete()
        return refuse(request, NO_ROOM, 507, "no_room")
    work_on(request)
    return JsonResponse(told(row), status=201) if is_program(request) else redirect("import", row.pk)


def put(file: "UploadedFile[Any]", path: Path) -> None:
    """Move an uploaded file to its place: in one step where it lies on the same disk."""
    coming = path.with_suffix(COMING)
    if isinstance(file, TemporaryUploadedFile):
        shutil.move(file.temporary_file_path(), coming)
    else:
        coming.write_bytes(file.read())
    coming.rename(path)


def work_on(request: SignedInRequest) -> None:
    """Have the file taken in; the other pages of the person learn of it when that is done."""
    starter.ask(then=partial(tell_of_import, request.user.pk))


def let_go_of_idle(request: SignedInRequest) -> None:
    """Remove the files of imports that were stopped, have failed or were lost: another one is about to begin."""
    for row in request.user.imports.all()[:20]:
        if row.is_lost:
            row.stop()
        if row.is_lost or not row.is_unfinished:
            path_of(row.pk).unlink(missing_ok=True)


def refuse(request: SignedInRequest, sentence: str, status: int, code: str) -> HttpResponse:
    if is_program(request):
        return refusal(request, sentence, status, code)
    return data_page(request, status, error=sentence)


@with_token()
@require_GET
@signed_in
def show(request: SignedInRequest, pk: int) -> HttpResponseBase:
    """How far an import is: a page, for htmx the part of it that changes."""
    row = find(request, pk)
    if is_program(request):
        return JsonResponse(told(row))
    context: dict[str, Any] = {"row": row, "has_file": path_of(row.pk).exists()}
    if is_htmx(request):
        return render(request, "_import.html", context)
    return page(request, "import.html", **context)


@with_token(get=None)
@require_POST
@signed_in
def stop(request: SignedInRequest, pk: int) -> HttpResponse:
    find(request, pk).stop()
    return redirect("import", pk)


@with_token(get=None)
@require_POST
@signed_in
def go_on(request: SignedInRequest, pk: int) -> HttpResponse:
    row = find(request, pk)
    if path_of(row.pk).exists() and row.wait():
        work_on(request)
    return redirect("import", pk)


def told(row: Import) -> dict[str, object]:
    """What a program is told of an import."""
    numbers = {name: getattr(row, name) for name in ("size", *COUNTS, "problems", "cuts")}
    return {"import": row.pk, "url": reverse("import", args=[row.pk]), "status": row.status, **numbers, "error": row.error}
