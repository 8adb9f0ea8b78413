"""Anthropic's messages, as api.anthropic.com and the servers that imitate it speak them.

Source: platform.claude.com "Messages", "Migrating to API version 2026-10-21", "Thinking", "Effort", "Prompt caching".
Without the `anthropic` package: decision 22.
"""

import re
from typing import Any, ClassVar

from .anthropic_bodies import messages_on_wire, system_on_wire, tools_on_wire
from .anthropic_events import MessageFold
from .base import ChatRequest
from .connection import ConnectedAdapter

API_VERSION = "2026-10-21"
OURS = frozenset({"model", "messages", "system", "stream", "tools", "tool_choice"})  # never overridden by parameters
SAMPLING = frozenset({"temperature", "top_p", "top_k"})  # refused since API_VERSION, and by newer models under any
LIMITS = ("max_tokens", "max_completion_tokens")  # the second is OpenAI's name
MOST_TOKENS = 32_000  # every model from Claude 4 on writes so many; a request must name a limit

# Older models think when they are given a budget, in tokens of the answer.
BUDGETS = {"minimal": 1024, "low": 4096, "medium": 12_288, "high": 24_576}
LEAST_BUDGET = 1024
EFFORTS = {"minimal": "low"}  # newer ones take an effort; one name differs from ours
FIRST_ADAPTIVE = (4, 6)
VERSION = re.compile(r"claude-(?:[a-z]+-)?(\d{1,2})(?:-(\d{1,2}))?(?!\d)")


class AnthropicAdapter(ConnectedAdapter):
    """One endpoint that speaks Anthropic's messages."""

    path = "/messages"
    models_path = "/models?limit=1000"
    fold = MessageFold
    headers: ClassVar = {**ConnectedAdapter.headers, "anthropic-version": API_VERSION}
    request_id_header = "request-id"

    @property
    def base_url(self) -> str:
        """The address with /v1 at its end, with which other protocols are given and this one mostly is not."""
        return self.endpoint.base_url.rstrip("/").removesuffix("/v1") + "/v1"

    def body_of(self, request: ChatRequest) -> dict[str, Any]:
        parameters = {name: value for name, value in request.parameters.items() if name not in OURS | SAMPLING}
        effort = parameters.pop("reasoning_effort", None)
        limits = [parameters.pop(name, None) for name in LIMITS]
        limit = next((limit for limit in limits if isinstance(limit, int) and limit), MOST_TOKENS)
        if request.reasons:
            parameters = thinking_of(request, effort, limit) | parameters
        body = {"model": request.model_id, "max_tokens": limit, "messages": messages_on_wire(request), "stream": True}
        return parameters | body | system_on_wire(request.system_prompt) | tools_on_wire(request)


def thinking_of(request: ChatRequest, effort: Any, limit: int) -> dict[str, Any]:
    """Return how a model that can think is told to: the newer ones by an effort, the others by a budget where one is wished.

    A title needs no thought, but some models cannot be kept from it. With a budget, what was thought before a call of a tool would have
    to be sent back with its result; without, the model goes on unthinking.
    """
    effort = "minimal" if request.purpose == "title" else effort
    if is_adaptive(request.model_id):
        wished = {"output_config": {"effort": EFFORTS.get(effort, effort)}} if isinstance(effort, str) else {}
        return {"thinking": {"type": "adaptive", "display": "summarized"}} | wished
    thinks = isinstance(effort, str) and request.purpose != "title" and request.messages[-1].role != "tool"
    budget = min(BUDGETS.get(effort, 0), limit // 2) if thinks else 0
    return {"thinking": {"type": "enabled", "budget_tokens": budget}} if budget >= LEAST_BUDGET else {}


def is_adaptive(model_id: str) -> bool:
    """Say whether a model decides itself how much to think, by its name: nothing else of it tells before it is asked.

    The newer ones refuse a budget, the older ones anything else.
    """
    found = VERSION.search(model_id)
    return found is not None and (int(found[1]), int(found[2] or 0)) >= FIRST_ADAPTIVE
