"""Links to conversations: who may read what, until when, and that nothing of it is kept or found elsewhere."""

from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from conversations.generation.changes import changes
from conversations.models import (
    Conversation,
    Generation,
    LanguageModel,
    Message,
    NothingToShare,
    Rendering,
    Role,
    Share,
    Status,
    Turn,
    rewrite,
    share,
)
from tests.factories import make_conversation, make_turn


@pytest.fixture
def turn(alice: User, model: LanguageModel) -> Turn:
    """One finished turn of alice's."""
    turn = make_turn(owner=alice, model=model, prompt="Where is the key?")
    finish(turn, "Under the **third** pot.")
    return turn


def finish(turn: Turn, text: str) -> None:
    Generation.objects.filter(message=turn.answer).update(status=Status.COMPLETE)
    Message.objects.filter(pk=turn.answer.pk).update(text=text)
    turn.conversation.refresh_from_db()


def link_to(found: Share) -> str:
    return reverse("shared", args=[found.token])


def text_at(path: str) -> str:
    response = Client().get(path)
    assert response.status_code == 200
    return response.content.decode()


def test_whoever_has_the_link_reads_without_an_account_and_can_do_nothing(alices: Client, turn: Turn) -> None:
    response = alices.post(reverse("share_conversation", args=[turn.conversation.pk]), {"lifetime": "30"}, follow=True)
    found = Share.objects.get()
    assert link_to(found) in response.content.decode()
    page = text_at(link_to(found))
    assert "Where is the key?" in page
    assert "<strong>third</strong>" in page
    for absent in ("<form", "<button", "<script", "alice", "hx-", "csrf"):
        assert absent not in page, absent


def test_a_link_is_unguessable_and_lasts_as_long_as_chosen(alices: Client, turn: Turn) -> None:
    for lifetime in ("1", "7", "30", "never"):
        alices.post(reverse("share_conversation", args=[turn.conversation.pk]), {"lifetime": lifetime})
    ends = [found.expires_at and (found.expires_at - found.created_at).days for found in Share.objects.order_by("pk")]
    assert ends == [1, 7, 30, None] or ends == [0, 6, 29, None]
    assert {len(found.token) for found in Share.objects.all()} == {43}  # 32 random bytes
    assert len({found.token for found in Share.objects.all()}) == 4


@pytest.mark.parametrize("lifetime", ["", "0", "-1", "9999999999", "x"])
def test_a_lifetime_that_is_none_is_refused_in_words(alices: Client, turn: Turn, lifetime: str) -> None:
    response = alices.post(reverse("share_conversation", args=[turn.conversation.pk]), {"lifetime": lifetime})
    assert response.status_code == 422
    assert "Choose how long" in response.content.decode()
    assert not Share.objects.exists()


def test_what_is_written_later_is_not_shared(turn: Turn) -> None:
    path = link_to(share(turn.conversation, None))
    turn.conversation.rename("A title of tomorrow")
    later = make_turn(turn.conversation, prompt="Second prompt")
    finish(later, "Second answer")
    page = text_at(path)
    assert "third" in page
    for word in ("Second prompt", "Second answer", "A title of tomorrow"):
        assert word not in page


def test_while_an_answer_is_written_what_is_finished_is_shared(turn: Turn) -> None:
    make_turn(turn.conversation, prompt="And the second key?")
    turn.conversation.refresh_from_db()
    page = text_at(link_to(share(turn.conversation, None)))
    assert "third" in page
    assert "And the second key?" not in page


def test_a_conversation_without_a_finished_answer_cannot_be_shared(alice: User, alices: Client, model: LanguageModel) -> None:
    pk = make_turn(owner=alice, model=model).conversation.pk
    response = alices.post(reverse("share_conversation", args=[pk]), {"lifetime": "1"})
    assert response.status_code == 422
    assert "no finished answer" in response.content.decode()


def test_a_temporary_conversation_cannot_be_shared(alices: Client, turn: Turn) -> None:
    Conversation.objects.update(is_temporary=True)
    turn.conversation.refresh_from_db()
    assert alices.get(reverse("share_conversation", args=[turn.conversation.pk])).status_code == 404
    with pytest.raises(NothingToShare):
        share(turn.conversation, None)


