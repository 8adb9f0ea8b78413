"""Branches over HTTP: each change as a form, for htmx and for a program; what strangers and late clicks get."""

import re
import uuid
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from conversations.models import Conversation, Generation, LanguageModel, Message, Status, Turn, edit, retry
from tests.conftest import browser_of, in_parallel
from tests.factories import make_conversation, make_model, make_turn, make_user

from .sending import HTMX, JSON, send

pytestmark = pytest.mark.django_db


def ended(turn: Turn, text: str = "an answer", status: Status = Status.COMPLETE) -> Turn:
    for answer in turn.answers:
        Generation.objects.filter(message=answer).update(status=status)
        Message.objects.filter(pk=answer.pk).update(text=text)
    turn.conversation.refresh_from_db()
    return turn


@pytest.fixture
def first(alice: User, model: LanguageModel) -> Turn:
    return ended(make_turn(owner=alice, prompt="one", model=model))


@pytest.fixture
def second(first: Turn) -> Turn:
    return ended(make_turn(first.conversation, "two"))


def post(browser: Client, name: str, message: Message, data: Any = None, **how: Any) -> Any:
    return browser.post(reverse(name, args=[message.pk]), data or {}, **how)


def page(browser: Client, conversation: Conversation, query: str = "") -> str:
    return browser.get(reverse("conversation", args=[conversation.pk]) + query).content.decode()


def path(conversation: Conversation) -> list[str]:
    conversation.refresh_from_db()
    return [message.text for message in Message.objects.path_to(conversation.head_id)]


def test_an_edit_replaces_what_the_page_has_behind_the_turn_before(alices: Client, first: Turn, second: Turn, model: LanguageModel) -> None:
    body = send(alices, reverse("edit_turn", args=[second.prompt.pk]), "two, better", model, headers=HTMX).content.decode()
    assert f'hx-target="#message-{first.answer.pk} ~ *" hx-swap="delete"' in body
    assert "two, better" in body
    assert "2/2" in body
    assert f'id="message-{first.prompt.pk}"' not in body
    assert path(first.conversation)[:3] == ["one", "an answer", "two, better"]


def test_an_edited_first_prompt_replaces_the_whole_log(alices: Client, first: Turn, model: LanguageModel) -> None:
    body = send(alices, reverse("edit_turn", args=[first.prompt.pk]), "anew", model, headers=HTMX).content.decode()
    assert 'hx-target="#log" hx-swap="innerHTML"' in body


def test_an_edit_without_script_has_a_page_and_leads_back(alices: Client, first: Turn, model: LanguageModel) -> None:
    form = alices.get(reverse("edit_turn", args=[first.prompt.pk])).content.decode()
    assert ">\none</textarea>" in form
    response = send(alices, reverse("edit_turn", args=[first.prompt.pk]), "anew", model)
    prompt = Message.objects.get(text="anew")
    assert response.url == f"/conversations/{first.conversation.pk}#message-{prompt.pk}"


def test_an_edit_that_is_refused_loses_nothing(alices: Client, first: Turn, model: LanguageModel) -> None:
    running = make_turn(first.conversation, "two")
    url = reverse("edit_turn", args=[first.prompt.pk])
    refused = send(alices, url, "my long text", model)
    assert refused.status_code == 409
    assert ">\nmy long text</textarea>" in refused.content.decode()
    assert "still being written" in refused.content.decode()
    told = send(alices, url, "my long text", model, headers=HTMX)
    assert (told.status_code, f"#message-{first.prompt.pk}-edit-error" in told.content.decode()) == (409, True)
    assert send(alices, url, " ", model, headers=JSON).json()["error"]["code"] == "invalid"
    assert path(first.conversation)[-2:] == ["two", ""]
    assert running.answer.pk == Message.objects.latest("pk").pk


