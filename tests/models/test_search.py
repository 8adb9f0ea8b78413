"""What a search finds, on both databases: words, phrases, beginnings, other scripts; and never what is not its owner's to see."""

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.utils import timezone

from conversations.models import Conversation, Message, Role
from conversations.models.search import find_messages, find_titles
from conversations.models.search_terms import MOST_CHARACTERS, Terms
from tests.factories import make_conversation

pytestmark = [pytest.mark.django_db, pytest.mark.postgresql]


def say(owner: User, *texts: str, conversation: Conversation | None = None) -> list[Message]:
    conversation = conversation or make_conversation(owner)
    return [Message.objects.create(conversation=conversation, role=Role.USER, text=text) for text in texts]


def found(owner: User, typed: str) -> list[str]:
    return [message.text for message in find_messages(owner.pk, Terms.of(typed)).messages]


@pytest.mark.parametrize(
    ("typed", "text"),
    [
        ("sky", "Why is the sky blue?"),
        ("SKY", "Why is the sky blue?"),
        ("blue sky ", "Why is the sky blue?"),
        ("cafe", "A café in Zürich"),
        ("CAFÉ zurich", "A cafe in Zürich"),
        ("cafe\u0301", "A café in Zürich"),
        ("café", "A cafe\u0301 written apart"),
        ("Ångström", "an angstrom is small"),
        ("ПРИВЕТ", "привет, мир"),
        ("elephan", "An elephant"),
        ("an ele", "An elephant"),
        ('"is the sky"', "Why is the sky blue?"),
        ('"is the sk', "Why is the sky blue?"),
        ("“is the sky”", "Why is the sky blue?"),
        ("snake_case", "call snake_case(1)"),
        ("snake", "call snake_case(1)"),
        ("example.com/path", "see https://example.com/path?x=1"),
        ("example", "see https://example.com/path?x=1"),
        ("don't", "I don't know"),
        ("3.14", "pi is 3.14159 or 3.14"),
        ("C++", "written in C++"),
        ("<b>bold</b>", "a <b>bold</b> claim"),
        ("手机", "这个手机的电池可以用两天。"),
        ("雨", "我喜欢在雨天喝咖啡"),
        ("天。", "这个手机的电池可以用两天。"),
        ("机器学习", "我们谈机器学习的模型"),
        ('"机器学习"', "我们谈机器学习的模型"),
        ("模型 学习", "机器学习的模型"),
        ("iPhone手机", "我的iPhone手机坏了"),
        ("iphone", "我的iPhone坏了"),
        ("天気", "東京の天気は晴れ"),
        ("カメラ", "新しいカメラを買う"),
        ("사과", "나는 사과를 먹는다"),
        ("ภาษา", "ฉันเรียนภาษาไทย"),
        ("𠀀𠀁", "rare 𠀀𠀁 characters"),
    ],
)
def test_it_finds(alice: User, typed: str, text: str) -> None:
    say(alice, "nothing of the kind", text, "没有别的东西")
    assert found(alice, typed) == [text]


@pytest.mark.parametrize(
    ("typed", "text"),
    [
        ("sk ", "Why is the sky blue?"),
        ('"sk"', "Why is the sky blue?"),
        ("sky red", "Why is the sky blue?"),
        ('"sky the"', "Why is the sky blue?"),
        ("blu sky", "Why is the sky blue?"),
        ("sky -blue", "Why is the sky blue?"),
        ("sky -“the sky”", "Why is the sky blue?"),
        ("机学", "机器学习"),
        ("机器 -学习", "机器学习"),
        ("手机 -电池的寿命", "手机电池的寿命"),
        ("learning -机", "learning 机器"),
        ("owner_id : 1", "Why is the sky blue?"),
        ("sky OR red", "Why is the sky blue?"),
        ("sky*", "skylark"),
    ],
)
def test_it_does_not_find(alice: User, typed: str, text: str) -> None:
    say(alice, text)
    assert found(alice, typed if not typed.endswith("*") else typed + " ") == []


def test_minus_leaves_the_others(alice: User) -> None:
    say(alice, "a red apple", "a green apple", 'the phrase "golden delicious" apple')
    assert found(alice, "apple -red") == ['the phrase "golden delicious" apple', "a green apple"]
    assert found(alice, 'apple -"golden delicious"') == ["a green apple", "a red apple"]


@pytest.mark.parametrize(
    "typed",
    [
        *(
            "",
            " ",
            '"',
            '""',
            '"""',
            "-",
            '-"',
            "--",
            "- -",
            "*",
            "(",
            ")",
            "()",
            "'",
            "\\",
            "\\'",
            ":",
            "^",
            "+",
            "%",
            "%s",
            "%(x)s",
            "{}",
            "{0}",
        ),
        *(
            "AND",
            "OR",
            "NOT",
            "NEAR(a b)",
            "a AND",
            "NOT a",
            "a NEAR b",
            "text:a",
            "{text}:a",
            "a*",
            "a^2",
            "-a",
            "a:*",
            "a & b",
            "a | !b",
            "<->",
        ),
        *("\0", "a\0b", "\ud800", "a\udfffb", "\u200b", "\ufeff", "😀", "ः", "่", "a" * 10_000, '"' * 10_000, "a " * 10_000, "-a " * 5_000),
        *(
            "字" * 10_000,
            "字 " * 5_000,
            '"字" -字 字',
            "'; DROP TABLE conversations_message; --",
            "@1",
            "'@1'",
            "\r\n\t",
            "ﬁ",
            "½",
            "x" * 3_000 + " y",
        ),
    ],
)
def test_whatever_is_typed_is_no_error_and_finds_nothing_of_others(alice: User, bob: User, typed: str) -> None:
    say(bob, "a b text 字 AND OR NOT 😀 fi 1 2")
    assert found(alice, typed) == []
    assert find_titles(alice.pk, Terms.of(typed)) == []


