"""Saved prompts: kept by a person, offered in the composer, filled in; a stranger finds nothing of them."""

from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from conversations.forms.prompts import MOST_VARIABLES
from conversations.models import Message, SavedPrompt
from conversations.views.prompts import MOST_PROMPTS
from tests.factories import make_conversation, make_model

from .sending import HTMX

TRANSLATE = "Translate into {{ language }}:\n\n{{text}}\n\nOnly {{language}}, {{not closed}."


def make_prompt(owner: User | None, command: str = "translate", text: str = TRANSLATE) -> SavedPrompt:
    return SavedPrompt.objects.create(owner=owner, command=command, text=text)


def use_url(prompt: SavedPrompt) -> str:
    return reverse("use_prompt", args=[prompt.pk])


def save(browser: Client, command: str, text: str = TRANSLATE, pk: int | None = None) -> Any:
    return browser.post(reverse("saved_prompt", args=[pk]) if pk else "/prompts", {"command": command, "text": text})


@pytest.mark.parametrize("written", ["translate", "/translate", " /Translate "])
def test_a_prompt_is_saved_under_its_command_and_shown(alice: User, alices: Client, written: str) -> None:
    assert save(alices, written, "Be <b>bold</b>.\r\nAlways.").status_code == 302
    prompt = SavedPrompt.objects.get(owner=alice)
    assert (prompt.command, prompt.text) == ("translate", "Be <b>bold</b>.\nAlways.")
    for path in ("/prompts", "/prompts/menu", reverse("saved_prompt", args=[prompt.pk])):
        page = alices.get(path).content.decode()
        assert "translate" in page
        assert "Be &lt;b&gt;bold" in page


@pytest.mark.parametrize(
    ("command", "text"),
    [(command, "x") for command in ("", "/", "two words", "ümlaut", "a/b", "x" * 41, "a\0b", "<b>")]
    + [
        ("fine", text)
        for text in ("", " \n ", "\u200b", "x" * 20_001, "a\0b", " ".join(f"{{{{v{number}}}}}" for number in range(MOST_VARIABLES + 1)))
    ],
    ids=lambda value: ascii(value)[:20],
)
def test_what_cannot_be_saved_is_refused_in_words_and_stays_in_the_form(alice: User, alices: Client, command: str, text: str) -> None:
    prompt = make_prompt(alice, "old", "as it was")
    for pk in (None, prompt.pk):
        page = save(alices, command, text, pk)
        assert page.status_code == 422
        assert "errorlist" in page.content.decode()
        assert page.context["form"]["text"].value() == text
    assert list(SavedPrompt.objects.values_list("command", "text")) == [("old", "as it was")]


def test_a_command_stands_for_one_prompt_of_a_person(alice: User, bob: User, alices: Client) -> None:
    make_prompt(bob)
    make_prompt(None)
    assert save(alices, "translate").status_code == 302
    refused = save(alices, "translate", "another")
    assert refused.status_code == 422
    assert "already" in refused.content.decode()
    mine = SavedPrompt.objects.get(owner=alice)
    assert save(alices, "translate", "changed", mine.pk).status_code == 302
    mine.refresh_from_db()
    assert mine.text == "changed"


def test_there_is_an_end_to_how_many(alice: User, alices: Client) -> None:
    SavedPrompt.objects.bulk_create(SavedPrompt(owner=alice, command=f"c{number}", text="x") for number in range(MOST_PROMPTS))
    assert "Delete one first" in save(alices, "more").content.decode()
    assert SavedPrompt.objects.count() == MOST_PROMPTS


def test_a_deleted_prompt_can_be_had_back(alice: User, alices: Client) -> None:
    text = "\nkeep </textarea> me \n"
    prompt = make_prompt(alice, "keep", text)
    page: Any = alices.post(reverse("delete_prompt", args=[prompt.pk]))
    assert not SavedPrompt.objects.exists()
    (_, kept) = dict(page.context["notice"].fields).values()
    assert kept == text
    assert "</textarea> me" not in page.content.decode()
    save(alices, "keep", kept)
    assert SavedPrompt.objects.get().command == "keep"


