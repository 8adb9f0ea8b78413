"""The OpenAI Responses protocol, which tells a model's reasoning in summaries. Nothing is kept at the provider (`store`)."""

from typing import Any

from .base import ChatRequest
from .connection import ConnectedAdapter
from .response_bodies import items_of, tools_on_wire
from .response_events import ResponseFold

# Never overridden by parameters.
OURS = frozenset({"model", "input", "instructions", "stream", "store", "tools", "tool_choice"})
OURS |= {"background", "previous_response_id", "conversation"}  # by which something would be kept there
SAMPLING = frozenset({"temperature", "top_p"})  # refused by models that reason
LEAST_TOKENS = 16  # a smaller limit is refused
LIMITS = ("max_tokens", "max_completion_tokens", "max_output_tokens")  # the last is this protocol's name


class OpenAIResponsesAdapter(ConnectedAdapter):
    """One endpoint that speaks Responses."""

    path = "/responses"
    fold = ResponseFold

    def body_of(self, request: ChatRequest) -> dict[str, Any]:
        left_out = OURS | SAMPLING if request.reasons else OURS
        parameters = {name: value for name, value in request.parameters.items() if name not in left_out}
        effort = parameters.pop("reasoning_effort", None)
        limits = [parameters.pop(name, None) for name in LIMITS]
        items = [item for message in request.messages for item in items_of(message)]
        body: dict[str, Any] = {"model": request.model_id, "input": items, "stream": True, "store": False}
        if request.system_prompt:
            body["instructions"] = request.system_prompt
        if limit := next((limit for limit in limits if isinstance(limit, int)), None):
            body["max_output_tokens"] = max(limit, LEAST_TOKENS)
        if request.reasons:
            effort = "low" if request.purpose == "title" else effort
            wished = {"effort": effort} if effort else {}
            parameters = {"reasoning": {"summary": "auto"} | wished} | parameters
        return parameters | body | tools_on_wire(request)
