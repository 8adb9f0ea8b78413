"""What is publicly known of models: context windows and prices, out of the data that the package genai-prices carries.

It asks nobody: newer data comes with a newer package. What the data does not say, or a price of ours cannot say, stays unknown.
"""

from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from importlib.metadata import version
from typing import Any

UNITS = {
    "input_price": "input_mtok",
    "cached_input_price": "cache_read_mtok",
    "cache_write_price": "cache_write_mtok",
    "output_price": "output_mtok",
}
NEEDED = {"input_price", "output_price"}
PLACES = 6  # of a price


@dataclass(frozen=True, slots=True)
class Known:
    """`prices` are US dollars per million tokens by their kind, or nothing; `source` says whose they are and how far they reach."""

    context_window: int | None = None
    prices: dict[str, Decimal] = field(default_factory=dict)
    source: str = ""


def known_of(base_url: str, model_id: str) -> Known:
    """Return what is known of a model at the provider with that address."""
    try:
        _, model = _snapshot().find_provider_model(model_id, None, None, base_url)
    except LookupError:
        return Known()
    found = _standing(model)
    prices = {kind: _amount(getattr(found, unit, None)) for kind, unit in UNITS.items()}
    told = {kind: amount for kind, amount in prices.items() if amount is not None}
    return Known(model.context_window, told, _source(found)) if told.keys() >= NEEDED else Known(model.context_window)


def _snapshot() -> Any:
    """Imported when first used: it takes a quarter of a second and 12 MB."""
    from genai_prices.data_snapshot import get_snapshot

    return get_snapshot()


def _standing(model: Any) -> Any:
    """Return the prices of today; None where they change with the time of day, which a price of ours does not."""
    from genai_prices.types import TimeOfDateConstraint

    conditional = model.prices if isinstance(model.prices, list) else []
    if any(isinstance(price.constraint, TimeOfDateConstraint) for price in conditional):
        return None
    return model.get_prices(datetime.now(UTC))


def _amount(price: Any) -> Decimal | None:
    """Return a price up to its first tier, if our columns hold it to the last digit."""
    amount = getattr(price, "base", price)
    if not isinstance(amount, Decimal) or not amount.is_finite() or not 0 <= amount < 10**PLACES:
        return None
    return amount if amount == round(amount, PLACES) else None


def _source(found: Any) -> str:
    tiers = [tier.start for unit in UNITS.values() for tier in getattr(getattr(found, unit, None), "tiers", ())]
    limit = f", up to {min(tiers):,} tokens of input" if tiers else ""
    return f"genai-prices {version('genai-prices')}{limit}"
