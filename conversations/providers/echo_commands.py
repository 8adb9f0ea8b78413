"""What a prompt tells the built-in demo to do, read out of its words; what is misspelt is not a command."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Self

from . import errors
from .base import ToolCall

LARGEST_NUMBER = 100_000
LONGEST_SECONDS = 3600.0
DEFAULT_RATE = 100.0

FAILURES: dict[str, type[errors.ProviderError]] = {kind.code: kind for kind in errors.ProviderError.__subclasses__()}
FLAGS = {"help": "help", "markdown": "markdown", "think": "think", "silent": "silent", "nousage": "without_usage"}
NUMBERS = {"long": 10, "code": 40, "list": 20, "table": 20}  # what stands where no number follows
SECONDS = {"delay": 2.0, "pause": 2.0}


@dataclass(slots=True)
class Commands:
    """Numbers are 0 where the prompt does not ask for the thing."""

    help: bool = False
    markdown: bool = False
    think: bool = False
    silent: bool = False
    without_usage: bool = False
    long: int = 0
    code: int = 0
    list: int = 0
    table: int = 0
    rate: float = DEFAULT_RATE  # tokens a second
    delay: float = 0
    pause: float = 0
    fail: type[errors.ProviderError] | None = None
    fails_in_middle: bool = False
    tools: tuple[ToolCall, ...] = ()
    rounds: int = 1  # how often the tools are called

    @classmethod
    def found_in(cls, prompt: str) -> Self:
        commands, words = cls(), prompt.split()
        for word, *following in zip(words, [*words[1:], ""], [*words[2:], "", ""], strict=False):
            if word.startswith("/"):
                commands._obey(word[1:], following)
        return commands

    @property
    def names_of_bodies(self) -> tuple[str, ...]:
        """The asked-for parts of the answer, in the order they are told."""
        return tuple(field.name for field in fields(self) if field.name in ("markdown", *NUMBERS) and getattr(self, field.name))

    def _obey(self, name: str, following: Sequence[str]) -> None:
        if name in FLAGS:
            setattr(self, FLAGS[name], True)
        elif name in NUMBERS:
            setattr(self, name, int(number_in(following[0], NUMBERS[name], 1, LARGEST_NUMBER)))
        elif name in SECONDS:
            setattr(self, name, number_in(following[0], SECONDS[name], 0, LONGEST_SECONDS))
        elif name == "tool" and following[0]:
            arguments = following[1] if following[1].startswith("{") else "{}"
            self.tools += (ToolCall("", following[0], arguments),)
        elif name == "rounds":
            self.rounds = int(number_in(following[0], 1, 1, LARGEST_NUMBER))
        elif name == "rate":
            self.rate = number_in(following[0], DEFAULT_RATE, 0.1, LARGEST_NUMBER)
        elif name == "fail" and following[0] in FAILURES:
            self.fail, self.fails_in_middle = FAILURES[following[0]], following[1] == "middle"


def number_in(word: str, default: float, least: float, most: float) -> float:
    try:
        number = float(word)
    except ValueError:
        return default
    return default if math.isnan(number) else min(max(number, least), most)
