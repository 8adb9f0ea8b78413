"""What a request to the fake provider asked for, by its model id."""

from dataclasses import dataclass
from typing import Self


@dataclass(slots=True)
class Plan:
    """One request; the fields are what may be said in a model id (bench/fake_provider.py)."""

    rate: float = 30
    tokens: int = 300
    ttft: float = 0.2
    paragraph: int = 60
    plain: int = 0
    usage: int = 1
    done: int = 1
    silent: int = 0
    stall: int = 0
    cut: int = 0
    error: int = 0
    retry: float = 0
    html: int = 0

    @classmethod
    def of(cls, model: str) -> Self:
        pairs = (pair.partition("=") for pair in model.partition(":")[2].split(",") if "=" in pair)
        plan = cls()
        for name, _, value in pairs:
            if name in cls.__slots__:
                setattr(plan, name, type(getattr(plan, name))(float(value)))
        return plan
