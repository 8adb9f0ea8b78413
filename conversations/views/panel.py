"""The side panel: the system prompt and the parameters of a conversation, or of the one that the new chat will begin."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from conversations.forms.wishes import OWN, SettingsForm
from conversations.models import Conversation, FormerSettings, LanguageModel, SystemPrompt

FORMER_SHOWN = 20


@dataclass(slots=True)
class Panel:
    """What `_panel.html` expects."""

    form: SettingsForm
    library: list[SystemPrompt]
    has_reasoning: bool
    conversation: Conversation | None = None
    former: list[FormerSettings] | None = None
    is_saved: bool = False

    @property
    def focus(self) -> str:
        """The name of the field to begin at: the first one that has errors."""
        return next((name for name in self.form.errors if name in self.form.fields), "library")

    @property
    def default(self) -> str:
        """The name of the system prompt that new conversations get; "" where there is none."""
        return next((prompt.name for prompt in self.library if prompt.is_default), "")


def panel_for(form: SettingsForm | None, models: Iterable[LanguageModel]) -> Panel:
    """The panel of the new chat, where one may pick from `models`; its fields are sent with the first prompt."""
    return Panel(form or SettingsForm(), list(SystemPrompt.objects.all()), any(model.supports_reasoning for model in models))


def panel_of(conversation: Conversation, form: SettingsForm | None = None, *, is_saved: bool = False) -> Panel:
    """The panel of a conversation, with what was in effect in it before."""
    panel = panel_for(form or SettingsForm(initial=in_effect(conversation)), LanguageModel.objects.available(conversation.owner_id))
    panel.conversation, panel.is_saved = conversation, is_saved
    panel.former = list(conversation.former_settings.all()[:FORMER_SHOWN])
    return panel


def in_effect(conversation: Conversation) -> dict[str, Any]:
    return {"library": OWN, "system_prompt": conversation.system_prompt, **conversation.parameters}
