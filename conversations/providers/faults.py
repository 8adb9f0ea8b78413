"""From what went wrong with a provider to our errors: by type, status and code; never by the text of a message.

Sources: platform.openai.com "Error codes", openrouter.ai "Errors and debugging", llama.cpp tools/server (format_error_response).
"""

import math
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

import openai

from .chunks import ErrorObject
from .errors import ContextTooLong, ProviderError, RateLimited, Refused, Unauthorised, Unavailable

STATUSES: dict[int, type[ProviderError]] = {
    401: Unauthorised,
    402: RateLimited,  # OpenRouter, DeepSeek: no credit left
    403: Unauthorised,
    408: Unavailable,
    413: ContextTooLong,
    429: RateLimited,
}
CONTEXT_NAMES: dict[str, type[ProviderError]] = {
    "context_length_exceeded": ContextTooLong,
    "exceed_context_size_error": ContextTooLong,  # llama.cpp
    "string_above_max_length": ContextTooLong,
}
NAMES: dict[str, type[ProviderError]] = CONTEXT_NAMES | {
    "invalid_api_key": Unauthorised,
    "authentication_error": Unauthorised,
    "permission_error": Unauthorised,
    "rate_limit_exceeded": RateLimited,
    "rate_limit_error": RateLimited,
    "insufficient_quota": RateLimited,
    "content_filter": Refused,
    "content_policy_violation": Refused,
    "model_not_found": Refused,
    "not_found_error": Refused,
    "invalid_request_error": Refused,
}
LONGEST_WAIT = 86_400.0  # seconds


def fault_of(error: Exception, unexpected: type[ProviderError]) -> ProviderError:
    """Return our error for one of the SDK's, or `unexpected` for one that nobody foresaw."""
    if isinstance(error, ProviderError):
        return error
    if isinstance(error, ErrorObject):
        return fault_of_object(error.error)
    if isinstance(error, openai.APIStatusError):
        return fault_of_status(error.status_code, [error.code, error.type], error.message, error.response.headers)
    if isinstance(error, openai.APIConnectionError):
        return Unavailable(described(error.__cause__ or error))
    return unexpected(described(error))


def described(error: BaseException) -> str:
    return f"{type(error).__name__}: {error}"


def fault_of_status(status: int, names: list[Any], detail: str, headers: Mapping[str, str]) -> ProviderError:
    """Return the error of an HTTP status; `names` are the code and type of its error object, where it has one."""
    kind = named(names, CONTEXT_NAMES) if status < 500 else None
    return (kind or kind_of_status(status))(detail, retry_after=retry_after(headers))


def fault_of_object(error: Any) -> ProviderError:
    """Return the error of an error object that arrived with status 200, in the stream or in place of it."""
    if not isinstance(error, dict):
        return Unavailable(str(error))
    names = [error.get("code"), error.get("type")]
    kind = named(names, NAMES) or kind_of_status(status_in(error))
    return kind(f"{error.get('type') or error.get('code') or 'error'}: {error.get('message', '')}")


def kind_of_status(status: int) -> type[ProviderError]:
    return STATUSES.get(status) or (Refused if 400 <= status < 500 else Unavailable)


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
