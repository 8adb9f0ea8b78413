"""Asks a provider which models it offers and says in a sentence what was found. Never repeats a key, whoever echoes it."""

import asyncio
import re
from collections.abc import Sequence
from dataclasses import dataclass
from time import monotonic

from asgiref.sync import async_to_sync

from conversations.generation.history import endpoint_of
from conversations.models import Provider
from conversations.providers import errors
from conversations.providers.base import Endpoint
from conversations.providers.registry import new_adapter

LIMIT_SECONDS = 15.0
SHOWN_IDS = 5
SHOWN_DETAIL = 500  # characters of what the provider said

EXCEPTION_NAME = re.compile(r"^[A-Z][A-Za-z]+: ")
CHECK_URL = "the base URL may be wrong; most end in /v1"
MEANINGS: dict[type[errors.ProviderError], str] = {
    errors.Unauthorised: "The key is wrong or missing. Give another one and test again.",
    errors.RateLimited: "Reached, but it takes no more requests just now: too many requests. Test again in a minute.",
    errors.NoCredit: "Reached, but the account has no credit left. Top it up at the provider.",
    errors.ModelUnknown: f"Somebody answers there, but has no list of models: {CHECK_URL}.",
    errors.Refused: f"Somebody answers there, but refuses to list the models: {CHECK_URL}.",
    errors.Unavailable: "Not reached. Check the base URL, and that the server is running.",
    errors.Faulty: "Reached, but it failed. What went wrong stands in its own log.",
    errors.FirstTokenTimeout: "Connected, but no reply came. Check that the server is not overloaded.",
    errors.IdleTimeout: "The reply began, but did not end. Check that the server is not overloaded.",
    errors.Malformed: f"Somebody answers there, but not with a list of models: {CHECK_URL}.",
}


@dataclass(frozen=True, slots=True)
class Finding:
    """What a test of one provider found, as plain text: whoever shows it escapes it."""

    provider: str
    is_good: bool
    sentence: str


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked of one provider, read from the database before the first byte goes out."""

    provider: str
    endpoint: Endpoint
    wanted: Sequence[str]


def check_connections(providers: Sequence[Provider]) -> list[Finding]:
    """Ask all of them at once; takes LIMIT_SECONDS at most. Must not be called inside a transaction."""
    questions = [Question(p.name, endpoint_of(p), wanted_of(p)) for p in providers]
    return async_to_sync(_ask_all)(questions)


def wanted_of(provider: Provider) -> list[str]:
    """The ids of the models we have of it; none of a provider that is not saved yet."""
    return list(provider.models.values_list("model_id", flat=True)) if provider.pk else []


def ask_for_models(provider: Provider) -> tuple[list[str], str]:
    """Return the ids of the models it offers, and a sentence if it does not say. Takes LIMIT_SECONDS at most, in no transaction."""
    endpoint = endpoint_of(provider)
    offered, complaint = async_to_sync(_listed)(endpoint)
    return [endpoint.without_key(model_id) for model_id in offered], complaint


async def _ask_all(questions: Sequence[Question]) -> list[Finding]:
    return await asyncio.gather(*(_ask(question) for question in questions))


async def _ask(question: Question) -> Finding:
    started = monotonic()
    offered, complaint = await _listed(question.endpoint)
    if complaint:
        return Finding(question.provider, False, complaint)
    sentence = f"Reached in {monotonic() - started:.2f} s. {_summarise(offered, question.wanted)}"
    return Finding(question.provider, True, question.endpoint.without_key(sentence))


async def _listed(endpoint: Endpoint) -> tuple[list[str], str]:
    try:
        async with asyncio.timeout(LIMIT_SECONDS):
            return await _offered(endpoint), ""
    except TimeoutError:
        return [], f"No answer within {LIMIT_SECONDS:.0f} seconds. Check the base URL, and that the server is running."
    except errors.ProviderError as error:
        return [], _describe(error)


async def _offered(endpoint: Endpoint) -> list[str]:
    adapter = new_adapter(endpoint)
    try:
        return await adapter.list_models()
    finally:
        await adapter.aclose()


def _summarise(offered: Sequence[str], wanted: Sequence[str]) -> str:
    count = "1 model" if len(offered) == 1 else f"{len(offered)} models"
    first = ", ".join(model_id[:100] for model_id in offered[:SHOWN_IDS])
    more = ", …" if len(offered) > SHOWN_IDS else ""
    missing = ", ".join(sorted(set(wanted) - set(offered)))
    found = f"{count} there: {first}{more}." if offered else "It offers no models."
    return f"{found} Ours that are missing there: {missing}." if missing else found


def _describe(error: errors.ProviderError) -> str:
    meaning = MEANINGS.get(type(error), "The provider could not answer. Test again in a moment.")
    detail = error.detail[:SHOWN_DETAIL]
    if isinstance(error, errors.Unavailable):  # mostly nobody there, and the words of a library
        detail = EXCEPTION_NAME.sub("", detail)
    return f"{meaning} What was said: {detail}" if detail else meaning