def test_an_edit_of_somebody_who_is_logged_out_shows_the_text_and_the_way_back(first: Turn, model: LanguageModel) -> None:
    url = reverse("edit_turn", args=[first.prompt.pk])
    response = send(Client(), url, "my long text", model)
    assert response.status_code == 401
    assert "my long text" in response.content.decode()
    assert f'action="{url}"' in response.content.decode()


def test_a_program_edits_and_learns_what_it_began(alices: Client, first: Turn, model: LanguageModel) -> None:
    body = send(alices, reverse("edit_turn", args=[first.prompt.pk]), "anew", model, headers=JSON).json()
    assert Message.objects.get(pk=body["prompt"]).text == "anew"
    assert Conversation.objects.get().head_id == body["answer"]


def test_the_switcher_leads_to_the_neighbours_and_the_choice_is_kept(alices: Client, first: Turn, model: LanguageModel) -> None:
    new = ended(edit(first.prompt, "anew", model, uuid.uuid4()))
    body = page(alices, first.conversation)
    assert "2/2" in body
    assert reverse("choose_message", args=[first.prompt.pk]) in body
    assert post(alices, "choose_message", first.prompt).url == f"/conversations/{first.conversation.pk}#message-{first.prompt.pk}"
    assert "1/2" in page(alices, first.conversation)
    assert path(first.conversation)[0] == "one"
    body = post(alices, "choose_message", new.prompt, headers=HTMX).content.decode()
    assert "anew" in body
    assert post(alices, "choose_message", first.prompt, headers=JSON).status_code == 204


def test_a_get_chooses_nothing(alices: Client, first: Turn, model: LanguageModel) -> None:
    edit(first.prompt, "anew", model, uuid.uuid4())
    for name in ("choose_message", "keep_answer", "continue_answer", "fork_conversation"):
        assert alices.get(reverse(name, args=[first.answer.pk])).status_code == 405
    alices.get(reverse("edit_turn", args=[first.prompt.pk]))
    alices.get(reverse("retry_answer", args=[first.answer.pk]))
    assert path(first.conversation)[0] == "anew"


def test_an_answer_that_was_cut_off_offers_to_go_on_and_does(alices: Client, first: Turn) -> None:
    assert "continue" not in page(alices, first.conversation).lower()
    ended(first, "Half of", Status.STOPPED)
    assert reverse("continue_answer", args=[first.answer.pk]) in page(alices, first.conversation)
    body = post(alices, "continue_answer", first.answer, headers=JSON).json()
    longer = Message.objects.get(pk=body["answer"])
    assert (longer.continues, longer.parent) == (first.answer, first.prompt)
    assert "Half of" in page(alices, first.conversation)
    assert "2/2" in page(alices, first.conversation)


def test_an_answer_that_is_whole_is_not_continued(alices: Client, first: Turn) -> None:
    response = post(alices, "continue_answer", first.answer, headers=JSON)
    assert (response.status_code, response.json()["error"]["code"]) == (409, "whole")
    assert response.json()["error"]["message"] == "This answer is whole. Ask in a new message for more."


def test_two_answers_stand_beside_each_other_until_one_is_kept(alices: Client, first: Turn, model: LanguageModel) -> None:
    other = make_model(name="The other")
    form = alices.get(reverse("retry_answer", args=[first.answer.pk]), {"compare": 1}).content.decode()
    assert f'<option value="{other.pk}" selected>The other' in form
    body = post(alices, "retry_answer", first.answer, {"model": model.pk, "rival": other.pk}, headers=JSON).json()
    shown = page(alices, first.conversation)
    assert shown.count("is-compared") == 2
    assert shown.count("/keep") == 4
    assert shown.index(f'id="message-{body["answer"]}"') < shown.index(f'id="message-{body["rival"]}"')
    kept = post(alices, "keep_answer", Message.objects.get(pk=body["rival"]), headers=HTMX).content.decode()
    assert f'hx-target="#message-{first.prompt.pk} ~ *" hx-swap="delete"' in kept
    assert (kept.count("<article"), "3/3" in kept) == (1, True)
    assert "is-compared" not in page(alices, first.conversation)
    assert Generation.objects.get(message=body["answer"]).status == Status.STOPPED


