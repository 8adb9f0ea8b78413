"""The command that makes a person with very much."""

from io import StringIO

import pytest
from django.contrib.auth.models import User
from django.core.management import CommandError, call_command

from conversations.models import Generation, LanguageModel, Message, Status
from conversations.models.search import find_messages
from conversations.models.search_terms import Terms
from tests.factories import make_turn

pytestmark = [pytest.mark.django_db, pytest.mark.postgresql]


def make(name: str = "large", **options: int) -> User:
    call_command("make_large", name, **{"conversations": 6, "messages": 50, "longest": 20} | options, stdout=StringIO())
    return User.objects.get(username=name)


def test_it_makes_as_much_as_is_asked_for(model: LanguageModel) -> None:
    owner = make()
    sizes = [conversation.messages.count() for conversation in owner.conversations.order_by("updated_at")]
    assert sizes == [6, 6, 6, 6, 6, 20]
    longest = owner.conversations.latest("updated_at")
    assert Message.objects.path_to(longest.head_id).count() == 20
    assert Generation.objects.filter(status=Status.COMPLETE, usages__isnull=False).count() == 25


def test_the_site_goes_on_behind_it(model: LanguageModel) -> None:
    owner = make()
    turn = make_turn(owner.conversations.latest("updated_at"), "a question about quokkas")
    assert turn.answer.pk == Message.objects.latest("pk").pk
    assert [message.pk for message in find_messages(owner.pk, Terms.of("quokkas")).messages] == [turn.prompt.pk]
    assert make("another").conversations.count() == 6


def test_it_is_the_same_for_the_same_seed(model: LanguageModel) -> None:
    texts = [list(Message.objects.filter(conversation__owner=make(name)).order_by("pk").values_list("text")) for name in ("one", "two")]
    assert texts[0] == texts[1]


def test_it_touches_nobody_s_account(alice: User, model: LanguageModel) -> None:
    with pytest.raises(CommandError, match="there already"):
        make("alice")


def test_it_needs_a_model(db: None) -> None:
    with pytest.raises(CommandError, match=r"manage\.py setup"):
        make()
