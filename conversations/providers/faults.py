"""From what went wrong with a provider to our errors: by type, status and code. By the text of a message only in `read_again`.

Sources: platform.openai.com "Error codes", platform.claude.com "Claude API errors", openrouter.ai "Errors and debugging",
llama.cpp tools/server (format_error_response).
"""

import math
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

import openai

from .errors import ContextTooLong, Faulty, ModelUnknown, NoCredit, ProviderError, RateLimited, Refused, Unauthorised, Unavailable
from .fold import ErrorObject

STATUSES: dict[int, type[ProviderError]] = {
    401: Unauthorised,
    402: NoCredit,  # OpenRouter, DeepSeek
    403: Unauthorised,
    404: ModelUnknown,  # vLLM and Ollama, whose names for it differ
    408: Unavailable,
    413: ContextTooLong,
    429: RateLimited,
}
# These say more than the status of 400, 404 or 429 that they come with.
PRECISE_NAMES: dict[str, type[ProviderError]] = {
    "context_length_exceeded": ContextTooLong,
    "exceed_context_size_error": ContextTooLong,  # llama.cpp
    "string_above_max_length": ContextTooLong,
    "insufficient_quota": NoCredit,
    "enforced_spend_limit_reached": NoCredit,  # Anthropic, with 429, and without an end that waiting would bring
    "contract_spend_limit_reached": NoCredit,
    "model_not_found": ModelUnknown,
}
NAMES: dict[str, type[ProviderError]] = PRECISE_NAMES | {
    "invalid_api_key": Unauthorised,
    "authentication_error": Unauthorised,
    "permission_error": Unauthorised,
    "billing_error": NoCredit,  # Anthropic
    "rate_limit_exceeded": RateLimited,
    "rate_limit_error": RateLimited,
    "content_filter": Refused,
    "content_policy_violation": Refused,
    "invalid_prompt": Refused,  # this and the next two: OpenAI Responses
    "bio_policy": Refused,
    "misalignment_policy_violation": Refused,
    "not_found_error": ModelUnknown,
    "invalid_request_error": Refused,
}
TOO_LONG = re.compile(
    r"maximum (context|model|prompt) length"  # vLLM, OpenRouter, DeepSeek, Mistral, xAI
    r"|(greater than|exceeds?) the (available )?context (length|size|window)|context the overflows"  # LM Studio, Ollama, older llama.cpp
    r"|prompt is too long|exceed context limit|input token count .{0,20}exceeds",  # Anthropic twice, Gemini
    re.IGNORECASE,
)
OUT_OF_MONEY = re.compile(r"credit balance is too low|reached your specified \w+ usage limits", re.IGNORECASE)  # Anthropic
LONGEST_WAIT = 86_400.0  # seconds


def fault_of(error: Exception, unexpected: type[ProviderError]) -> ProviderError:
    """Return our error for one of the SDK's, or `unexpected` for one that nobody foresaw."""
    if isinstance(error, ProviderError):
        return error
    if isinstance(error, ErrorObject):
        return fault_of_object(error.error)
    if isinstance(error, openai.APIStatusError):
        return fault_of_status(error.status_code, names_in(error.body), told_by(error), error.response.headers)
    if isinstance(error, openai.APIConnectionError):
        return Unavailable(described(error.__cause__ or error))
    return unexpected(described(error))


def told_by(error: openai.APIStatusError) -> str:
    """Return the message; the SDK leaves out one that is a bare string in place of the error object (LM Studio)."""
    return f"{error.message} - {error.body}" if isinstance(error.body, str) and error.body not in error.message else error.message


def described(error: BaseException) -> str:
    return f"{type(error).__name__}: {error}"


def fault_of_status(status: int, names: list[Any], detail: str, headers: Mapping[str, str]) -> ProviderError:
    """Return the error of an HTTP status; `names` are those of its error object, where it has one."""
    kind = (named(names, PRECISE_NAMES) if status < 500 else None) or kind_of_status(status)
    return read_again(kind, detail)(detail, retry_after=retry_after(headers))


def fault_of_object(error: Any) -> ProviderError:
    """Return the error of an error object that arrived with status 200, in the stream or in place of it."""
    if not isinstance(error, dict):
        return read_again(Faulty, str(error))(str(error))
    detail = f"{error.get('type') or error.get('code') or 'error'}: {error.get('message', '')}"
    kind = named(names_in(error), NAMES) or kind_of_status(status_in(error))
    return read_again(kind, detail)(detail)


def names_in(error: Any) -> list[Any]:
    """Return what an error object is called, the most precise name first (Anthropic has one in `details`)."""
    if not isinstance(error, dict):
        return []
    details = error.get("details")
    return [details.get("error_code") if isinstance(details, dict) else None, error.get("code"), error.get("type")]


def read_again(kind: type[ProviderError], detail: str) -> type[ProviderError]:
    """Return ContextTooLong or NoCredit for a refusal that says so in nothing but its text, else `kind`.

    The one place that reads a message: to "rephrase" a conversation that is too long, or that nobody paid for, helps nobody, and
    these servers send the same status, type and code for every bad request. A wrong guess costs a less fitting sentence, no more.
    """
    if kind in (Refused, Faulty) and TOO_LONG.search(detail):
        return ContextTooLong
    return NoCredit if kind is Refused and OUT_OF_MONEY.search(detail) else kind


def kind_of_status(status: int) -> type[ProviderError]:
    return STATUSES.get(status) or (Refused if 400 <= status < 500 else Faulty)


def named(names: list[Any], kinds: dict[str, type[ProviderError]]) -> type[ProviderError] | None:
    return next((kinds[name] for name in names if isinstance(name, str) and name in kinds), None)


def status_in(error: dict[str, Any]) -> int:
    """Return the HTTP status that OpenRouter, vLLM and llama.cpp give as the error's `code`; 0 where it is none."""
    code = error.get("code")
    if isinstance(code, str) and len(code) == 3 and code.isascii() and code.isdigit():
        return int(code)
    return code if isinstance(code, int) else 0


def retry_after(headers: Mapping[str, str]) -> float | None:
    """Return how many seconds the provider asks us to wait; None where it does not say (RFC 9110, 10.2.3)."""
    milliseconds = seconds_of(headers.get("retry-after-ms", ""))
    if milliseconds is not None:
        return milliseconds / 1000
    value = headers.get("retry-after", "")
    seconds = seconds_of(value)
    return seconds if seconds is not None else seconds_until(value)


def seconds_of(value: str) -> float | None:
    try:
        seconds = float(value)
    except ValueError:
        return None
    return min(max(seconds, 0.0), LONGEST_WAIT) if math.isfinite(seconds) else None


def seconds_until(value: str) -> float | None:
    try:
        moment = parsedate_to_datetime(value)
    except (ValueError, IndexError, TypeError):
        return None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return min(max((moment - datetime.now(UTC)).total_seconds(), 0.0), LONGEST_WAIT)
