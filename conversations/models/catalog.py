"""What staff offer: providers, their models with prices, and system prompts. No network here."""

import os
from functools import cached_property
from typing import ClassVar
from urllib.parse import urlsplit

from django.core.exceptions import ValidationError
from django.core.validators import MinValueValidator
from django.db import models
from django.db.models import OuterRef, Q, Subquery

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
    def enabled(self) -> "LanguageModelQuerySet":
        """The models people may pick."""
        return self.filter(is_enabled=True, provider__is_enabled=True)

    def available(self) -> "LanguageModelQuerySet":
        """The same in the picker's order, each with its provider."""
        return self.enabled().select_related("provider").order_by("provider__name", "name")

    def with_prices(self) -> "LanguageModelQuerySet":
        """Each with `input_price` and `output_price` as they are in effect now; None where nobody has said them."""
        in_effect = Price.objects.in_effect(OuterRef("pk"))
        prices = {kind: Subquery(in_effect.values(kind)) for kind in ("input_price", "output_price")}
        return self.annotate(**prices)

    def default(self) -> "LanguageModel | None":
        """The model a new conversation starts with; where none is marked, the first one that is no demo."""
        return (
            self.available()
            .order_by("-is_default", models.Case(models.When(provider__protocol=Protocol.ECHO, then=1), default=0), "pk")
            .first()
        )


@Prepared
def enabled_model(pk: int) -> LanguageModelQuerySet:
    """A model that people may pick."""
    models = LanguageModel.objects.enabled().filter(pk=pk).select_related("provider")
    return models.only("name", "is_enabled", "provider__is_enabled", "provider__protocol")


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

    @property
    def is_available(self) -> bool:
        return self.is_enabled and self.provider.is_enabled

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


class SystemPromptQuerySet(models.QuerySet["SystemPrompt"]):
    def default_text(self) -> str:
        """The newest text of the default system prompt; "" where none is marked."""
        return default_texts.first() or ""


class SystemPrompt(models.Model):
    """A system prompt that staff keep. Its texts are versions: a new text never alters an old one."""

    name = models.CharField(max_length=100, unique=True)
    is_default = models.BooleanField("default", default=False, help_text="New conversations get it.")

    objects = SystemPromptQuerySet.as_manager()

    class Meta:
        ordering: ClassVar = ["name"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["is_default"], condition=Q(is_default=True), name="one_default_system_prompt"),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def text(self) -> str:
        newest = self.versions.first()
        return newest.text if newest else ""

    def add_version(self, text: str) -> "SystemPromptVersion":
        """Keep `text` as the newest version; the same text twice in a row is one version."""
        newest = self.versions.first()
        if newest and newest.text == text:
            return newest
        return self.versions.create(number=newest.number + 1 if newest else 1, text=text)


class SystemPromptVersion(models.Model):
    prompt = models.ForeignKey(SystemPrompt, on_delete=models.CASCADE, related_name="versions")
    number = models.PositiveIntegerField()
    text = models.TextField()
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering: ClassVar = ["-number"]
        constraints: ClassVar = [models.UniqueConstraint(fields=["prompt", "number"], name="one_number_per_version")]

    def __str__(self) -> str:
        return f"{self.prompt} v{self.number}"


@Prepared
def default_texts() -> "models.QuerySet[SystemPromptVersion, str]":
    """The newest text of the default system prompt, if there is one."""
    return SystemPromptVersion.objects.filter(prompt__is_default=True).order_by("-number").values_list("text", flat=True)[:1]
