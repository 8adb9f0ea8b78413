"""What the command palette offers, as links and buttons. All of it is reached without script by other ways."""

from collections.abc import Iterator
from dataclasses import dataclass
from urllib.parse import urlencode

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_GET

from conversations.models import Conversation
from conversations.models.search import find_titles
from conversations.models.search_terms import Terms

from .requests import SignedInRequest, number_in, signed_in

MOST_CONVERSATIONS = 8
PLACES = {
    "Saved prompts": "prompts",
    "Folders": "folders",
    "Archive": "archive",
    "Trash": "trash",
    "My usage": "usage",
    "Your data: export, import": "data",
    "Shared links": "shares",
    "API tokens": "tokens",
    "Settings": "settings",
    "Change password": "account_change_password",
}


@dataclass(frozen=True, slots=True)
class Command:
    """A line of the palette: a link or, where it has a field, a button of its form. The form names the conversation that is open."""

    label: str
    url: str
    key: str = ""
    field: tuple[str, str] | None = None
    dialog: str = ""  # the id of one of the page: a button opens it

    def matches(self, words: list[str]) -> bool:
        label = self.label.casefold()
        return all(word in label for word in words)


@require_GET
@signed_in
def options(request: SignedInRequest) -> HttpResponse:
    """What matches `?q=`; all that can be done here without it. `?conversation=` is the one that is open."""
    text = request.GET.get("q", "")[:200].replace("\0", "")
    words = text.casefold().split()
    found = [command for command in commands(request) if command.matches(words)]
    titled = find_titles(request.user.pk, Terms.of(text).as_beginnings(), MOST_CONVERSATIONS)
    return render(request, "_palette_options.html", {"commands": found, "conversations": titled, "text": text})


def commands(request: SignedInRequest) -> Iterator[Command]:
    yield Command("New chat", reverse("home"), "Ctrl Shift O")
    yield Command("Temporary chat", f"{reverse('home')}?temporary=1")
    yield Command("Search messages", f"{reverse('search')}?{urlencode({'q': request.GET.get('q', '')[:200]})}", "Ctrl Shift F")
    if conversation := opened(request):
        yield from commands_on(conversation)
    for label, name in PLACES.items():
        yield Command(label, reverse(name))
    for theme in ("light", "dark", "system"):
        yield Command(f"Theme: {theme}", reverse("theme"), field=("theme", theme))
    yield Command("Keyboard shortcuts", "", "Ctrl /", dialog="shortcuts")
    if request.user.is_staff:
        yield Command("Admin", reverse("admin:index"))
    yield Command("Log out", reverse("account_logout"), field=("do", "log_out"))


def commands_on(conversation: Conversation) -> Iterator[Command]:
    yield Command("Settings of this conversation", reverse("conversation_settings", args=[conversation.pk]))
    if conversation.head_id:
        yield Command("Fork this conversation", reverse("fork_conversation", args=[conversation.head_id]), field=("do", "fork"))
    if not conversation.is_temporary:
        yield Command("Rename this conversation", reverse("conversation_options", args=[conversation.pk]))
        yield Command("Move this conversation to a folder", reverse("select_conversations"), field=("do", "move"))
        yield Command("Share this conversation", reverse("share_conversation", args=[conversation.pk]))
        yield Command("Export this conversation", reverse("export_conversation", args=[conversation.pk]))
        for action in ("unpin" if conversation.pinned_at else "pin", "unarchive" if conversation.archived_at else "archive"):
            yield Command(f"{action.capitalize()} this conversation", reverse("select_conversations"), field=("do", action))
    yield Command("Delete this conversation", reverse("delete_conversation", args=[conversation.pk]), field=("do", "delete"))


def opened(request: HttpRequest) -> Conversation | None:
    """The person's own conversation that the page shows."""
    assert request.user.is_authenticated
    key = number_in(request, "conversation")
    return request.user.conversations.active().filter(pk=key).first() if key else None