def test_two_models_are_compared_on_a_prompt_itself(alices: Client, bobs: Client, first: Turn, model: LanguageModel) -> None:
    other = make_model(name="The other")
    address = reverse("answer_turn", args=[first.prompt.pk])
    assert bobs.get(address, {"compare": 1}).status_code == 404
    for headers in ({}, HTMX):
        form = alices.get(address, {"compare": 1}, headers=headers).content.decode()
        assert f'<option value="{other.pk}" selected>The other' in form
        assert f'action="{address}"' in form
    body = post(alices, "answer_turn", first.prompt, {"model": model.pk, "rival": other.pk}, headers=HTMX).content.decode()
    assert body.count("is-compared") == 2
    found = Generation.objects.filter(message__parent=first.prompt).order_by("pk").values_list("model", flat=True)
    assert list(found)[-2:] == [model.pk, other.pk]


def test_a_prompt_sent_in_a_comparison_follows_the_first_and_replaces_both(alices: Client, first: Turn, model: LanguageModel) -> None:
    pair = ended(retry(first.answer, model, make_model()), "one of two")
    body = send(alices, reverse("start_turn", args=[first.conversation.pk]), "next", model, headers=HTMX).content.decode()
    assert f'hx-target="#message-{first.prompt.pk} ~ *" hx-swap="delete"' in body
    assert body.count("<article") == 3
    assert "is-compared" not in body
    assert pair.rival
    assert f'id="message-{pair.rival.pk}"' not in body


@pytest.mark.parametrize("field", ["model", "rival"])
def test_a_model_that_people_may_not_pick_is_refused(alices: Client, first: Turn, field: str) -> None:
    hidden = make_model(is_enabled=False)
    response = post(alices, "retry_answer", first.answer, {field: hidden.pk}, headers=JSON)
    assert (response.status_code, response.json()["error"]["code"]) == (422, "no_model")


def test_a_deleted_turn_is_gone_from_the_page_and_undo_brings_it_back(alices: Client, first: Turn, second: Turn) -> None:
    body = post(alices, "delete_turn", second.prompt, headers=HTMX).content.decode()
    assert f'hx-target="#message-{first.answer.pk} ~ *" hx-swap="delete"' in body
    assert reverse("restore_turn", args=[second.prompt.pk]) in body
    assert path(first.conversation) == ["one", "an answer"]
    assert f'id="message-{second.prompt.pk}"' not in page(alices, first.conversation)
    post(alices, "restore_turn", second.prompt)
    assert path(first.conversation)[2] == "two"


@pytest.mark.parametrize("how", [{}, {"headers": HTMX}], ids=["form", "htmx"])
def test_undo_shows_the_answer_that_was_shown(alices: Client, first: Turn, second: Turn, model: LanguageModel, how: dict[str, Any]) -> None:
    ended(retry(second.answer, model), "the newest")
    post(alices, "choose_message", second.answer)
    reply = post(alices, "delete_turn", second.prompt, **how)
    body = alices.get(reply.url).content.decode() if reply.status_code == 302 else reply.content.decode()
    (head,) = re.findall(r'<input type="hidden" name="head" value="(\d+)">', body)
    post(alices, "restore_turn", second.prompt, {"head": head}, **how)
    assert path(first.conversation)[-1] == "an answer"


@pytest.mark.parametrize("head", ["", "x", "-1", "9" * 40, "\0"])
def test_undo_of_nonsense_shows_the_turn(alices: Client, first: Turn, second: Turn, head: str) -> None:
    post(alices, "delete_turn", second.prompt)
    assert alices.get(reverse("conversation", args=[first.conversation.pk]), {"deleted": second.prompt.pk, "head": head}).status_code == 200
    assert post(alices, "restore_turn", second.prompt, {"head": head, "rival": head}).status_code == 302
    assert path(first.conversation)[-1] == "an answer"


