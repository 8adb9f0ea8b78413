"""The ledger: one immutable row for each upstream attempt, whatever became of it."""

from decimal import Decimal
from typing import ClassVar

from django.conf import settings
from django.db import models

from .catalog import LanguageModel
from .conversations import Conversation
from .generations import Generation
from .messages import Message, answer_to_show
from .prepared import Prepared
from .tokens import ApiToken

MILLION = Decimal(1_000_000)


class Usage(models.Model):
    """Tokens of one attempt, the prices of that moment, and what it cost. A later price change alters nothing."""

    class Purpose(models.TextChoices):
        ANSWER = "answer"
        TITLE = "title"
        API = "api", "API"

    purpose = models.CharField(max_length=10, choices=Purpose, default=Purpose.ANSWER)
    conversation = models.ForeignKey(
        Conversation, null=True, on_delete=models.SET_NULL, related_name="+", help_text="Of what belongs to no answer."
    )
    person = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+", help_text="Who asked, where it was a program."
    )
    token = models.ForeignKey(ApiToken, null=True, on_delete=models.SET_NULL, related_name="+", help_text="What the program came with.")
    generation = models.ForeignKey(Generation, null=True, on_delete=models.SET_NULL, related_name="usages")
    attempt = models.PositiveIntegerField(default=1)
    model = models.ForeignKey(LanguageModel, null=True, on_delete=models.SET_NULL, related_name="+")
    model_name = models.CharField(max_length=200)
    input_tokens = models.PositiveIntegerField(default=0, help_text="All of the prompt, cached tokens included.")
    cached_tokens = models.PositiveIntegerField(default=0, help_text="The part of the input that was read from a cache.")
    output_tokens = models.PositiveIntegerField(default=0, help_text="All that was written, reasoning included.")
    reasoning_tokens = models.PositiveIntegerField(default=0)
    is_estimated = models.BooleanField("estimated", default=False, help_text="The provider sent no usage.")
    input_price = models.DecimalField(max_digits=12, decimal_places=6)
    cached_input_price = models.DecimalField(max_digits=12, decimal_places=6)
    output_price = models.DecimalField(max_digits=12, decimal_places=6)
    cost = models.DecimalField(max_digits=18, decimal_places=12, help_text="US dollars.")
    provider_request_id = models.CharField(max_length=200, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering: ClassVar = ["-pk"]
        verbose_name_plural = "usage"
        constraints: ClassVar = [models.UniqueConstraint(fields=["generation", "attempt"], name="one_usage_per_attempt")]

    def __str__(self) -> str:
        return f"{self.model_name}: {self.input_tokens} in, {self.output_tokens} out"

    def take_prices(self, model: LanguageModel) -> None:
        """Copy the prices of `model` and set the cost: tokens times US dollars per million, exact."""
        self.model, self.model_name = model, model.name
        self.input_price, self.cached_input_price, self.output_price = model.input_price, model.cached_input_price, model.output_price
        fresh = self.input_tokens - self.cached_tokens
        total = fresh * self.input_price + self.cached_tokens * self.cached_input_price + self.output_tokens * self.output_price
        self.cost = total / MILLION


@Prepared
def usages_of(generation: int) -> "models.QuerySet[Usage]":
    return Usage.objects.filter(generation=generation)


def ended_answer(pk: int) -> Message | None:
    """An answer with all that its place in a page shows; None if it has been deleted for good."""
    answer = answer_to_show.first(pk)
    if answer:
        answer.generation.attempts = usages_of(answer.generation.pk)
    return answer
