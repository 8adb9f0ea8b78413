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
from .prices import KINDS, cost_of
from .tokens import ApiToken


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
    person = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+", help_text="Who asked.")
    token = models.ForeignKey(ApiToken, null=True, on_delete=models.SET_NULL, related_name="+", help_text="What the program came with.")
    generation = models.ForeignKey(Generation, null=True, on_delete=models.SET_NULL, related_name="usages")
    attempt = models.PositiveIntegerField(default=1)
    model = models.ForeignKey(LanguageModel, null=True, on_delete=models.SET_NULL, related_name="+")
    model_name = models.CharField(max_length=200)
    input_tokens = models.PositiveIntegerField(default=0, help_text="All of the prompt, cached tokens included.")
    cached_tokens = models.PositiveIntegerField(default=0, help_text="The part of the input that was read from a cache.")
    cache_write_tokens = models.PositiveIntegerField(default=0, db_default=0, help_text="The part that was written into a cache.")
    output_tokens = models.PositiveIntegerField(default=0, help_text="All that was written, reasoning included.")
    reasoning_tokens = models.PositiveIntegerField(default=0)
    is_estimated = models.BooleanField("estimated", default=False, help_text="The provider sent no usage.")
    is_priced = models.BooleanField("priced", default=False, db_default=False, help_text="Off: its price was not known; it counts as none.")
    input_price = models.DecimalField(max_digits=12, decimal_places=6)
    cached_input_price = models.DecimalField(max_digits=12, decimal_places=6)
    cache_write_price = models.DecimalField(max_digits=12, decimal_places=6, default=0, db_default=0)
    output_price = models.DecimalField(max_digits=12, decimal_places=6)
    cost = models.DecimalField(max_digits=22, decimal_places=12, help_text="US dollars.")
    provider_request_id = models.CharField(max_length=200, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering: ClassVar = ["-pk"]
        verbose_name_plural = "usage"
        constraints: ClassVar = [models.UniqueConstraint(fields=["generation", "attempt"], name="one_usage_per_attempt")]
        indexes: ClassVar = [
            models.Index(fields=["person", "created_at"], name="usage_of_a_person"),
            models.Index(fields=["created_at"], name="usage_by_day"),
        ]

    def __str__(self) -> str:
        return f"{self.model_name}: {self.input_tokens} in, {self.output_tokens} out"

    def take_prices(self, model: LanguageModel) -> None:
        """Copy the prices of `model` and set the cost."""
        self.model, self.model_name, self.is_priced = model, model.name, model.rates.is_known
        for kind in KINDS:
            setattr(self, kind, getattr(model.rates, kind))
        self.cost = cost_of(self, model.rates)


def cost_now(model: LanguageModel, **tokens: int) -> Decimal:
    """Return what tokens, named as the columns of the ledger, cost at the prices that `model` holds, in US dollars."""
    return cost_of(Usage(**tokens), model.rates)


@Prepared
def usages_of(generation: int) -> "models.QuerySet[Usage]":
    return Usage.objects.filter(generation=generation)


def ended_answer(pk: int) -> Message | None:
    """An answer with all that its place in a page shows; None if it has been deleted for good."""
    answer = answer_to_show.first(pk)
    if answer:
        answer.generation.attempts = usages_of(answer.generation.pk)
    return answer
