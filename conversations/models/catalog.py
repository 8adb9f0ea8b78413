"""What staff offer: providers and their models, for whom and until when. No network here."""

import os
from functools import cached_property
from typing import ClassVar
from urllib.parse import urlsplit

from django.contrib.auth.models import Group
from django.core.exceptions import ValidationError
from django.core.validators import MinValueValidator
from django.db import models
from django.db.models import Exists, OuterRef, Q, Subquery
from django.db.models.functions import Now
from django.utils import timezone

from .prepared import Prepared
from .prices import FREE, Price, Rates, rates_in_effect
from .secrets import EncryptedField


class Protocol(models.TextChoices):
    """The wire protocol a provider speaks; `providers.registry` has one adapter for each."""

    OPENAI_CHAT = "openai_chat", "OpenAI chat completions"
    OPENAI_RESPONSES = "openai_responses", "OpenAI Responses"
    ANTHROPIC = "anthropic", "Anthropic messages"
    ECHO = "echo", "Echo (built-in demo)"


ADDRESSES = {
    Protocol.OPENAI_CHAT: "https://api.openai.com/v1",
    Protocol.OPENAI_RESPONSES: "https://api.openai.com/v1",
    Protocol.ANTHROPIC: "https://api.anthropic.com",
}
HOUSE = {"localhost", "127.0.0.1", "::1", "host.docker.internal"}


class Provider(models.Model):
    """Somebody who runs models: an API in the cloud, a server in the house, or the demo built in."""

    name = models.CharField(max_length=100, unique=True)
    slug = models.SlugField(unique=True, help_text="A stable name for scripts, for example “openai”.")
    protocol = models.CharField(max_length=30, choices=Protocol, default=Protocol.OPENAI_CHAT)
    base_url = models.URLField("base URL", blank=True, max_length=500, help_text="For example http://127.0.0.1:11434/v1 for Ollama.")
    api_key = EncryptedField(blank=True, help_text="Encrypted at rest and never shown again.")
    api_key_variable = models.CharField(
        "environment variable of the API key", max_length=100, blank=True, help_text="Read at each call; wins over the key above."
    )
    connect_timeout = models.FloatField(default=10, validators=[MinValueValidator(0.1)], help_text="Seconds.")
    first_token_timeout = models.FloatField(default=120, validators=[MinValueValidator(0.1)], help_text="Seconds until the first token.")
    idle_timeout = models.FloatField(default=60, validators=[MinValueValidator(0.1)], help_text="Seconds between two tokens.")
    reports_usage = models.BooleanField(
        "asks for usage in the stream", default=True, help_text="Off for the few servers that refuse stream_options."
    )
    is_enabled = models.BooleanField("enabled", default=True)

    class Meta:
        ordering: ClassVar = ["name"]

    def __str__(self) -> str:
        return self.name

    def clean(self) -> None:
        if self.protocol in ADDRESSES and not self.base_url:
            example = ADDRESSES[Protocol(self.protocol)]
            raise ValidationError({"base_url": f"This protocol needs the address of the API, for example {example}."})

    @property
    def is_in_house(self) -> bool:
        """Whether it runs on machines of one's own, where a price of zero is the truth and not a gap."""
        host = urlsplit(self.base_url).hostname or ""
        private = host.startswith(("10.", "192.168.")) or host.endswith((".local", ".lan")) or "." not in host
        return self.protocol == Protocol.ECHO or host in HOUSE or private

    @property
    def secret(self) -> str:
        """The API key in effect: that of the variable, else the stored one; "" where none is set."""
        return os.environ.get(self.api_key_variable, "") or str(self.api_key)


class LanguageModelQuerySet(models.QuerySet["LanguageModel"]):
    def available(self, person: int | None = None) -> "LanguageModelQuerySet":
        """What a person may pick or, without one, everybody may: in the picker's order, each with its provider."""
        groups = LanguageModel.groups.through._default_manager.filter(languagemodel=OuterRef("pk"))
        for_them = Q(~Exists(groups)) if person is None else ~Exists(groups) | Exists(groups.filter(group__user=person))
        is_there = Q(is_enabled=True, provider__is_enabled=True) & (Q(retires_at=None) | Q(retires_at__gt=Now()))
        return self.filter(is_there, for_them).select_related("provider").order_by("position", "provider__name", "name")

    def with_prices(self) -> "LanguageModelQuerySet":
        """Each with `input_price` and `output_price` as they are in effect now; None where nobody has said them."""
        in_effect = Price.objects.in_effect(OuterRef("pk"))
        prices = {kind: Subquery(in_effect.values(kind)) for kind in ("input_price", "output_price")}
        return self.annotate(**prices)

    def default(self, person: int | None = None) -> "LanguageModel | None":
        """The model a new conversation starts with; where they may not pick the marked one, the first one that is no demo."""
        is_demo = models.Case(models.When(provider__protocol=Protocol.ECHO, then=1), default=0)
        return self.available(person).order_by("-is_default", is_demo, "position", "pk").first()


