"""The provider of the environment: found, named, asked for its models, and no reason not to start."""

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from chatsite import discovery
from chatsite.kept_process import free_port
from conversations.models import LanguageModel, Provider

pytestmark = pytest.mark.django_db


class ModelsHandler(BaseHTTPRequestHandler):
    ids: tuple[str, ...] = ("gpt-9", "text-embedding-9", "gpt-9-mini")

    def do_GET(self) -> None:
        body = json.dumps({"object": "list", "data": [{"id": model_id, "object": "model"} for model_id in self.ids]}).encode()
        self.send_response(200 if self.headers["Authorization"] == "Bearer right" else 401)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *args: object) -> None:
        """Stay silent."""


@pytest.fixture
def base_url(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), ModelsHandler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    url = f"http://127.0.0.1:{server.server_port}/v1"
    monkeypatch.setenv("OPENAI_BASE_URL", url)
    monkeypatch.setenv("OPENAI_API_KEY", "right")
    yield url
    server.shutdown()
    thread.join()
    server.server_close()


def test_without_the_variables_there_is_no_provider() -> None:
    assert discovery.ensure_openai() == []
    assert not Provider.objects.exists()


def test_the_models_are_added_and_those_that_cannot_chat_are_off(base_url: str) -> None:
    assert discovery.ensure_openai() == []
    assert set(LanguageModel.objects.values_list("model_id", "is_enabled")) == {
        ("gpt-9", True),
        ("gpt-9-mini", True),
        ("text-embedding-9", False),
    }


def test_the_key_itself_is_not_stored(base_url: str) -> None:
    discovery.ensure_openai()
    provider = Provider.objects.get(slug="openai")
    assert (provider.api_key, provider.api_key_variable, provider.secret) == ("", "OPENAI_API_KEY", "right")


def test_the_next_start_adds_only_what_is_new_and_keeps_what_staff_changed(base_url: str) -> None:
    discovery.ensure_openai()
    LanguageModel.objects.filter(model_id="gpt-9").update(is_enabled=False, name="Renamed")
    discovery.ensure_openai()
    row = LanguageModel.objects.get(model_id="gpt-9")
    assert (row.is_enabled, row.name, LanguageModel.objects.count()) == (False, "Renamed", 3)


def test_a_key_does_not_go_where_an_earlier_start_pointed(base_url: str) -> None:
    assert discovery.openai_provider(base_url).base_url == base_url
    assert discovery.openai_provider("").base_url == discovery.OPENAI_URL


def unset(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OPENAI_BASE_URL")
    monkeypatch.delenv("OPENAI_API_KEY")


def picker() -> list[str]:
    return [row.name for row in LanguageModel.objects.available()]


def test_a_start_without_the_variables_takes_the_models_off_the_picker_and_says_so_once(
    base_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    discovery.ensure_openai()
    assert picker() == ["gpt-9", "gpt-9-mini"]
    unset(monkeypatch)
    (line,) = discovery.ensure_openai()
    assert line.endswith("is switched off: neither OPENAI_API_KEY nor OPENAI_BASE_URL is set.")
    assert (picker(), discovery.ensure_openai()) == ([], [])


def test_the_models_come_back_with_the_variables_as_staff_left_them(base_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    discovery.ensure_openai()
    LanguageModel.objects.filter(model_id="gpt-9").update(is_enabled=False)
    LanguageModel.objects.filter(model_id="gpt-9-mini").update(name="Renamed", context_window=777)
    before = list(LanguageModel.objects.order_by("pk").values())
    with monkeypatch.context() as without:
        unset(without)
        discovery.ensure_openai()
    discovery.ensure_openai()
    assert picker() == ["Renamed"]
    assert list(LanguageModel.objects.order_by("pk").values()) == before
    assert Provider.objects.get().secret == "right"


@pytest.mark.parametrize("variables_were_away", [True, False])
def test_a_provider_that_staff_switched_off_stays_off(base_url: str, monkeypatch: pytest.MonkeyPatch, variables_were_away: bool) -> None:
    discovery.ensure_openai()
    Provider.objects.update(is_enabled=False)
    if variables_were_away:
        with monkeypatch.context() as without:
            unset(without)
            assert discovery.ensure_openai() == []
    discovery.ensure_openai()
    assert picker() == []


def test_a_provider_that_staff_gave_a_key_of_its_own_is_theirs() -> None:
    provider = Provider.objects.create(slug="openai", name="Ours", base_url=discovery.OPENAI_URL, api_key="sk-ours")
    LanguageModel.objects.create(provider=provider, model_id="gpt-9", name="gpt-9")
    assert discovery.ensure_openai() == []
    assert picker() == ["gpt-9"]


def test_a_wrong_key_is_a_sentence(base_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "wrong")
    (line,) = discovery.ensure_openai()
    assert "did not list its models" in line
    assert "wrong" not in line


def test_a_provider_that_is_down_is_a_sentence_and_stays_listed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_BASE_URL", f"http://127.0.0.1:{free_port()}/v1")
    (line,) = discovery.ensure_openai()
    assert "did not list its models" in line
    assert Provider.objects.filter(slug="openai").exists()


def test_a_very_long_list_of_models_is_cut() -> None:
    provider = Provider.objects.create(slug="openai", name="Many", base_url="https://many.example.org/v1")
    assert len(discovery.add_models(provider, [f"model-{number}" for number in range(1000)])) == discovery.MODELS_AT_MOST


@pytest.mark.parametrize(
    ("base_url", "name"),
    [
        ("https://api.openai.com/v1", "OpenAI"),
        ("https://openrouter.ai/api/v1", "OpenRouter"),
        ("http://localhost:11434/v1", "Ollama"),
        ("http://127.0.0.1:8001/v1", "127.0.0.1:8001"),
        ("https://llm.example.org/v1", "llm.example.org"),
    ],
)
def test_a_provider_is_called_what_people_call_it(base_url: str, name: str) -> None:
    assert discovery.name_of(base_url) == name