def test_a_stranger_finds_nothing_of_it(alice: User, bobs: Client) -> None:
    prompt = make_prompt(alice, "secret", "a secret text")
    for path in ("/prompts", "/prompts/menu"):
        assert "secret" not in bobs.get(path).content.decode()
    for name in ("saved_prompt", "use_prompt", "delete_prompt"):
        assert bobs.post(reverse(name, args=[prompt.pk]), {"command": "mine", "text": "mine"}).status_code == 404
    assert SavedPrompt.objects.get().text == "a secret text"


def test_those_for_everybody_can_be_used_and_not_changed(alices: Client) -> None:
    prompt = make_prompt(None)
    assert "For everybody" in alices.get("/prompts").content.decode()
    assert alices.get(use_url(prompt)).status_code == 200
    assert save(alices, "mine", "mine", prompt.pk).status_code == 404
    assert alices.post(reverse("delete_prompt", args=[prompt.pk])).status_code == 404


def test_of_one_command_the_composer_offers_the_persons_own(alice: User, bob: User, alices: Client) -> None:
    make_prompt(None, text="everybody's")
    make_prompt(bob, text="bob's")
    make_prompt(alice, text="alice's")
    make_prompt(None, "brief", "Be brief.")
    prompts: Any = alices.get("/prompts/menu").context["prompts"]
    assert [(prompt.command, prompt.beginning, bool(prompt.has_variables)) for prompt in prompts] == [
        ("brief", "Be brief.", False),
        ("translate", "alice's", False),
    ]


def test_a_list_reads_no_whole_text_and_asks_the_same_however_many_there_are(alice: User, alices: Client) -> None:
    for number in range(30):
        make_prompt(alice, f"c{number}", "x" * 5000)
    for path, queries in (("/prompts", 5), ("/prompts/menu", 3)):
        with CaptureQueriesContext(connection) as captured:
            assert "x" * 200 not in alices.get(path).content.decode()
        assert len(captured) == queries


def test_variables_are_asked_for_once_each_and_the_text_goes_into_the_composer(alice: User, alices: Client) -> None:
    make_model()
    prompt = make_prompt(alice)
    page = alices.get(use_url(prompt)).content.decode()
    assert page.count(">language</label>") == 1
    assert ">text</label>" in page
    assert "not closed</label>" not in page
    values = {"variable-0": "French", "variable-1": "{{language}} </textarea>\r\n& more"}
    text = "Translate into French:\n\n{{language}} </textarea>\n& more\n\nOnly French, {{not closed}."
    assert alices.post(use_url(prompt), values, headers=HTMX).content.decode() == text
    filled: Any = alices.post(use_url(prompt), values)
    assert filled.context["composer"].text == text
    assert "</textarea>\n&" not in filled.content.decode()
    assert not Message.objects.exists()


def test_what_is_not_filled_in_stays_to_be_seen(alice: User, alices: Client) -> None:
    reply = alices.post(use_url(make_prompt(alice)), {"variable-1": "x"}, headers=HTMX)
    assert reply.content.decode().startswith("Translate into {{ language }}:\n\nx")


def test_a_value_that_is_too_long_is_refused_in_words(alice: User, alices: Client) -> None:
    page = alices.post(use_url(make_prompt(alice)), {"variable-0": "x" * 20_001})
    assert page.status_code == 422
    assert "language may have at most 20,000 characters" in page.content.decode()


def test_it_is_filled_into_the_conversation_one_came_from_if_that_is_ones_own(alice: User, bob: User, alices: Client) -> None:
    make_model()
    prompt, mine, other = make_prompt(alice, text="Be brief."), make_conversation(alice), make_conversation(bob)
    page: Any = alices.post(f"{use_url(prompt)}?conversation={mine.pk}")
    assert page.context["conversation"] == mine
    assert page.context["composer"].text == "Be brief."
    assert alices.post(f"{use_url(prompt)}?conversation={other.pk}").status_code == 404


@pytest.mark.parametrize("text", ["{{" * 5000, "{{a}}" * 20, "{{" + "x" * 10_000 + "}}", "{{}} {{ }}"], ids=lambda text: text[:12])
def test_strange_braces_are_text(alice: User, alices: Client, text: str) -> None:
    prompt = make_prompt(alice, text=text)
    assert len(prompt.variables) <= 1
    assert alices.post(use_url(prompt), headers=HTMX).content.decode() == text
