"""Providers that are well known: what the form of a new one is filled with."""

from dataclasses import dataclass
from typing import Any

from .catalog import Protocol, Provider


@dataclass(frozen=True, slots=True)
class Preset:
    name: str
    base_url: str
    api_key_variable: str = ""
    protocol: Protocol = Protocol.OPENAI_CHAT
    note: str = ""


def filled(key: str) -> dict[str, Any]:
    """Return the fields of a new provider, its name and slug with a number where they are taken; none for an unknown preset."""
    if not (preset := PRESETS.get(key)):
        return {}
    names = {"name": _free("name", preset.name, " "), "slug": _free("slug", key, "-")}
    return names | {"base_url": preset.base_url, "api_key_variable": preset.api_key_variable, "protocol": preset.protocol}


def _free(field: str, wanted: str, joint: str) -> str:
    taken = set(Provider.objects.filter(**{f"{field}__startswith": wanted}).values_list(field, flat=True))
    names = [wanted, *(f"{wanted}{joint}{number}" for number in range(2, len(taken) + 2))]
    return next(name for name in names if name not in taken)


AZURE_NOTE = "Put the name of your resource into the base URL. The id of a model is the name of your deployment."
OWN_NOTE = "It needs no key unless it was started with one. On another machine, put that one's address into the base URL."

PRESETS = {  # by slug; "openai" and "local" are those of the providers that a start makes
    "openai-chat": Preset("OpenAI", "https://api.openai.com/v1", "OPENAI_API_KEY"),
    "openai-responses": Preset("OpenAI Responses", "https://api.openai.com/v1", "OPENAI_API_KEY", Protocol.OPENAI_RESPONSES),
    "anthropic": Preset("Anthropic", "https://api.anthropic.com", "ANTHROPIC_API_KEY", Protocol.ANTHROPIC),
    "gemini": Preset("Gemini", "https://generativelanguage.googleapis.com/v1beta/openai", "GEMINI_API_KEY"),
    "mistral": Preset("Mistral", "https://api.mistral.ai/v1", "MISTRAL_API_KEY"),
    "deepseek": Preset("DeepSeek", "https://api.deepseek.com", "DEEPSEEK_API_KEY"),
    "groq": Preset("Groq", "https://api.groq.com/openai/v1", "GROQ_API_KEY"),
    "openrouter": Preset("OpenRouter", "https://openrouter.ai/api/v1", "OPENROUTER_API_KEY"),
    "azure": Preset("Azure OpenAI", "https://RESOURCE.openai.azure.com/openai/v1", "AZURE_OPENAI_API_KEY", note=AZURE_NOTE),
    "ollama": Preset("Ollama", "http://127.0.0.1:11434/v1", note=OWN_NOTE),
    "vllm": Preset("vLLM", "http://127.0.0.1:8000/v1", note=OWN_NOTE),
    "llama-cpp": Preset("llama.cpp", "http://127.0.0.1:8080/v1", note=OWN_NOTE),
}