def test_a_turn_deleted_without_script_says_so_on_the_page_that_follows(alices: Client, first: Turn, second: Turn) -> None:
    url = post(alices, "delete_turn", second.prompt).url
    assert "The turn was deleted" in alices.get(url).content.decode()
    assert "The turn was deleted" not in page(alices, first.conversation, f"?deleted={first.prompt.pk}")


def test_what_is_deleted_can_no_more_be_read_or_followed(alices: Client, second: Turn) -> None:
    post(alices, "delete_turn", second.prompt)
    for name in ("answer_events", "answer_source", "retry_answer"):
        assert alices.get(reverse(name, args=[second.answer.pk])).status_code == 404
    assert post(alices, "delete_turn", second.prompt).status_code == 404
    assert post(alices, "edit_turn", second.prompt, headers=JSON).json()["error"]["code"] == "not_found"


def test_a_fork_opens_and_the_old_conversation_stays(alices: Client, first: Turn, second: Turn) -> None:
    response = post(alices, "fork_conversation", first.answer)
    new = Conversation.objects.latest("pk")
    assert response.url == f"/conversations/{new.pk}"
    assert path(new) == ["one", "an answer"]
    assert len(path(first.conversation)) == 4
    assert alices.get(response.url).status_code == 200
    assert post(alices, "fork_conversation", first.prompt, headers=JSON).json()["url"].startswith("/conversations/")


def test_an_answer_without_a_generation_can_be_answered_again(alices: Client, alice: User, model: LanguageModel) -> None:
    conversation = make_conversation(alice, model=model)
    prompt = Message.objects.create(conversation=conversation, role="user", text="imported")
    answer = Message.objects.create(conversation=conversation, parent=prompt, role="assistant", text="also imported", model_name="old")
    Conversation.objects.update(head=answer)
    assert "Continue" not in page(alices, conversation)
    body = post(alices, "retry_answer", answer, headers=JSON).json()
    assert Generation.objects.get(message=body["answer"]).model == model


@pytest.mark.parametrize("headers", [{}, HTMX, JSON], ids=["page", "htmx", "program"])
def test_a_prompt_that_nobody_answered_is_answered(alices: Client, alice: User, model: LanguageModel, headers: dict[str, str]) -> None:
    conversation = make_conversation(alice)
    prompt = Message.objects.create(conversation=conversation, role="user", text="anybody?")
    Conversation.objects.filter(pk=conversation.pk).update(head=prompt)
    url = reverse("answer_turn", args=[prompt.pk])
    assert f'formaction="{url}"' in page(alices, conversation)
    response = alices.post(url, {"model": model.pk}, headers=headers)
    assert response.status_code == {"": 302, "HX-Request": 200, "Accept": 201}["".join(headers)]
    answer = Message.objects.get(parent=prompt)
    assert (answer.generation.model, Conversation.objects.get().head) == (model, answer)
    if headers == HTMX:
        assert f'id="message-{answer.pk}"' in response.content.decode()
    assert f'formaction="{url}"' not in page(alices, conversation)
    assert alices.post(url, headers=headers).status_code == 409
    assert Message.objects.count() == 2


def test_which_of_several_is_shown_is_said(alices: Client, first: Turn, model: LanguageModel) -> None:
    other = ended(edit(first.prompt, "one, again", model, uuid.uuid4()))
    said = '<hx-partial hx-target="#sr" hx-swap="innerHTML">{}</hx-partial>'
    assert said.format("Version 1 of 2") in post(alices, "choose_message", first.prompt, headers=HTMX).content.decode()
    pair = ended(retry(first.answer, model, make_model()))
    assert said.format("Kept") in post(alices, "keep_answer", pair.answer, headers=HTMX).content.decode()
    assert said.format("Answer 1 of 3") in post(alices, "choose_message", first.answer, headers=HTMX).content.decode()
    assert "Forked." in post(alices, "fork_conversation", other.prompt, follow=True).content.decode()


