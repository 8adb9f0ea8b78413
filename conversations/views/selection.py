"""Do something to the conversations that were chosen, and say so where the person is."""

from collections import defaultdict
from collections.abc import Iterable
from typing import Any
from urllib.parse import urlencode

from django.contrib import messages
from django.db import transaction
from django.http import Http404, HttpResponse, HttpResponseRedirect, QueryDict
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.http import require_POST

from conversations.forms import FolderForm
from conversations.generation.changes import Kind, tell_of
from conversations.models import Conversation, Folder
from conversations.models.conversations import ConversationQuerySet
from conversations.models.keys import key_in
from conversations.models.trash import erasable, erase

from .acts import ACTS, MOST, Act, Choice, notice_about
from .pages import page
from .programs import with_token
from .requests import TEXT_OR_KEY, SignedInRequest, form_data, is_htmx, is_program, refusal, signed_in

NOTHING_CHOSEN = "Choose a conversation first."
NO_PLACE = "Name one of your folders, 0 for none, or a new one."
NOT_SURE = "Nothing can undo this. To delete for good, say that you are sure."
TOO_MANY = f"Choose at most {MOST} conversations at once."


@with_token(get=None)
@require_POST
@signed_in
def act(request: SignedInRequest) -> HttpResponse:
    """Do what the button `do` says to each `conversation`."""
    choices = choices_in(request)
    if not choices or len(choices) > MOST:
        return refuse(request, TOO_MANY if choices else NOTHING_CHOSEN)
    chosen = own(request, choices)
    do = form_data(request).get("do", "")
    if do in ACTS:
        return perform(request, ACTS[do], chosen)
    if do == "move":
        return move(request, chosen)
    if do == "put_back":
        return put_back(request, choices, chosen)
    if do == "erase":
        return erase_for_good(request, chosen)
    return refuse(request, "This cannot be done here. Reload the page and try again.")


def choices_in(request: SignedInRequest) -> list[Choice]:
    """Those that the form or the JSON object names; a program may name one without a list."""
    fields = form_data(request, *TEXT_OR_KEY, list)
    named = fields.getlist("conversation") if isinstance(fields, QueryDict) else fields.get("conversation", [])
    texts = map(str, named if isinstance(named, list) else [named])
    return [choice for text in texts if (choice := Choice.parse(text))]


def own(request: SignedInRequest, choices: list[Choice]) -> ConversationQuerySet:
    """Those of the chosen that are the person's; 404 if none is."""
    rows: ConversationQuerySet = request.user.conversations.filter(pk__in={choice.pk for choice in choices})
    if not rows.exists():
        raise Http404
    return rows


def perform(request: SignedInRequest, act: Act, chosen: ConversationQuerySet) -> HttpResponse:
    rows = list(act.to(chosen))
    act.how(Conversation.objects.filter(pk__in=[row.pk for row in rows]))
    for row in rows:
        tell_of(row, act.kind)
    return reply(request, act.done, [Choice(row.pk) for row in rows])


def move(request: SignedInRequest, chosen: ConversationQuerySet) -> HttpResponse:
    """File them in `folder`, in none where that is 0, in a new one of the name `new`; ask where no place is named."""
    fields = form_data(request)
    form, place = FolderForm({"name": fields.get("new", "")}), str(fields.get("folder", ""))
    if "new" in fields and form.is_valid():
        folder: Folder | None = Folder.objects.named(request.user, form.cleaned_data["name"])
    elif place == "0":
        folder = None
    else:
        folder = request.user.folders.active().filter(pk=key_in(place)).first()
        if folder is None:
            return ask_where(request, chosen, form if "new" in fields else None)
    rows = list(chosen.kept())
    Conversation.objects.filter(pk__in=[row.pk for row in rows]).update(folder=folder)
    for row in rows:
        tell_of(row, Kind.MOVED)
    return reply(request, "moved", [Choice(row.pk, row.folder_id or 0) for row in rows])


