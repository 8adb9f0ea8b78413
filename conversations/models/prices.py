"""What tokens cost: dated prices of each model, and the one function that counts with them.

A price that has begun is never altered: a new one begins beside it, and what was counted before stays as it was.
"""

from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any, ClassVar, NamedTuple, Protocol, cast

from django.core.exceptions import ValidationError
from django.core.validators import MinValueValidator
from django.db import models
from django.db.models import OuterRef
from django.db.models.functions import Now
from django.utils import timezone

from .prepared import Prepared

MILLION = Decimal(1_000_000)
KINDS = ("input_price", "cached_input_price", "cache_write_price", "output_price")
BY_HAND = "by hand"
TIME_TO_FILL_IN = timedelta(minutes=15)  # a form that was opened with "now" is sent a little later
TOO_EARLY = "A price begins now or later: what was answered before has been paid for by the price of that moment. Leave it empty for now."


class Rates(NamedTuple):
    """US dollars per million tokens of each kind. Where nobody has said them they are not known, and count as nothing."""

    input_price: Decimal = Decimal(0)
    cached_input_price: Decimal = Decimal(0)
    cache_write_price: Decimal = Decimal(0)
    output_price: Decimal = Decimal(0)
    is_known: bool = True


FREE = Rates()
UNKNOWN = Rates(is_known=False)


class Counted(Protocol):
    """Tokens by kind: `input_tokens` is all that was read, what came from a cache and what was written into it included."""

    @property
    def input_tokens(self) -> int: ...
    @property
    def cached_tokens(self) -> int: ...
    @property
    def cache_write_tokens(self) -> int: ...
    @property
    def output_tokens(self) -> int: ...


def cost_of(tokens: Counted, rates: Rates) -> Decimal:
    """Return what the tokens cost in US dollars, exact to the last digit."""
    fresh = tokens.input_tokens - tokens.cached_tokens - tokens.cache_write_tokens
    read = fresh * rates.input_price + tokens.cached_tokens * rates.cached_input_price
    written = tokens.cache_write_tokens * rates.cache_write_price + tokens.output_tokens * rates.output_price
    return (read + written) / MILLION


def amount(label: str, **options: Any) -> "models.DecimalField[Any, Any]":
    return models.DecimalField(label, max_digits=12, decimal_places=6, validators=[MinValueValidator(0)], **options)


class PriceQuerySet(models.QuerySet["Price"]):
    def begun(self) -> "PriceQuerySet":
        """Those in effect, or superseded. By the clock of the database: those of the processes may differ."""
        return self.filter(valid_from__lte=Now())

    def to_begin(self) -> "PriceQuerySet":
        return self.filter(valid_from__gt=Now())

    def in_effect(self, model: "int | OuterRef") -> "PriceQuerySet":
        """What a model is charged by now, if anybody has given it a price."""
        return self.begun().filter(model=model).order_by("-valid_from")[:1]


class Price(models.Model):
    """What the tokens of a model cost from a moment on, until its next price begins. US dollars per million."""

    model = models.ForeignKey("LanguageModel", on_delete=models.CASCADE, related_name="prices")
    valid_from = models.DateTimeField("in effect from", blank=True, help_text="Empty: from now on.")
    input_price = amount("input")
    cached_input_price = amount("cached input", null=True, blank=True, help_text="Read from a cache. Empty: as other input.")
    cache_write_price = amount("cache write", null=True, blank=True, help_text="Written into a cache. Empty: as other input.")
    output_price = amount("output")
    source = models.CharField(max_length=100, default=BY_HAND, editable=False)

    objects = PriceQuerySet.as_manager()

    class Meta:
        ordering: ClassVar = ["-valid_from"]
        constraints: ClassVar = [models.UniqueConstraint(fields=["model", "valid_from"], name="one_price_at_a_time")]

    def __str__(self) -> str:
        return f"price from {self.valid_from:%Y-%m-%d %H:%M:%S}"

    def clean(self) -> None:
        """Let an empty moment, and one that went by while the form was filled in, be this one. Raises ValidationError for the past."""
        now, wanted = this_second(), cast("datetime | None", self.valid_from)
        if wanted and wanted < now - TIME_TO_FILL_IN:
            raise ValidationError({"valid_from": TOO_EARLY})
        self.valid_from = max(now, wanted or now)

    @property
    def rates(self) -> Rates:
        return rates_from(self.input_price, self.cached_input_price, self.cache_write_price, self.output_price)


def this_second() -> datetime:
    """Now, or a moment ago: what begins then has begun, also for a clock that counts no microseconds."""
    return timezone.now().replace(microsecond=0)


def rates_from(fresh: Decimal, cached: Decimal | None, cache_write: Decimal | None, output: Decimal) -> Rates:
    return Rates(fresh, fresh if cached is None else cached, fresh if cache_write is None else cache_write, output)


@Prepared
def price_in_effect(model: int) -> "models.QuerySet[Price, tuple[Decimal, Decimal | None, Decimal | None, Decimal]]":
    return Price.objects.in_effect(model).values_list("input_price", "cached_input_price", "cache_write_price", "output_price")


def rates_in_effect(model: int) -> Rates:
    """What the tokens of a model cost now, as far as anybody has said."""
    row = price_in_effect.first(model)
    return rates_from(*row) if row else UNKNOWN
