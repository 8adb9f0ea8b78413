"""The worst case of a request: what it reads, what it may write, and what both cost at the prices of now."""

from dataclasses import dataclass
from typing import Any

from django.db.models import Count, Func, IntegerField, Sum, TextField
from django.db.models.functions import Cast

from .budgets import Amount, Budget
from .catalog import LanguageModel
from .conversations import Conversation
from .limits import TOKENS_PER_MESSAGE, estimated_tokens, output_limit, prompt_budget, tokens_in
from .messages import Message
from .usage import cost_now

LEAST_OUTPUT = 100  # tokens: an answer that could not even have so many is not begun
GO_ON_TOKENS = 100  # rather more than the words that ask for the rest of an answer


@dataclass(frozen=True, slots=True)
class Need:
    input: Amount
    output: Amount

    @classmethod
    def of(cls, model: LanguageModel, input_tokens: int, output_tokens: int) -> "Need":
        """The input may be written into the provider's cache, which some charge more for."""
        written = cost_now(model, input_tokens=input_tokens, cache_write_tokens=input_tokens)
        read = max(cost_now(model, input_tokens=input_tokens), written)
        return cls(Amount.of(read, input_tokens), Amount.of(cost_now(model, output_tokens=output_tokens), output_tokens))

    @property
    def least(self) -> int:
        """The tokens of output without which it is not worth beginning."""
        return min(LEAST_OUTPUT, self.output.tokens)

    def tokens_within(self, budget: Budget, taken: Amount) -> int:
        """The tokens of output that a budget still pays of which so much is taken; below zero where it does not even pay the input."""
        tokens = self.output.tokens
        if budget.token_limit is not None:
            tokens = min(tokens, budget.token_limit - taken.tokens - self.input.tokens)
        if budget.limit is not None and self.input.cost + self.output.cost:
            left = budget.limit - taken.cost - self.input.cost
            if left < self.output.cost:
                tokens = min(tokens, -1 if left < 0 else left * self.output.tokens // self.output.cost)
        return tokens

    def worth(self, output_tokens: int) -> Amount:
        """What it takes with so many tokens of output."""
        cost = -(-self.output.cost * output_tokens // self.output.tokens)
        return Amount(self.input.cost + cost, self.input.tokens + output_tokens)


class Octets(Func):
    """The size of a text in bytes."""

    function = "OCTET_LENGTH"
    output_field = IntegerField()

    def as_sqlite(self, compiler: Any, connection: Any, **context: Any) -> Any:
        return self.as_sql(compiler, connection, template="LENGTH(CAST(%(expressions)s AS BLOB))", **context)


def need_of(conversation: Conversation, answer: Message, model: LanguageModel) -> Need:
    """The worst case of an answer: its whole path, as far as the model can read it, and the longest output.

    A model that may call tools is told what they said before, too.
    """
    with_tools = model.supports_tools and bool(model.tools)
    fixed = estimated_tokens(conversation.system_prompt)
    if answer.continues:
        fixed += estimated_tokens(answer.continues.text) + 2 * TOKENS_PER_MESSAGE + GO_ON_TOKENS
        fixed += estimated_tokens(str(answer.continues.tool_events)) if with_tools else 0
    path, prompt = path_tokens(answer.parent_id, with_tools=with_tools), path_tokens(answer.parent_id, limit=1)
    read = fixed + min(path, max(prompt, prompt_budget(model) - fixed))
    return Need.of(model, read, output_limit(model, conversation.parameters))


def path_tokens(head: int | None, *, with_tools: bool = False, **part: int) -> int:
    """About how many tokens the messages of a path are, each rounded up; no text is read for it."""
    path = Message.objects.path_to(head, **part).order_by()
    sums = {"octets": Sum(Octets("text"), default=0), "count": Count("pk")}
    if with_tools:
        sums["told"] = Sum(Octets(Cast("tool_events", TextField())), default=0)
    found = path.aggregate(**sums)
    return tokens_in(found["octets"] + found.get("told", 0)) + int(found["count"]) * (TOKENS_PER_MESSAGE + 1)