def ask_where(request: SignedInRequest, chosen: ConversationQuerySet, form: FolderForm | None) -> HttpResponse:
    error = form.sentence if form else ""
    if is_program(request) or (form and is_htmx(request)):
        return refusal(request, error or NO_PLACE, 422, "invalid", beside="rename-error")
    context: dict[str, Any] = {
        "conversations": chosen.kept().only("title"),
        "folders": request.user.folders.active(),
        "error": error,
        "next": next_page(request),
    }
    if is_htmx(request):
        return render(request, "_where_menu.html", context)
    return page(request, "where.html", 422 if form else 200, **context)


def put_back(request: SignedInRequest, choices: list[Choice], chosen: ConversationQuerySet) -> HttpResponse:
    """File each in the folder it was in. One that is gone meanwhile is none."""
    places = {choice.pk: choice.folder for choice in choices}
    there = set(request.user.folders.filter(pk__in=set(places.values())).values_list("pk", flat=True))
    filed: defaultdict[int | None, list[Conversation]] = defaultdict(list)
    for row in (rows := list(chosen.kept())):
        filed[places[row.pk] if places[row.pk] in there else None].append(row)
    with transaction.atomic():
        for folder, together in filed.items():
            Conversation.objects.filter(pk__in=[row.pk for row in together]).update(folder_id=folder)
    for row in rows:
        tell_of(row, Kind.MOVED)
    return reply(request, "", [])


def erase_for_good(request: SignedInRequest, chosen: ConversationQuerySet) -> HttpResponse:
    rows = chosen.trashed()
    if not is_sure(request):
        return ask_if_sure(request, conversations=list(rows.only("title")))
    erase(erasable(rows))
    return erased(request)


def is_sure(request: SignedInRequest) -> bool:
    return form_data(request, str, int, bool).get("sure") in ("1", 1)


def ask_if_sure(request: SignedInRequest, **context: Any) -> HttpResponse:
    """Nothing can undo it, so it is asked first."""
    return refusal(request, NOT_SURE, 422, "invalid") if is_program(request) else page(request, "erase.html", **context)


def erased(request: SignedInRequest) -> HttpResponse:
    return HttpResponse(status=204) if is_program(request) else redirect("trash")


def reply(request: SignedInRequest, done: str, choices: list[Choice]) -> HttpResponse:
    """Say what was done, and offer to undo it: beside the page for htmx, on the next page without script."""
    if is_program(request):
        return HttpResponse(status=204)
    if "undone" in request.POST:  # it is as it was, and nothing is to be said
        return reply_to_undo(request, done, choices)
    given = {done: ",".join(map(str, choices))} if choices else {}
    if is_htmx(request):
        is_away = done == "deleted" and any(str(choice.pk) == request.POST.get("open") for choice in choices)
        if is_away:
            return HttpResponse(headers={"HX-Redirect": f"{reverse('home')}?{urlencode(given, safe=',')}"})
        return render(request, "_done.html", {"notice": notice_about(request, done, choices) if choices else None})
    return HttpResponseRedirect(next_page(request, done, choices) + (f"?{urlencode(given, safe=',')}" if given else ""))


def reply_to_undo(request: SignedInRequest, done: str, choices: list[Choice]) -> HttpResponse:
    if is_htmx(request):
        return render(request, "_done.html")
    if done == "restored" and len(choices) == 1:
        return redirect("conversation", choices[0].pk)
    return redirect(next_page(request))


def next_page(request: SignedInRequest, done: str = "", choices: Iterable[Choice] = ()) -> str:
    """A page of this site, without what is behind its `?`, or the conversation that is open; not one that was deleted."""
    wanted, opened = request.POST.get("next", "").partition("?")[0], key_in(request.POST.get("open"))
    is_gone = done == "deleted" and wanted.startswith(reverse("start_conversation"))
    if url_has_allowed_host_and_scheme(wanted, allowed_hosts=None) and not is_gone:
        return wanted
    is_open = opened and not (done == "deleted" and opened in {choice.pk for choice in choices})
    return reverse("conversation", args=[opened]) if is_open else reverse("home")


def refuse(request: SignedInRequest, sentence: str) -> HttpResponse:
    if is_htmx(request) or is_program(request):
        return refusal(request, sentence, 422, "invalid", beside="selection-error")
    messages.error(request, sentence)
    return redirect(next_page(request))
