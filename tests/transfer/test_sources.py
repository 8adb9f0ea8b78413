"""What is read of ChatGPT's, Claude's and our own exports: samples with the shapes that these really have, and hostile ones."""

import copy
import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from django.utils import timezone
from hypothesis import given
from hypothesis import strategies as st

from conversations.models import Role
from conversations.models.conversations import SYSTEM_PROMPT_MAX_CHARACTERS
from conversations.transfer import as_json, chatgpt
from conversations.transfer.drafts import LONGEST, MOST_MESSAGES, Draft, DraftMessage, key_of, moment, text_of
from conversations.transfer.intake import readable
from conversations.transfer.refusals import Refused
from conversations.transfer.sources import draft_of, title_in
from tests.growth import LINEAR, TIMES, growth

SAMPLES = Path(__file__).parent / "samples"
NOW = timezone.now()


def sample(name: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads((SAMPLES / name).read_text())
    return found


def by_text(draft: Draft) -> dict[str, DraftMessage]:
    return {message.text: message for message in draft.ordered()}


def test_a_turn_of_chatgpt_becomes_a_prompt_and_an_answer_with_its_reasoning() -> None:
    draft = draft_of(sample("chatgpt.json")[0])
    assert draft.source_key == "chatgpt:6610a1de-1111-4222-8333-944455556666"
    assert draft.title == "Petals of a buttercup"
    assert [(message.role, message.text) for message in draft.ordered()] == [
        (Role.USER, "How many petals has a buttercup? Count with Python."),
        (Role.ASSISTANT, "A buttercup has **five** petals."),
        (Role.USER, "[Image, not imported]\n\nAnd this one?"),
        (Role.ASSISTANT, "That is a dandelion: <b>many</b> florets."),
        (Role.ASSISTANT, "Five."),
    ]
    answer = by_text(draft)["A buttercup has **five** petals."]
    assert answer.model_name == "gpt-4o"
    for part in ("Buttercups usually have five petals.", "Tool: python", "print(len(['petal'] * 5))", "Result of python", "```\n5\n```"):
        assert part in answer.reasoning
    assert answer.created_at == datetime.fromtimestamp(1712345679.5, UTC)


def test_branches_of_chatgpt_stay_branches_and_the_shown_one_is_shown() -> None:
    draft = draft_of(sample("chatgpt.json")[0])
    found = by_text(draft)
    prompt, other = found["How many petals has a buttercup? Count with Python."], found["Five."]
    assert (other.parent, other.model_name) == (prompt.key, "gpt-4")
    assert draft.head == found["That is a dandelion: <b>many</b> florets."].key


def chain(nodes: int, text: str) -> dict[str, Any]:
    """A conversation of ChatGPT's in which each node goes on with the one answer."""
    message = {"author": {"role": "assistant"}, "content": {"content_type": "text", "parts": [text]}}
    mapping = {str(number): {"parent": str(number - 1), "message": message} for number in range(1, nodes + 1)}
    return {"title": "Long", "mapping": mapping}


def test_an_answer_of_many_nodes_is_joined_once() -> None:
    (answer,) = draft_of(chain(3, "part")).messages
    assert answer.text == "part\n\npart\n\npart"
    found = {size: chain(size, "x" * 1_000) for size in (1_500, 1_500 * TIMES)}
    assert growth(lambda size: chatgpt.draft_of(found[size]), 1_500) < LINEAR


def test_more_nodes_than_a_conversation_may_have_are_refused_before_they_are_read() -> None:
    with pytest.raises(Refused, match="more than"):
        chatgpt.draft_of(chain(MOST_MESSAGES + 1, ""))


@pytest.mark.parametrize("piece", ["\ue200", "\ue200x", "\ue200\ue202", "\ue202"])
def test_marks_that_nobody_closes_take_no_more_time_than_their_length_allows(piece: str) -> None:
    assert growth(lambda size: chatgpt._CITATION.sub("", piece * size), 1_000) < LINEAR


def test_what_was_meant_for_chatgpt_is_left_out() -> None:
    draft = draft_of(sample("chatgpt.json")[0])
    texts = " ".join(message.text + message.reasoning for message in draft.messages)
    for absent in ("gardener", "Answer briefly", "Thought for 3 seconds", "\ue200", "turn0search3"):
        assert absent not in texts
    assert draft.system_prompt == ""


def test_what_chatgpt_archived_is_archived() -> None:
    first, second = sample("chatgpt.json")
    assert (draft_of(first).is_archived, draft_of(second).is_archived) == (False, True)


def test_claudes_blocks_become_text_and_reasoning() -> None:
    draft = draft_of(sample("claude.json")[0])
    assert draft.source_key == "claude:0195c0de-aaaa-7bbb-8ccc-dddddddddddd"
    prompt, answer, *_ = draft.ordered()
    assert prompt.text == ("What does this log say?\n\n[Attachment: error.log]\ndisk full at 03:14\n\n[File, not imported: screenshot.png]")
    assert answer.text == "Let me check the time.\n\nThe disk was **full** at 03:14."
    assert answer.model_name == "Claude"
    for part in ("The disk ran full at night.", "Tool: repl", "console.log('03:14')", "Result of repl"):
        assert part in answer.reasoning
    assert answer.created_at == datetime(2025, 3, 1, 9, 0, 9, tzinfo=UTC)


def test_claudes_branches_are_told_by_parents_and_by_order_where_there_are_none() -> None:
    newer, older = (draft_of(one) for one in sample("claude.json"))
    found = by_text(newer)
    assert found["And then?"].parent == found["And before?"].parent == "m2"
    assert newer.head == "m6"
    assert [(message.key, message.parent) for message in older.ordered()] == [("o1", None), ("o2", "o1")]
    assert older.name() == "An older file has only text. Does it work?"


def ours(messages: list[Any], **more: Any) -> dict[str, Any]:
    told = {"id": "chatsite:0123456789abcdef:7", "title": "Ours", "messages": messages, **more}
    return {"format": as_json.FORMAT, "version": 1, "conversation": told}


def entry(number: Any, parent: Any = None, role: str = "user", **more: Any) -> dict[str, Any]:
    return {"id": number, "parent": parent, "role": role, "text": f"text {number}", **more}


def test_our_own_keeps_its_name_whatever_its_source_was() -> None:
    for name in ("chatsite:0123456789abcdef:7", "chatgpt:6610a1de", "claude:0195c0de", "file:sha256:00ff", "share:00ff"):
        assert draft_of(ours([entry(1)], id=name)).source_key == name


def test_a_later_version_of_our_own_is_refused() -> None:
    with pytest.raises(Refused, match="later version"):
        draft_of(ours([entry(1)]) | {"version": 2})


def test_roles_that_are_neither_prompt_nor_answer_are_left_out_and_their_answers_stay_joined() -> None:
    draft = draft_of(ours([entry(1), entry(2, 1, "system"), entry(3, 2, "tool"), entry(4, 3, "assistant")]))
    assert [(message.key, message.parent) for message in draft.ordered()] == [("1", None), ("4", "1")]


@pytest.mark.parametrize(
    ("messages", "words"),
    [
        ([], "no message"),
        ([entry(1), entry(1)], "same id"),
        ([entry(1, 2), entry(2, 1)], "circle"),
        ([entry(1), entry(2, 3), entry(3, 4), entry(4, 2)], "circle"),
        ([entry(1, 1)], "circle"),
        ([entry(None)], "no id"),
        ([entry([1])], "no id"),
        ([entry(number) for number in range(MOST_MESSAGES + 1)], "more than"),
        ([entry(1) | {"text": "x" * (LONGEST + 1)}], "longer than"),
        ([entry(1) | {"reasoning": "x" * (LONGEST + 1)}], "longer than"),
    ],
)
def test_messages_that_are_no_tree_are_refused(messages: list[Any], words: str) -> None:
    with pytest.raises(Refused, match=words):
        draft_of(ours(messages))


def test_a_system_prompt_that_nobody_could_write_here_is_refused() -> None:
    draft_of(ours([entry(1)], system_prompt="x" * SYSTEM_PROMPT_MAX_CHARACTERS))
    with pytest.raises(Refused, match="system prompt"):
        draft_of(ours([entry(1)], system_prompt="x" * (SYSTEM_PROMPT_MAX_CHARACTERS + 1)))


def test_a_message_that_answers_nothing_there_is_begins_a_branch() -> None:
    draft = draft_of(ours([entry(1), entry(2, 1), entry(5, "gone")]))
    assert [(message.key, message.parent) for message in draft.ordered()] == [("1", None), ("2", "1"), ("5", None)]


def test_a_circle_among_what_is_left_out_is_no_trap() -> None:
    messages = [entry(1), entry(2, 3, "tool"), entry(3, 2, "tool"), entry(4, 3)]
    assert [message.parent for message in draft_of(ours(messages)).ordered()] == [None, None]


def test_a_circle_in_chatgpts_mapping_is_refused() -> None:
    found = copy.deepcopy(sample("chatgpt.json")[1])
    found["mapping"]["root"]["parent"] = "p"
    with pytest.raises(Refused, match="circle"):
        draft_of(found)


def test_a_path_of_any_depth_is_read() -> None:
    messages = [entry(number, number - 1) for number in range(1, 5000)]
    assert len(list(draft_of(ours(messages[::-1])).ordered())) == 4999


@pytest.mark.parametrize("found", [{}, {"title": "x"}, {"mapping": 1}, {"chat_messages": {}}, {"format": "other"}])
def test_what_has_no_known_shape_is_refused(found: dict[str, Any]) -> None:
    with pytest.raises(Refused, match=r"\.$"):
        draft_of(found)


@pytest.mark.parametrize(
    ("title", "name"),
    [
        ("<script>alert(1)</script>", "<script>alert(1)</script>"),
        ("two\nlines\tand  more", "two lines and more"),
        ("\u202egnp.exe\u0007", "gnp.exe"),
        ("x" * 10_000, "x" * 199 + "…"),
        ("", "text 1"),
        ("\u200b\u0000", "text 1"),
        ({"a": 1}, "text 1"),
    ],
)
def test_a_title_becomes_one_line_of_text(title: Any, name: str) -> None:
    assert draft_of(ours([entry(1)], title=title)).name() == name


@pytest.mark.parametrize("value", [None, True, "", "yesterday", "9999-99-99", float("nan"), float("inf"), 1e300, -1e300, [], {}, 10**40])
def test_moments_that_are_none_are_none_or_within_reason(value: Any) -> None:
    found = moment(value)
    assert found is None or found <= timezone.now()


@pytest.mark.parametrize("value", [4_102_444_800, "2099-01-01T00:00:00Z", "9999-12-31T23:59:59-12:00", 253_402_300_799.0])
def test_a_moment_to_come_is_now(value: Any) -> None:
    found = moment(value)
    assert found is None or NOW <= found <= timezone.now()


def test_a_moment_before_there_was_anything_to_chat_with_is_not_believed() -> None:
    assert moment(-5_000_000_000) == moment("0001-01-01") == datetime(2000, 1, 1, tzinfo=UTC)


def test_text_that_no_database_takes_is_mended() -> None:
    assert text_of("a\0b") == "a\ufffdb"
    assert text_of("\ud83d\ude00") == "\U0001f600"
    assert text_of("\ud83d alone") == "\ufffd alone"
    assert text_of(["x"]) == text_of(None) == text_of(7) == ""


def test_a_name_is_the_same_at_each_import_and_fits() -> None:
    assert key_of("claude", "x" * 1000, []) == key_of("claude", "x" * 1000, [])
    assert len(key_of("claude", "x" * 1000, [])) < 200
    assert key_of("claude", None, ["a", "b"]) == key_of("claude", 5, ["a", "b"]) != key_of("claude", None, ["ab"])


def test_a_tool_cannot_break_out_of_its_block() -> None:
    found = copy.deepcopy(sample("chatgpt.json")[0])
    found["mapping"]["o1"]["message"]["content"]["text"] = "```\n````\n# A heading of its own"
    answer = by_text(draft_of(found))["A buttercup has **five** petals."]
    assert "`````\n```\n````\n# A heading of its own\n`````" in answer.reasoning


def test_what_could_not_be_read_is_still_called_by_its_title() -> None:
    assert title_in({"title": "A\nB"}) == "A B"
    assert title_in({"conversation": {"title": "C"}}) == "C"
    assert title_in({"name": "D"}) == "D"
    assert title_in({"title": "\ud800 \0" + "x" * 300}) == "\ufffd \ufffd" + "x" * 77
    assert title_in(None) == title_in({"title": 5}) == title_in({"conversation": []}) == ""


anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["type", "text", "parts", "role", "id", "name"]), inner),
    max_leaves=6,
)