def test_an_answer_that_no_prompt_stands_before_is_not_given_again(alices: Client, alice: User, model: LanguageModel) -> None:
    conversation = make_conversation(alice, model=model)
    answer = Message.objects.create(conversation=conversation, role="assistant", text="imported")
    Conversation.objects.update(head=answer)
    response = post(alices, "retry_answer", answer, headers=JSON)
    assert (response.status_code, response.json()["error"]["code"]) == (409, "no_prompt")
    assert Message.objects.count() == 1


def test_news_bring_another_tab_to_the_branch_that_was_chosen(alices: Client, first: Turn, second: Turn, model: LanguageModel) -> None:
    new = ended(edit(second.prompt, "two, better", model, uuid.uuid4()))
    where = f"/conversations/{first.conversation.pk}/news?first={first.prompt.pk}&after={second.answer.pk}&rival=0"
    body = alices.get(where).content.decode()
    assert f'hx-target="#message-{first.answer.pk} ~ *" hx-swap="delete"' in body
    assert f'id="message-{new.prompt.pk}"' in body
    post(alices, "choose_message", second.prompt)
    current = alices.get(where).content.decode()
    assert "<article" not in current
    assert " ~ *" not in current


def test_news_show_a_comparison_and_its_end_in_another_tab(alices: Client, first: Turn, model: LanguageModel) -> None:
    url = f"/conversations/{first.conversation.pk}/news?first={first.prompt.pk}"
    pair = ended(retry(first.answer, model, make_model()), "one of two")
    assert pair.rival
    begun = alices.get(f"{url}&after={first.answer.pk}&rival=0").content.decode()
    assert begun.count("<article") == begun.count("is-compared") == 2
    current = f"{url}&after={pair.rival.pk}&rival={pair.rival.pk}"
    assert "<article" not in alices.get(current).content.decode()
    for kept in (pair.rival, pair.answer):
        Conversation.objects.update(head=pair.answer, rival=pair.rival)
        post(alices, "keep_answer", kept)
        over = alices.get(current).content.decode()
        assert f'hx-target="#message-{first.prompt.pk} ~ *" hx-swap="delete"' in over
        assert (over.count("<article"), f'id="message-{kept.pk}"' in over) == (1, True)


def test_news_say_that_all_turns_are_deleted(alices: Client, first: Turn) -> None:
    post(alices, "delete_turn", first.prompt)
    body = alices.get(f"/conversations/{first.conversation.pk}/news?first={first.prompt.pk}&after={first.answer.pk}").content.decode()
    assert 'hx-target="#log" hx-swap="innerHTML"' in body
    assert "<article" not in body


@pytest.mark.parametrize("siblings", [1, 8])
def test_a_page_asks_the_same_however_many_branches_there_are(alices: Client, first: Turn, model: LanguageModel, siblings: int) -> None:
    for _ in range(siblings):
        ended(retry(first.answer, model))
    page(alices, first.conversation)
    with CaptureQueriesContext(connection) as captured:
        page(alices, first.conversation)
    assert len(captured) == 10


@pytest.mark.postgresql
@pytest.mark.django_db(transaction=True)
def test_of_two_edits_at_once_one_begins_and_the_other_is_told_why() -> None:
    alice, model = make_user("alice"), make_model()
    turn = ended(make_turn(owner=alice, model=model))
    browsers = [browser_of(alice) for _ in range(2)]
    url = reverse("edit_turn", args=[turn.prompt.pk])
    replies = in_parallel(2, lambda number: send(browsers[number], url, f"edit {number}", model, headers=JSON))
    assert sorted(reply.status_code for reply in replies) == [201, 409]
    assert Message.objects.filter(text__startswith="edit").count() == 1
