"""What a person said of a tool call that waits for them: once, and the first word counts."""

from typing import ClassVar

from django.db import models
from django.utils import timezone

from .generations import Generation


class ToolDecision(models.Model):
    generation = models.ForeignKey(Generation, on_delete=models.CASCADE, related_name="tool_decisions")
    call = models.PositiveIntegerField(help_text="1, 2, 3 … in the answer.")
    is_approved = models.BooleanField()
    decided_at = models.DateTimeField(default=timezone.now)

    class Meta:
        constraints: ClassVar = [models.UniqueConstraint(fields=["generation", "call"], name="one_decision_per_tool_call")]

    def __str__(self) -> str:
        return f"call {self.call} of generation {self.generation_id}: {'approved' if self.is_approved else 'declined'}"


def decide(generation: Generation, call: int, *, is_approved: bool) -> bool:
    """Keep what a person says of a call; False where they, in another tab perhaps, have said it already."""
    _, is_new = ToolDecision.objects.get_or_create(generation=generation, call=call, defaults={"is_approved": is_approved})
    return is_new


def decisions_of(generation_id: int) -> dict[int, bool]:
    """Whether each call of which a person has said it was approved."""
    return dict(ToolDecision.objects.filter(generation=generation_id).values_list("call", "is_approved"))