def expire(found: Share) -> None:
    Share.objects.update(expires_at=timezone.now() - timedelta(seconds=1))


def delete_conversation(found: Share) -> None:
    found.conversation.soft_delete()


def delete_messages(found: Share) -> None:
    Message.objects.update(deleted_at=timezone.now())


def deactivate_owner(found: Share) -> None:
    User.objects.update(is_active=False)


@pytest.mark.parametrize("end", [expire, Share.revoke, delete_conversation, delete_messages, deactivate_owner])
def test_a_link_that_ended_looks_like_one_that_never_was(turn: Turn, end: Any) -> None:
    found = share(turn.conversation, timedelta(days=1))
    text_at(link_to(found))
    end(found)
    gone, guessed = Client().get(link_to(found)), Client().get(reverse("shared", args=["x" * 43]))
    assert gone.status_code == guessed.status_code == 404
    assert gone.content == guessed.content


@pytest.mark.postgresql  # which takes no NUL
@pytest.mark.parametrize("token", ["", "x", "x" * 10_000, "%00", "x" * 42 + "%0a", "' OR 1=1 --", "é" * 43, "../admin"])
def test_a_strange_token_is_not_found(turn: Turn, token: str) -> None:
    share(turn.conversation, None)
    assert Client().get(f"/share/{token}").status_code == 404


def test_nobody_keeps_or_indexes_what_is_shared(turn: Turn) -> None:
    response = Client().get(link_to(share(turn.conversation, None)))
    assert response.headers["Cache-Control"] == "private, no-store"
    assert "noindex" in response.headers["X-Robots-Tag"]
    assert response.headers["Referrer-Policy"] == "same-origin"
    assert '<meta name="robots" content="noindex' in response.content.decode()
    assert not response.cookies


def test_what_is_shared_is_text_whatever_is_in_it(alice: User, model: LanguageModel) -> None:
    turn = make_turn(owner=alice, model=model, prompt="<script>alert(1)</script>")
    finish(turn, "<script>alert(2)</script>\n\n[x](javascript:alert(3)) ![i](https://evil.example/pixel.png)")
    turn.conversation.rename("<img src=x onerror=alert(4)>")
    page = text_at(link_to(share(turn.conversation, None)))
    for hostile in ("<script", "<img", '="javascript:'):
        assert hostile not in page


def test_an_owner_sees_and_revokes_links_and_can_have_one_back(alices: Client, turn: Turn) -> None:
    found = share(turn.conversation, None)
    assert link_to(found) in alices.get(reverse("shares")).content.decode()
    page = alices.post(reverse("revoke_share", args=[found.pk]), follow=True).content.decode()
    assert "is revoked" in page
    assert link_to(found) not in page
    assert Client().get(link_to(found)).status_code == 404
    alices.post(reverse("reopen_share", args=[found.pk]))
    text_at(link_to(found))


def test_a_button_leads_back_to_the_page_it_is_on(alices: Client, turn: Turn) -> None:
    found = share(turn.conversation, None)
    here = reverse("share_conversation", args=[turn.conversation.pk])
    response: Any = alices.post(reverse("revoke_share", args=[found.pk]), {"on": "conversation"})
    assert response.headers["Location"] == f"{here}?revoked={found.pk}"
    assert "is revoked" in alices.get(response.headers["Location"]).content.decode()


def test_a_stranger_neither_lists_nor_revokes_nor_learns_of_links(bobs: Client, turn: Turn) -> None:
    found = share(turn.conversation, None)
    assert found.token not in bobs.get(reverse("shares")).content.decode()
    for name in ("revoke_share", "reopen_share"):
        assert bobs.post(reverse(name, args=[found.pk])).status_code == 404
    assert bobs.get(reverse("share_conversation", args=[turn.conversation.pk])).status_code == 404
    found.revoke()
    assert turn.conversation.title not in bobs.get(f"{reverse('shares')}?revoked={found.pk}").content.decode()


def test_without_links_the_page_says_how_to_make_one(alices: Client) -> None:
    assert "Nothing of yours is shared" in alices.get(reverse("shares")).content.decode()


