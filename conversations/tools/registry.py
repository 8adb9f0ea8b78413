"""The tools there are, as `settings.TOOLS` names them; each is imported once."""

from collections.abc import Mapping
from functools import cache
from typing import Any

from django.conf import settings
from django.contrib.auth.models import User
from django.core.checks import CheckMessage, Error, register
from django.core.exceptions import ImproperlyConfigured
from django.utils.module_loading import import_string

from conversations.models import LanguageModel

from .base import Tool


@cache
def tools() -> dict[str, Tool]:
    """Return every tool by its name; raises ImproperlyConfigured for one that is none."""
    return {name: tool_of(name, options) for name, options in settings.TOOLS.items()}


def tool_of(name: str, options: Mapping[str, Any]) -> Tool:
    try:
        tool = Tool(
            name,
            import_string(options["TOOL"]),
            timeout=options.get("TIMEOUT", 30),
            permission=options.get("PERMISSION", ""),
            needs_approval=options.get("NEEDS_APPROVAL", False),
        )
        tool.schema  # noqa: B018 - made now, where it can be said what is wrong with it
    except (ImportError, KeyError, TypeError) as error:
        raise ImproperlyConfigured(f"TOOLS: {name} cannot be used: {error!r}") from error
    return tool


@register()
def check_tools(**_: Any) -> list[CheckMessage]:
    """Say at the start what a model would find out later."""
    try:
        tools()
    except ImproperlyConfigured as error:
        return [Error(str(error), hint="Name a function with types: docs/tools.md.", id="conversations.E001")]
    return []


def allowed_to(person: int, model: LanguageModel) -> list[Tool]:
    """Return the tools that `model` may call for a person: those that staff allow it, and that ask for no permission they lack."""
    if not (model.supports_tools and model.tools):
        return []
    found = [tool for name in model.tools if (tool := tools().get(name))]
    if any(tool.permission for tool in found):
        user = User.objects.get(pk=person)
        found = [tool for tool in found if not tool.permission or user.has_perm(tool.permission)]
    return found
