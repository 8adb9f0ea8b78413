"""What goes over the wire to a provider: what a person and staff may set in each protocol's words, and no secret of another."""

import json
from typing import Any

import pytest

from conversations.providers import errors

from .wire import ask, read, serve, whole
from .wires import WIRES, Wired

every_wire = pytest.mark.parametrize("wired", WIRES.values(), ids=WIRES)


@every_wire
async def test_the_key_goes_out_alone_and_comes_back_in_no_detail(wired: Wired, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("OPENAI_ORG_ID", "OPENAI_PROJECT_ID", "OPENAI_CUSTOM_HEADERS", "ANTHROPIC_CUSTOM_HEADERS", "ANTHROPIC_AUTH_TOKEN"):
        monkeypatch.setenv(name, "X-Secret: of-another")
    body = b'{"error":{"message":"not a key: sk-secret-1"}}'
    async with serve(whole(body, "application/json", 401), wired.protocol, api_key="sk-secret-1 ") as (wire, adapter):
        with pytest.raises(errors.Unauthorised) as raised:
            await read(adapter.stream(ask()))
    assert "authorization: bearer sk-secret-1\r\n" in wire.head
    assert "accept-encoding: identity" in wire.head
    assert "of-another" not in wire.head
    assert "sk-secret-1" not in raised.value.detail


# What a person or staff may set, in the names of chat completions, and nonsense in each of them.
HOSTILE: list[dict[str, Any]] = [
    {"model": "other", "stream": False, "messages": [], "input": [], "system": "x", "instructions": "x", "store": True, "background": True},
    {"max_tokens": "many", "reasoning_effort": ["high"], "temperature": None},
    {"max_tokens": -1, "reasoning_effort": "", "top_p": "x"},
    {"max_tokens": 10**30, "reasoning_effort": "none"},
]


@every_wire
@pytest.mark.parametrize("reasons", [True, False])
@pytest.mark.parametrize("parameters", HOSTILE)
async def test_no_parameter_takes_the_place_of_what_is_asked(wired: Wired, parameters: dict[str, Any], reasons: bool) -> None:
    async with serve(whole(wired.recorded("text.sse")), wired.protocol) as (wire, adapter):
        await read(adapter.stream(ask("What is asked", system_prompt="Be kind.", parameters=parameters, reasons=reasons)))
    assert (wire.body["model"], wire.body["stream"]) == ("model", True)
    said = json.dumps(wire.body)
    assert said.count("What is asked") == said.count("Be kind.") == 1
    assert "other" not in said
