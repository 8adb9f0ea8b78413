"""What a site needs before its first visitor: an administrator, the demo provider, and the model of this machine.

Every step may be run again at any time: it adds what is missing and keeps what staff changed.
"""

import secrets
from typing import NamedTuple

from django.contrib.admin.models import DELETION, LogEntry
from django.contrib.auth import get_user_model
from django.db import transaction

from chatsite import environment as env
from chatsite.local_model import LocalModel
from conversations.models import LanguageModel, Protocol, Provider
from conversations.tools.registry import tools

# Measured (docs/configuration.md): without DRY so small a model repeats itself in most long answers.
LOCAL_PARAMETERS = {"temperature": 0.5, "top_p": 0.9, "dry_multiplier": 1.5, "dry_allowed_length": 2, "dry_penalty_last_n": 512}
LOCAL_OUTPUT_TOKENS = 1024


class Account(NamedTuple):
    name: str
    password: str  # "" where it is not to be shown


@transaction.atomic
def ensure_admin() -> Account | None:
    """Create the account `admin` where no administrator exists; return it, with its password if that was made up here."""
    people = get_user_model()._default_manager
    if people.filter(is_superuser=True).exists() or people.filter(username="admin").exists():
        return None
    given = env.raw("ADMIN_PASSWORD")
    password = given or secrets.token_urlsafe(12)
    people.create_superuser(username="admin", email="", password=password)
    return Account("admin", "" if given else password)


@transaction.atomic
def ensure_echo() -> None:
    """Add the demo provider to a new site. Where staff deleted a provider, the admin's log tells, and it stays away."""
    deletions = LogEntry.objects.filter(action_flag=DELETION, content_type__app_label="conversations", content_type__model="provider")
    if Provider.objects.exists() or deletions.exists():
        return
    echo = Provider.objects.create(slug="echo", name="Demo (echo)", protocol=Protocol.ECHO)
    LanguageModel.objects.create(provider=echo, model_id="echo", name="Echo", supports_tools=True, tools=list(tools()))


@transaction.atomic
def ensure_local(model: LocalModel, base_url: str, key: str, context_window: int | None) -> None:
    """Point the provider `local` at the process that serves `model`; its other models are not served and go off."""
    provider, _ = Provider.objects.get_or_create(slug="local", defaults={"name": "This machine", "base_url": base_url})
    provider.base_url, provider.api_key, provider.is_enabled = base_url, key, True
    provider.save(update_fields=["base_url", "api_key", "is_enabled"])
    defaults = {
        "name": model.name,
        "parameters": LOCAL_PARAMETERS if model.is_packaged else {},
        "max_output_tokens": LOCAL_OUTPUT_TOKENS if model.is_packaged else None,
        "is_default": not LanguageModel.objects.filter(is_default=True).exists(),
    }
    row, _ = LanguageModel.objects.get_or_create(provider=provider, model_id=model.model_id, defaults=defaults)
    took_over = provider.models.exclude(pk=row.pk).filter(is_enabled=True).update(is_enabled=False)
    row.is_enabled, row.context_window = bool(row.is_enabled or took_over), context_window or row.context_window
    row.save(update_fields=["is_enabled", "context_window"])


def retire_local() -> None:
    """Take the local provider off the picker: nothing serves it."""
    Provider.objects.filter(slug="local").update(is_enabled=False)
