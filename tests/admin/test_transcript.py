"""A conversation in the admin can be read: every message with its text, and who may not read messages sees none."""

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from conversations.admin.transcript import PER_PAGE, SHOWN_CHARACTERS
from conversations.models import Conversation, Generation, Message, Role, Status, Turn, Usage, delete_turn, go_on, retry
from tests.factories import make_conversation, make_model, make_turn, make_user


def page(conversation: Conversation, **query: Any) -> str:
    return reverse("admin:conversations_conversation_change", args=[conversation.pk], query=query)


def transcript(browser: Client, conversation: Conversation, **query: Any) -> str:
    body = browser.get(page(conversation, **query)).content.decode()
    return body.partition('id="transcript"')[2].partition("</section>")[0]


def answered(prompt: str = "Why is the sky blue?", answer: str = "Because.") -> Turn:
    turn = make_turn(prompt=prompt, model=make_model(name="Careful 7B", input_price=Decimal("0.15")))
    Generation.objects.filter(pk=turn.generation.pk).update(status=Status.COMPLETE)
    Message.objects.filter(pk=turn.answer.pk).update(text=answer)
    return turn


def test_a_prompt_and_its_answer_are_read_in_order_with_what_it_took(root: Client) -> None:
    turn = answered()
    Message.objects.update(created_at=datetime(2026, 3, 4, 5, 6, 7, tzinfo=UTC))
    usage = Usage(generation=turn.generation, input_tokens=10)
    assert turn.generation.model
    usage.take_prices(turn.generation.model)
    usage.save()
    body = transcript(root, turn.conversation)
    shown = [
        "Prompt",
        "2026-03-04 05:06:07",
        "Why is the sky blue?",
        "Answer",
        "Careful 7B",
        "Complete",
        "0.0000015 US dollars",
        "Because.",
    ]
    places = [body.index(text) for text in shown]
    assert places == sorted(places)


def test_text_is_shown_as_text_with_its_line_breaks(root: Client) -> None:
    body = transcript(root, answered("<script>alert(1)</script>\n\n  indented", "one\ntwo").conversation)
    assert '<div class="text">&lt;script&gt;alert(1)&lt;/script&gt;\n\n  indented</div>' in body
    assert '<div class="text">one\ntwo</div>' in body
    assert "<script>" not in body


def test_a_failed_answer_says_why_in_words(root: Client) -> None:
    turn = make_turn()
    Generation.objects.update(status=Status.FAILED, error_code="rate_limited", error_sentence="Wait a minute.")
    body = transcript(root, turn.conversation)
    assert "Too many requests. Wait a minute." in body
    assert "rate_limited" not in body


def test_an_answer_that_was_retried_is_there_and_marked(root: Client) -> None:
    turn = answered(answer="The first try.")
    assert turn.generation.model
    again = retry(turn.answer, turn.generation.model)
    body = transcript(root, turn.conversation)
    assert "The first try." in body
    assert body.count("on another branch") == 1
    assert f'id="message-{turn.answer.pk}" class="is-left"' in body
    assert f'id="message-{again.answer.pk}">' in body
    assert "It is being written." in body


def test_it_says_where_a_branch_begins_what_an_answer_continues_and_what_was_deleted(root: Client) -> None:
    turn = answered(answer="Half of")
    Generation.objects.update(status=Status.STOPPED)
    assert turn.generation.model
    cut = Message.objects.select_related("generation", "conversation").get(pk=turn.answer.pk)
    longer = go_on(cut, turn.generation.model)
    body = transcript(root, turn.conversation)
    assert body.count(f'follows <a href="#message-{turn.prompt.pk}">') == 1
    assert body.count(f'continues <a href="#message-{turn.answer.pk}">') == 1
    delete_turn(longer.prompt)
    body = transcript(root, turn.conversation)
    assert body.count("<li>deleted ") == 3
    assert "on another branch" not in body
    assert "Half of" in body


def test_a_long_conversation_is_read_by_pages_and_a_long_text_on_its_own_page(root: Client) -> None:
    conversation = make_conversation()
    long = "x" * SHOWN_CHARACTERS + "THE END"
    Message.objects.bulk_create(Message(conversation=conversation, role=Role.USER, text=f"number {n}. {long}") for n in range(PER_PAGE + 1))
    first, second = transcript(root, conversation), transcript(root, conversation, page=2)
    assert "number 0." in first
    assert "number 50." not in first
    assert "Later messages" in first
    assert "number 50." in second
    assert "Earlier messages" in second
    assert "THE END" not in first
    assert "The whole message" in first
    assert transcript(root, conversation, page="nonsense") == first


def test_a_longer_conversation_takes_no_more_queries(root: Client) -> None:
    turn = answered()
    transcript(root, turn.conversation)  # what a process asks only once
    counts = []
    for _ in range(2):
        with CaptureQueriesContext(connection) as queries:
            transcript(root, turn.conversation)
        counts.append(len(queries))
        for _ in range(5):
            Generation.objects.update(status=Status.COMPLETE)
            make_turn(Conversation.objects.get(pk=turn.conversation.pk), model=turn.generation.model)
    assert counts[0] == counts[1]


def test_who_may_not_view_messages_reads_none(client: Client, db: None) -> None:
    turn = answered("my secret")
    for permissions, is_shown in ((("view_conversation",), False), (("view_conversation", "view_message"), True)):
        client.force_login(make_user(is_staff=True, permissions=permissions))
        body = client.get(page(turn.conversation)).content.decode()
        assert ("Because." in body) == is_shown
