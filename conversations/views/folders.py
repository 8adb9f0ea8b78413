"""Folders: made, renamed, deleted, had back. What is filed in one is `selection`'s."""

from typing import Any

from django.db.models import Count
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_POST

from conversations.forms import FolderForm
from conversations.models import Folder
from conversations.models.conversations import FILED
from conversations.models.folders import NameTaken

from .notices import Notice
from .pages import page
from .requests import SignedInRequest, number_in, signed_in

TAKEN = "You have another folder of that name. Give this one another."
NAMESAKE = "is the name of another of your folders now. Rename that one, then undo."


@require_http_methods(["GET", "POST"])
@signed_in
def index(request: SignedInRequest) -> HttpResponse:
    """The person's folders, and the form for another one."""
    if request.method != "POST":
        return folders_page(request, notice=deletion_notice(request))
    form = FolderForm(request.POST)
    if not form.is_valid():
        return folders_page(request, 422, name=request.POST.get("name", ""), error=form.sentence)
    folder = Folder.objects.named(request.user, form.cleaned_data["name"])
    return redirect(f"{reverse('home')}?folder={folder.pk}")


@require_POST
@signed_in
def rename(request: SignedInRequest, pk: int) -> HttpResponse:
    folder = find_own(request, pk)
    form = FolderForm(request.POST)
    try:
        if form.is_valid():
            folder.rename(form.cleaned_data["name"])
            return redirect("folders")
    except NameTaken:
        form.add_error("name", TAKEN)
    refused = {"pk": pk, "name": request.POST.get("name", ""), "error": form.sentence}
    return folders_page(request, 422, refused=refused)


@require_POST
@signed_in
def delete(request: SignedInRequest, pk: int) -> HttpResponse:
    find_own(request, pk).soft_delete()
    return redirect(f"{reverse('folders')}?deleted={pk}")


@require_POST
@signed_in
def restore(request: SignedInRequest, pk: int) -> HttpResponse:
    folder = get_object_or_404(request.user.folders.trashed(), pk=pk)
    try:
        folder.restore()
    except NameTaken:
        return folders_page(request, 422, notice=Notice.of_folder(folder, NAMESAKE))
    return redirect("folders")


def find_own(request: SignedInRequest, pk: int) -> Folder:
    """The person's own folder, not deleted; else 404."""
    found: Folder = get_object_or_404(request.user.folders.active(), pk=pk)
    return found


def folders_page(request: SignedInRequest, status: int = 200, **more: Any) -> HttpResponse:
    folders = request.user.folders.active().annotate(count=Count("conversations", filter=FILED))
    return page(request, "folders.html", status, folders=folders, **more)


def deletion_notice(request: SignedInRequest) -> Notice | None:
    pk = number_in(request, "deleted")
    deleted = request.user.folders.trashed().filter(pk=pk).first() if pk else None
    return Notice.of_folder(deleted) if deleted else None