def test_links_are_paged(alices: Client, turn: Turn) -> None:
    for _ in range(60):
        share(turn.conversation, None)
    first: Any = alices.get(reverse("shares"))
    second: Any = alices.get(f"{reverse('shares')}?before={first.context['more']}")
    assert (len(first.context["shares"]), len(second.context["shares"]), second.context["more"]) == (50, 10, 0)


def long_share(alice: User, messages: int) -> Share:
    conversation = make_conversation(alice)
    head = None
    for number in range(messages):
        role = Role.ASSISTANT if number % 2 else Role.USER
        head = Message.objects.create(conversation=conversation, parent=head, role=role, text=f"text {number}.")
    Conversation.objects.update(head=head)
    conversation.refresh_from_db()
    return share(conversation, None)


@pytest.mark.parametrize("messages", [2, 150])
def test_reading_asks_the_same_however_long_it_is(alice: User, messages: int) -> None:
    path = link_to(long_share(alice, messages))
    text_at(path)  # what it renders is kept
    with CaptureQueriesContext(connection) as captured:
        text_at(path)
    assert len(captured) == 2


def test_a_long_one_is_read_in_pages_from_its_beginning(alice: User) -> None:
    path = link_to(long_share(alice, 150))
    first: Any = Client().get(path)
    assert "text 99." in first.content.decode()
    assert "text 100." not in first.content.decode()
    second = text_at(f"{path}?after={first.context['more']}")
    assert "text 100." in second
    assert "text 149." in second
    assert "Read on" not in second


def test_who_is_logged_in_can_go_on_in_a_copy_and_gets_one_however_often(alice: User, bobs: Client, bob: User, turn: Turn) -> None:
    Conversation.objects.update(system_prompt="A secret instruction", parameters={"temperature": 1})
    found = share(turn.conversation, None)
    make_turn(turn.conversation, prompt="Not shared")
    assert "Continue this conversation" in bobs.get(link_to(found)).content.decode()
    go_on = reverse("continue_shared", args=[found.token])
    first, second = bobs.post(go_on), bobs.post(go_on)
    copy = Conversation.objects.get(owner=bob)
    assert first.headers["Location"] == second.headers["Location"] == reverse("conversation", args=[copy.pk])
    assert [message.text for message in Message.objects.path_to(copy.head_id)] == ["Where is the key?", "Under the **third** pot."]
    assert (copy.title, copy.system_prompt, copy.parameters) == (found.title, "", {})
    copy.soft_delete()
    bobs.post(go_on)
    assert Conversation.objects.active().filter(owner=bob).count() == 1


def test_the_readers_other_pages_are_told_of_the_copy(bobs: Client, bob: User, turn: Turn, monkeypatch: pytest.MonkeyPatch) -> None:
    told: list[tuple[int, int, str]] = []
    monkeypatch.setattr(changes, "tell", lambda change: told.append(change[:3]))
    bobs.post(reverse("continue_shared", args=[share(turn.conversation, None).token]))
    assert told == [(bob.pk, Conversation.objects.get(owner=bob).pk, "restored")]


def test_the_page_of_a_conversations_links_is_no_place_to_put(alices: Client, turn: Turn) -> None:
    assert alices.put(reverse("share_conversation", args=[turn.conversation.pk])).status_code == 405


def test_nobody_goes_on_with_what_is_revoked(bobs: Client, turn: Turn) -> None:
    found = share(turn.conversation, None)
    found.revoke()
    assert bobs.post(reverse("continue_shared", args=[found.token])).status_code == 404
    assert Conversation.objects.count() == 1


def test_an_answer_that_a_person_wrote_anew_is_not_passed_off_as_the_models(turn: Turn) -> None:
    path = link_to(share(turn.conversation, None))
    assert "(edited)" not in text_at(path)
    rewrite(turn.answer, "Under the fourth pot.", uuid4())
    turn.conversation.refresh_from_db()
    assert f"{turn.generation.model_name} (edited)" in text_at(link_to(share(turn.conversation, None)))
    assert "(edited)" not in text_at(path)


def test_reading_again_renders_nothing_again(turn: Turn) -> None:
    path = link_to(share(turn.conversation, None))
    text_at(path)
    Rendering.objects.update(text_html="<p>what was kept</p>")
    assert "<p>what was kept</p>" in text_at(path)
