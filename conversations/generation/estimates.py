"""How many tokens a request or a text is where no provider has counted.

There are two measures: for the ledger what is most likely, `likely_tokens`; for what is trimmed and held rather too many,
`limits.estimated_tokens`, which would bill too much.
"""

from collections.abc import Callable, Iterable

from conversations.models import LanguageModel
from conversations.models.limits import TOKENS_PER_MESSAGE, estimated_tokens
from conversations.models.needs import Need
from conversations.providers.base import ChatMessage, ChatRequest, ToolCall, ToolSpec, UsageReport

type Measure = Callable[[str], int]


def estimate(request: ChatRequest, text: str, reasoning: str) -> UsageReport:
    """Return what an attempt most likely used."""
    read, thought = request_tokens(request, likely_tokens), likely_tokens(reasoning)
    return UsageReport(input_tokens=read, output_tokens=likely_tokens(text) + thought, reasoning_tokens=thought)


def need_of(request: ChatRequest, model: LanguageModel, output_tokens: int) -> Need:
    """Return the worst case of a request that is written out, with so many tokens of output at most."""
    return Need.of(model, request_tokens(request, estimated_tokens), output_tokens)


def request_tokens(request: ChatRequest, measure: Measure) -> int:
    """Return all that a model reads."""
    return measure(request.system_prompt) + tools_tokens(request.tools, measure) + messages_tokens(request.messages, measure)


def messages_tokens(messages: Iterable[ChatMessage], measure: Measure = estimated_tokens) -> int:
    return sum(measure(message.text + said_in(message.calls)) + TOKENS_PER_MESSAGE for message in messages)


def tools_tokens(tools: Iterable[ToolSpec], measure: Measure = estimated_tokens) -> int:
    return sum(measure(tool.name + tool.description + str(tool.parameters)) for tool in tools)


def said_in(calls: Iterable[ToolCall]) -> str:
    """Return all that a model writes in order to call tools."""
    return "".join(call.name + call.arguments for call in calls)


def likely_tokens(text: str) -> int:
    """Return how many tokens `text` most likely is, rounded up."""
    return -(-twelfths_of(text) // 12)


def twelfths_of(text: str) -> int:
    """Return how many twelfths of a token `text` most likely is: four characters of ASCII make one, or one and a half of any other."""
    ascii_characters = len(text.encode("ascii", "ignore"))
    return 3 * ascii_characters + 8 * (len(text) - ascii_characters)