def test_what_cannot_be_looked_for_finds_nothing_rather_than_everything(alice: User) -> None:
    say(alice, "something")
    for typed in ("", "!!!", "-other", '"', "😀", "\0"):
        assert not Terms.of(typed)
        assert found(alice, typed) == []


def test_only_the_beginning_of_what_was_typed_counts(alice: User) -> None:
    say(alice, "needle")
    assert found(alice, " " * MOST_CHARACTERS + "haystack") == []
    assert found(alice, "needle" + " " * MOST_CHARACTERS + "haystack") == ["needle"]


def test_nobody_finds_what_is_a_stranger_s_deleted_or_temporary(alice: User, bob: User) -> None:
    say(bob, "secret of bob 手机的秘密")
    trashed = make_conversation(alice, title="secret trash", deleted_at=timezone.now())
    temporary = make_conversation(alice, title="secret visit", is_temporary=True)
    say(alice, "secret in the trash 手机的秘密", conversation=trashed)
    say(alice, "secret of a visit 手机的秘密", conversation=temporary)
    (removed,) = say(alice, "secret branch 手机的秘密")
    Message.objects.filter(pk=removed.pk).update(deleted_at=timezone.now())
    for typed in ("secret", "手机的秘密", "手机", "密", "secret 手"):
        assert found(alice, typed) == []
        assert find_titles(alice.pk, Terms.of(typed)) == []
    trashed.restore()
    assert found(alice, "secret") == ["secret in the trash 手机的秘密"]


def test_what_is_archived_is_found(alice: User) -> None:
    archived = make_conversation(alice, title="An old plan", archived_at=timezone.now())
    say(alice, "the plan of long ago", conversation=archived)
    assert found(alice, "plan") == ["the plan of long ago"]
    assert find_titles(alice.pk, Terms.of("plan")) == [archived]


def test_an_owner_whose_number_begins_with_another_s_is_somebody_else() -> None:
    """The index holds whose a message is as a word among words."""
    one = User.objects.create(pk=7, username="seven")
    other = User.objects.create(pk=77, username="seventy-seven")
    say(one, "the number 77 and 7")
    assert found(other, "number") == found(other, "77 ") == []
    assert found(one, "77 ") == ["the number 77 and 7"]


def test_the_newest_come_first_and_the_older_ones_behind_a_message(alice: User) -> None:
    say(alice, *(f"apple {number}" for number in range(5)))
    terms = Terms.of("apple")
    first = find_messages(alice.pk, terms, most=2)
    assert [message.text for message in first.messages] == ["apple 4", "apple 3"]
    assert first.older == first.messages[-1].pk
    second = find_messages(alice.pk, terms, before=first.older, most=3)
    assert [message.text for message in second.messages] == ["apple 2", "apple 1", "apple 0"]
    assert second.older is None
    assert [message.text for message in find_messages(alice.pk, terms, before=10**30, most=1).messages] == ["apple 4"]


def test_titles_are_found_last_used_first(alice: User) -> None:
    old, new = make_conversation(alice, title="Ein Café am Meer"), make_conversation(alice, title="Cafés of Paris")
    old.updated_at = timezone.now()
    old.save()
    make_conversation(alice, title="东京咖啡")
    assert [each.title for each in find_titles(alice.pk, Terms.of("caf"))] == [old.title, new.title]
    assert [each.title for each in find_titles(alice.pk, Terms.of("cafes -meer"))] == [new.title]
    assert [each.title for each in find_titles(alice.pk, Terms.of("咖啡"))] == ["东京咖啡"]
    assert find_titles(alice.pk, Terms.of("东京 -咖啡")) == []


def test_titles_are_found_by_the_beginnings_of_their_words(alice: User) -> None:
    trip = make_conversation(alice, title="Planning the trip to Zürich")
    assert find_titles(alice.pk, Terms.of("zur tr").as_beginnings()) == [trip]
    assert find_titles(alice.pk, Terms.of("zur tr -plan").as_beginnings()) == [trip]
    assert find_titles(alice.pk, Terms.of("zur ip").as_beginnings()) == []


def test_a_message_of_any_length_is_kept_and_found_by_its_beginning(alice: User) -> None:
    characters = "".join(chr(0x4E00 + number * 7919 % 20_000) for number in range(150_000))
    say(alice, f"thimble {characters}", "mitten " + " ".join(f"word{number}" for number in range(150_000)), "x" * 3_000_000)
    assert len(found(alice, "thimble")) == len(found(alice, characters[:10])) == len(found(alice, "mitten word7 ")) == 1


def test_a_search_asks_the_same_however_much_is_found(alice: User, django_assert_num_queries: object) -> None:
    count = 3 if connection.vendor == "sqlite" else 5  # by words and by parts; a transaction that sets limits
    for _ in range(2):
        say(alice, *["apple"] * 30)
        with django_assert_num_queries(count):  # type: ignore[operator]
            assert len(found(alice, "apple")) == 20
