"""Each protocol with a real server and a real model: llama.cpp speaks all three."""

import asyncio
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import aclosing
from time import monotonic, sleep

import pytest

from chatsite import local_model
from chatsite.kept_process import free_port
from conversations.events import EventKind
from conversations.providers import errors
from conversations.providers.base import ChatMessage, ChatRequest, Endpoint
from conversations.providers.registry import new_adapter

from .wire import text_of
from .wires import WIRES

pytestmark = pytest.mark.local_model
PATIENCE = 240.0  # seconds: a model that shares the processors with everything else
KEY = "sk-live-model"


@pytest.fixture(scope="module")
def base_url() -> Iterator[str]:
    """The model that comes with the site, in a process of its own."""
    model, port = local_model.packaged(), free_port()
    command = [sys.executable, "-m", "chatsite.local_model", str(model.path), model.model_id, str(port)]
    environment, deadline = {**os.environ, "LOCAL_MODEL_KEY": KEY}, monotonic() + PATIENCE
    with subprocess.Popen(command, stdin=subprocess.PIPE, env=environment) as process:  # it ends when its standard input does
        while local_model.context_window(port, KEY) is None:
            assert process.poll() is None, "the model's process has ended"
            assert monotonic() < deadline, "the model does not answer"
            sleep(0.1)
        yield f"http://127.0.0.1:{port}/v1"


every_protocol = pytest.mark.parametrize("protocol", WIRES)


def question(prompt: str, **parameters: object) -> ChatRequest:
    model_id = local_model.packaged().model_id
    return ChatRequest(model_id, [ChatMessage("user", prompt)], "Answer in one word.", {"temperature": 0, **parameters})


@every_protocol
async def test_it_answers_counts_and_ends(protocol: str, base_url: str) -> None:
    adapter = new_adapter(Endpoint(protocol, base_url, KEY, first_token_timeout=PATIENCE, idle_timeout=PATIENCE))
    stream = adapter.stream(question("What is the capital of France?", max_tokens=24))
    async with asyncio.timeout(PATIENCE), aclosing(stream), aclosing(adapter):
        events = [event async for batch in stream for event in batch]
    assert text_of(events).strip()
    assert {event.kind for event in events} == {EventKind.TEXT_DELTA}
    assert stream.finish_reason
    assert stream.usage is not None
    assert 10 < stream.usage.input_tokens < 60
    assert 0 < stream.usage.output_tokens <= 24


@every_protocol
async def test_it_can_be_stopped_in_the_middle(protocol: str, base_url: str) -> None:
    adapter = new_adapter(Endpoint(protocol, base_url, KEY, first_token_timeout=PATIENCE, idle_timeout=PATIENCE))
    stream = adapter.stream(question("Write a very long story about a horse.", max_tokens=2000))
    async with asyncio.timeout(PATIENCE), aclosing(adapter):
        batches = aiter(stream)
        assert await anext(batches)
        await stream.aclose()
        with pytest.raises(StopAsyncIteration):
            await anext(batches)
    assert (stream.finish_reason, stream.usage) == ("", None)


@every_protocol
@pytest.mark.parametrize(
    ("key", "prompt", "kind"), [("sk-wrong-key", "Hi", errors.Unauthorised), (KEY, "horse " * 20_000, errors.ContextTooLong)]
)
async def test_it_says_what_is_wrong(protocol: str, base_url: str, key: str, prompt: str, kind: type[errors.ProviderError]) -> None:
    adapter = new_adapter(Endpoint(protocol, base_url, key, first_token_timeout=PATIENCE))
    async with asyncio.timeout(PATIENCE), aclosing(adapter):
        with pytest.raises(kind):
            await anext(aiter(adapter.stream(question(prompt, max_tokens=24))))


@every_protocol
async def test_it_lists_its_model(protocol: str, base_url: str) -> None:
    adapter = new_adapter(Endpoint(protocol, base_url, KEY))
    async with asyncio.timeout(PATIENCE), aclosing(adapter):
        assert await adapter.list_models() == [local_model.packaged().model_id]
