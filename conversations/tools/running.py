"""Run a tool: in its time, and with a result that is text of a bounded size. Whatever a tool does, a result comes out."""

import asyncio
import inspect
import logging
import time
from typing import Any

import msgspec

from chatsite import threads
from conversations.events import clean
from conversations.tool_events import DECLINED, DONE, FAILED, ToolResult

from .base import Caller, Tool, ToolError

log = logging.getLogger(__name__)

MOST_CHARACTERS = 50_000  # of a result: more than a model reads with profit
UNKNOWN = "There is no tool of this name that you may call."
BROKEN = "The tool failed. Try something else, or say that it does not work."
NOT_APPROVED = "The person declined this call. Do not ask for the same again; go on without it, or ask them what they want."


async def result_of(call: int, tool: Tool | None, arguments: str, caller: Caller) -> ToolResult:
    """Return what a call of a tool gives, an error included."""
    began = time.monotonic()
    status, text = await outcome_of(tool, arguments, caller)
    return ToolResult(call, status, clean(bounded(text)), round(time.monotonic() - began, 3))


def declined(call: int) -> ToolResult:
    return ToolResult(call, DECLINED, NOT_APPROVED, 0)


async def outcome_of(tool: Tool | None, arguments: str, caller: Caller) -> tuple[str, str]:
    if tool is None:
        return FAILED, UNKNOWN
    try:
        async with asyncio.timeout(tool.timeout):
            return DONE, as_text(await called(tool, tool.read(arguments), caller))
    except ToolError as error:
        return FAILED, str(error)
    except TimeoutError:
        log.warning("The tool %s gave no result within %s s.", tool.name, tool.timeout)
        return FAILED, f"The tool gave no result within {tool.timeout:g} seconds."
    except Exception:  # whatever a tool does, the answer goes on
        log.exception("The tool %s failed.", tool.name)
        return FAILED, BROKEN


async def called(tool: Tool, arguments: dict[str, Any], caller: Caller) -> Any:
    """Call the function; a sync one in a thread, which goes on where its time is up, and its result is not heard."""
    given = arguments | ({"caller": caller} if tool.takes_caller else {})
    if inspect.iscoroutinefunction(tool.function):
        return await tool.function(**given)
    return await threads.in_thread(threads.tools, tool.function)(**given)


def as_text(value: Any) -> str:
    return value if isinstance(value, str) else msgspec.json.encode(value).decode()


def bounded(text: str) -> str:
    """Return a text cut to what is kept, which says so; "" is said, too, since some providers refuse an empty result."""
    if len(text) > MOST_CHARACTERS:
        return f"{text[:MOST_CHARACTERS]}\n… cut off here: the result has {len(text):,} characters."
    return text or "(nothing)"
