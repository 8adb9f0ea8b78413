"""A page that stands alone: its styles inside, no script, nothing from elsewhere, and a policy that says so."""

import base64
from functools import cache
from hashlib import sha256

from django.conf import settings
from django.template.loader import render_to_string
from django.utils import timezone
from django.utils.safestring import SafeString

from conversations.models import Message, Role

from .answers import Answer
from .cache import kept

PLACE = "<!-- messages -->"  # no title can hold it: titles are escaped


@cache
def styles() -> SafeString:
    """The site's own styles: they name nothing that is not in them."""
    return SafeString((settings.BASE_DIR / "static/css/site.css").read_text())


def policy() -> str:
    digest = base64.b64encode(sha256(styles().encode()).digest()).decode()
    return f"default-src 'none'; style-src 'sha256-{digest}'; img-src data:"


def frame(title: str) -> tuple[str, str]:
    """Return what stands before and what stands behind the messages."""
    context = {"title": title, "styles": styles(), "policy": policy(), "today": timezone.localdate()}
    before, _, behind = render_to_string("export.html", context).partition(PLACE)
    return before, behind


def entry(message: Message) -> str:
    """Return a prompt or a finished answer, with nothing to do to it. Needs the rendering selected."""
    if message.role == Role.USER:
        return render_to_string("_prompt.html", {"prompt": message})
    return render_to_string("_shared_answer.html", {"answer": Answer(message, rendering=kept(message))})