@Prepared
def available_model(pk: int, person: int) -> LanguageModelQuerySet:
    """A model, if a person may pick it."""
    return LanguageModel.objects.available(person).filter(pk=pk).only("name", "provider__protocol")


def itself_or_successor(model: "LanguageModel | None", person: int) -> "LanguageModel | None":
    """Return the model while the person may pick it; once it has retired its successor, or the one after that, if they may pick that."""
    former: set[int] = set()
    while model and model.pk not in former:
        if found := available_model.first(model.pk, person):
            return found
        former.add(model.pk)
        model = model.successor if model.has_retired else None
    return None


def stand_in_for(model: "LanguageModel | None", person: int) -> "LanguageModel | None":
    """The same, and else the default, if they may pick any."""
    return itself_or_successor(model, person) or LanguageModel.objects.default(person)


@Prepared
def model_key(pk: int) -> "models.QuerySet[LanguageModel, int]":
    """The key of a model, if it is still there."""
    return LanguageModel.objects.filter(pk=pk).values_list("pk", flat=True)


class LanguageModel(models.Model):
    """A model as one provider offers it, and what it can do; what it costs from when on is its `prices`."""

    provider = models.ForeignKey(Provider, on_delete=models.PROTECT, related_name="models")
    model_id = models.CharField("model id", max_length=200, help_text="The name the provider knows it by.")
    name = models.CharField("display name", max_length=200)
    context_window = models.PositiveIntegerField(
        default=8192, validators=[MinValueValidator(256)], help_text="Tokens of prompt and answer together."
    )
    max_output_tokens = models.PositiveIntegerField(
        null=True, blank=True, validators=[MinValueValidator(1)], help_text="Empty: the provider's own limit."
    )
    supports_images = models.BooleanField(default=False)
    supports_tools = models.BooleanField(default=False)
    supports_reasoning = models.BooleanField(default=False)
    parameters = models.JSONField(
        "default parameters", default=dict, blank=True, help_text='Sent with each request, for example {"temperature": 0.7}.'
    )
    tools = models.JSONField(
        "tools it may call", default=list, db_default=[], blank=True, help_text="Only those of a model that supports tools."
    )
    is_enabled = models.BooleanField("enabled", default=True)
    description = models.CharField(max_length=80, blank=True, db_default="", help_text="What it is good for: a few words in the picker.")
    position = models.PositiveSmallIntegerField(default=0, db_default=0, help_text="Lower ones come first in the picker.")
    groups = models.ManyToManyField(Group, blank=True, related_name="+", help_text="Who may use it. None: everybody.")
    retires_at = models.DateTimeField(null=True, blank=True, help_text="From then on nobody can pick it.")
    successor = models.ForeignKey(
        "self",
        null=True,
        blank=True,
        on_delete=models.SET_NULL,
        related_name="+",
        help_text="Goes on in its conversations once it has retired.",
    )
    is_default = models.BooleanField("default", default=False, help_text="New conversations start with it.")
    writes_titles = models.BooleanField(default=False, help_text="It names all new conversations; else each is named by its own model.")

    objects = LanguageModelQuerySet.as_manager()

    class Meta:
        ordering: ClassVar = ["provider__name", "name"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["provider", "model_id"], name="one_row_per_model_of_a_provider"),
            models.UniqueConstraint(fields=["is_default"], condition=Q(is_default=True), name="one_default_model"),
            models.UniqueConstraint(fields=["writes_titles"], condition=Q(writes_titles=True), name="one_model_for_titles"),
        ]

    def __str__(self) -> str:
        return self.name

    def clean(self) -> None:
        if not isinstance(self.parameters, dict):
            raise ValidationError({"parameters": 'Give an object, for example {"temperature": 0.7}.'})
        if self.pk and self.successor_id == self.pk:
            raise ValidationError({"successor": "A model cannot go on after itself."})

    @property
    def is_available(self) -> bool:
        """Whether anybody may pick it."""
        return self.is_enabled and self.provider.is_enabled and not self.has_retired

    @property
    def has_retired(self) -> bool:
        return self.retires_at is not None and self.retires_at <= timezone.now()

    @property
    def is_demo(self) -> bool:
        return self.provider.protocol == Protocol.ECHO

    @cached_property
    def rates(self) -> Rates:
        """What its tokens cost when this is first asked of this instance. In one's own house they are free unless staff set a price."""
        self.hold_rates()
        return self.rates

    def hold_rates(self) -> None:
        """Charge all that goes through this instance by the prices of now: they are known, too, if the model is deleted meanwhile."""
        found = rates_in_effect(self.pk)
        self.rates = FREE if not found.is_known and self.provider.is_in_house else found