def places(value: Any, way: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Every way into a value."""
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [way, *(place for key, part in inner for place in places(part, (*way, key)))]


def put(value: Any, way: tuple[Any, ...], part: Any) -> Any:
    changed = copy.deepcopy(value)
    spot = changed
    for step in way[:-1]:
        spot = spot[step]
    spot[way[-1]] = part
    return changed


GOOD = [*sample("chatgpt.json"), *sample("claude.json"), ours([entry(1), entry(2, 1, "assistant", created_at="2025-01-01T00:00:00Z")])]


def outcome(found: dict[str, Any]) -> tuple[Draft | None, str]:
    """The draft, or why there is none."""
    try:
        return readable(found), ""
    except Refused as refusal:
        return None, str(refusal)


@given(st.data())
def test_whatever_is_put_in_the_place_of_whatever_part_it_is_read_or_refused(data: st.DataObject) -> None:
    found = data.draw(st.sampled_from(GOOD))
    for _ in range(data.draw(st.integers(1, 3))):
        way = data.draw(st.sampled_from([way for way in places(found) if way]))
        found = put(found, way, data.draw(anything))
    draft, reason = outcome(found)
    assert reason != "It could not be read.", "a shape that the reader has not thought of"
    if draft is None:
        assert reason.endswith(".")
        return
    draft.name()
    json.dumps([message.text + message.reasoning + message.model_name for message in draft.ordered()]).encode()
    assert all(message.created_at is None or message.created_at <= timezone.now() for message in draft.messages)
