"""What is in effect in a conversation, what was, and what a person wants in each."""

from typing import Any, ClassVar

from django.db import models, transaction

from .conversations import Conversation, locked_conversation
from .messages import Role
from .prepared import Prepared
from .prompts import Preferences


class FormerSettings(models.Model):
    """What was in effect in a conversation until a person changed it. Kept where answers were written under it."""

    conversation = models.ForeignKey(Conversation, on_delete=models.CASCADE, related_name="former_settings")
    system_prompt = models.TextField(blank=True)
    parameters = models.JSONField(default=dict, blank=True)
    until = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering: ClassVar = ["-pk"]

    def __str__(self) -> str:
        return f"settings of {self.conversation_id} until {self.until}"


@Prepared
def instructions_of(person: int) -> "models.QuerySet[Preferences, str]":
    return Preferences.objects.filter(person=person).values_list("instructions", flat=True)


def with_instructions(system_prompt: str, person: int) -> str:
    """Return a system prompt with what the person wants in every conversation behind it."""
    return "\n\n".join(filter(None, [system_prompt, instructions_of.first(person)]))


@transaction.atomic
def set_up(conversation: Conversation, system_prompt: str, parameters: dict[str, Any]) -> bool:
    """Put a system prompt and parameters into effect, from the next turn on; False if the conversation has been deleted."""
    locked = locked_conversation.first(conversation.pk)
    if locked is None:
        return False
    if (locked.system_prompt, locked.parameters) != (system_prompt, parameters):
        keep_former(locked)
        Conversation.objects.filter(pk=locked.pk).update(system_prompt=system_prompt, parameters=parameters)
    conversation.system_prompt, conversation.parameters = system_prompt, parameters
    return True


def keep_former(conversation: Conversation) -> None:
    last = conversation.former_settings.first()
    answers = conversation.messages.filter(role=Role.ASSISTANT)
    if (answers.filter(created_at__gt=last.until) if last else answers).exists():
        conversation.former_settings.create(system_prompt=conversation.system_prompt, parameters=conversation.parameters)
