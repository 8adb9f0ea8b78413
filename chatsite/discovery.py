"""The provider that OPENAI_API_KEY and OPENAI_BASE_URL name, and the models it offers.

Looked up at each start, briefly: a provider that is down is a line in the greeting and never a failed start.
The key stays in the environment; only the variable's name is kept.
"""

import asyncio
import re
from urllib.parse import urlsplit

from django.db import transaction

from chatsite import environment as env
from conversations.models import LanguageModel, Price, Provider
from conversations.models.prices import this_second
from conversations.providers.base import Endpoint
from conversations.providers.errors import ProviderError
from conversations.providers.known import Known, known_of
from conversations.providers.registry import new_adapter

OPENAI_URL = "https://api.openai.com/v1"
KEY_VARIABLE = "OPENAI_API_KEY"
MODELS_AT_MOST = 200
DISCOVERY_SECONDS = 5.0
CLOUD_CONTEXT, HOUSE_CONTEXT = 128_000, 8192  # tokens; what a list of models does not tell, staff can mend
NO_CHAT = re.compile(r"embed|whisper|tts|dall-e|image|audio|realtime|transcri|moderation|sora|rerank|davinci|babbage", re.IGNORECASE)
KNOWN_HOSTS = {"api.openai.com": "OpenAI", "openrouter.ai": "OpenRouter", "api.groq.com": "Groq", "api.mistral.ai": "Mistral"}
OLLAMA_PORT = 11434


def ensure_openai() -> list[str]:
    """Add the provider that OPENAI_API_KEY and OPENAI_BASE_URL name, and its new models; return lines for the banner."""
    base_url, has_key = env.address("OPENAI_BASE_URL"), bool(env.text(KEY_VARIABLE))
    if not base_url and not has_key:
        return retire_openai()
    provider = openai_provider(base_url)
    try:
        found = asyncio.run(discover(provider))
    except (ProviderError, TimeoutError) as error:
        sentence = error.sentence if isinstance(error, ProviderError) else "It did not answer in time."
        return [f"{provider.name} at {provider.base_url} did not list its models. {sentence}"]
    added = add_models(provider, found)
    unpriced = [model for model in added if not model.rates.is_known]
    if unpriced:
        rest = "Their prices are" if len(unpriced) == len(added) else f"The prices of {len(unpriced)} are"
        return [f"{provider.name}: {len(added)} new models. {rest} unknown: set them in the admin, or answers show no cost."]
    return []


@transaction.atomic
def openai_provider(base_url: str) -> Provider:
    """Return the provider `openai`, at the address that the environment names: a key must not go where an earlier start pointed."""
    provider = Provider.objects.filter(slug="openai").first() or Provider(slug="openai", api_key_variable=KEY_VARIABLE)
    url = base_url or OPENAI_URL
    is_retired = not provider.api_key_variable and not provider.api_key
    if not is_retired and url == provider.base_url:
        return provider
    if is_retired:
        provider.api_key_variable, provider.is_enabled = KEY_VARIABLE, True
    if url != provider.base_url:
        provider.base_url, provider.name = url, free_name(name_of(url), provider.pk)
    provider.save()
    return provider


@transaction.atomic
def retire_openai() -> list[str]:
    """Take the provider of the environment off the picker: nothing names it any more. Its models stay as they are.

    It loses the variable too. That tells it from one that staff switched off, which stays off when the variable is set again.
    """
    provider = Provider.objects.filter(slug="openai", api_key_variable=KEY_VARIABLE, is_enabled=True).first()
    if provider is None:
        return []
    provider.api_key_variable, provider.is_enabled = "", False
    provider.save(update_fields=["api_key_variable", "is_enabled"])
    return [f"{provider.name} is switched off: neither {KEY_VARIABLE} nor OPENAI_BASE_URL is set."]


def name_of(base_url: str) -> str:
    parts = urlsplit(base_url)
    host = parts.hostname or base_url
    if parts.port == OLLAMA_PORT:
        return "Ollama"
    return KNOWN_HOSTS.get(host, parts.netloc.rpartition("@")[2] if parts.port else host)[:80]


def free_name(name: str, pk: int | None) -> str:
    return f"{name} (environment)" if Provider.objects.filter(name=name).exclude(pk=pk or 0).exists() else name


async def discover(provider: Provider) -> list[str]:
    """Return the ids of the models that `provider` offers. Raises ProviderError and TimeoutError."""
    endpoint = Endpoint(provider.protocol, provider.base_url, provider.secret, connect_timeout=DISCOVERY_SECONDS)
    adapter = new_adapter(endpoint)
    try:
        async with asyncio.timeout(DISCOVERY_SECONDS):
            return await adapter.list_models()
    finally:
        await adapter.aclose()


@transaction.atomic
def add_models(provider: Provider, found: list[str]) -> list[LanguageModel]:
    """Add the models that are new, at most MODELS_AT_MOST of them, with what is known of each, and return them.

    Those that cannot chat are added switched off.
    """
    there = set(provider.models.values_list("model_id", flat=True))
    window = HOUSE_CONTEXT if provider.is_in_house else CLOUD_CONTEXT
    new = [model_id for model_id in dict.fromkeys(found) if model_id not in there and 0 < len(model_id) <= 200][:MODELS_AT_MOST]
    known = {model_id: known_of(provider.base_url, model_id) for model_id in new}
    rows = [
        LanguageModel(
            provider=provider,
            model_id=model_id,
            name=model_id,
            context_window=known[model_id].context_window or window,
            is_enabled=not NO_CHAT.search(model_id),
        )
        for model_id in new
    ]
    LanguageModel.objects.bulk_create(rows, ignore_conflicts=True)
    added = list(provider.models.filter(model_id__in=new))
    Price.objects.bulk_create(
        [price_of(model, known[model.model_id]) for model in added if known[model.model_id].prices], ignore_conflicts=True
    )
    return added


def price_of(model: LanguageModel, known: Known) -> Price:
    """Return the price from now on that is publicly known, not saved yet."""
    return Price(model=model, valid_from=this_second(), source=known.source, **known.prices)
