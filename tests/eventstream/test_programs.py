"""The stream for programs: every place is a place to go on from, and the end says what became of the answer."""

import json

import pytest

from conversations.events import JournalEvent, Place
from conversations.eventstream.programs import LONGEST_DELTA, ProgramEvent, Reader, encoded, end, rest
from conversations.models import Generation, Message, Status, Usage
from tests.factories import make_model, make_turn
from tests.live import ServerEvent, parsed

TEXT, REASONING = "𝄞 naïve 👩‍👩‍👧 z\r\ny", "erst 🤔 denken"
EVENTS = [
    JournalEvent(1, "reasoning_delta", REASONING[:5]),
    JournalEvent(2, "reasoning_delta", REASONING[5:]),
    JournalEvent(3, "tool_start", "{}"),
    JournalEvent(4, "text_delta", TEXT[:1]),
    JournalEvent(5, "text_delta", TEXT[1:9]),
    JournalEvent(6, "text_delta", TEXT[9:]),
]


def events_in(told: list[ProgramEvent]) -> list[ServerEvent]:
    """The events as they come over the wire."""
    return [parsed(encoded(event).decode().removesuffix("\n\n")) for event in told]


def joined(told: list[ProgramEvent], kind: str) -> str:
    return "".join(json.loads(event.data)["text"] for event in events_in(told) if event.name == kind)


@pytest.mark.parametrize("text", range(len(TEXT) + 1))
@pytest.mark.parametrize("reasoning", [0, 3, 5, len(REASONING)])
def test_from_any_place_exactly_the_rest_comes(reasoning: int, text: int) -> None:
    place = Place(reasoning, text)
    told = Reader(place).read(EVENTS)
    assert joined(told, "text_delta") == TEXT[text:]
    assert joined(told, "reasoning_delta") == REASONING[reasoning:]
    ids = [Place.parse(event.id) for event in events_in(told)]
    assert ids == sorted(ids)
    if text < len(TEXT):
        assert ids[-1] == Place(len(REASONING), len(TEXT), 1)


@pytest.mark.parametrize("place", [Place(10**6, 10**6, 10**6), Place(len(REASONING), len(TEXT), 1)])
def test_after_the_end_nothing_comes(place: Place) -> None:
    assert Reader(place).read(EVENTS) == []


@pytest.mark.parametrize("seen", range(len(EVENTS) + 1))
def test_what_was_followed_live_and_what_the_message_holds_join_without_a_seam(seen: int) -> None:
    reader = Reader(Place(2, 1))
    told = reader.read(EVENTS[:seen]) + rest(Message(text=TEXT, reasoning=REASONING), reader)
    assert joined(told, "text_delta") == TEXT[1:]
    assert joined(told, "reasoning_delta") == REASONING[2:]


def test_a_long_answer_comes_in_pieces_each_of_which_is_a_place_to_go_on_from() -> None:
    text = "".join(chr(0x4E00 + number % 5000) for number in range(2 * LONGEST_DELTA + 5))
    told = rest(Message(text=text, reasoning=""), Reader(Place(0, 3)))
    assert [len(event.data["text"]) for event in told if event.data] == [LONGEST_DELTA, LONGEST_DELTA, 2]  # type: ignore[arg-type]
    assert joined(told, "text_delta") == text[3:]
    again = rest(Message(text=text, reasoning=""), Reader(Place.parse(told[0].id)))
    assert told[1:] == again


def test_an_empty_answer_is_no_event() -> None:
    assert rest(Message(text="", reasoning=""), Reader(Place())) == []


def test_the_end_says_usage_error_and_status_in_this_order(db: None) -> None:
    turn = make_turn()
    Generation.objects.update(status=Status.FAILED, error_code="unavailable", error_sentence="It is away.", trimmed_turns=3)
    usage = Usage(generation=turn.generation, input_tokens=3, output_tokens=4, is_estimated=True)
    usage.take_prices(make_model(input_price=1, output_price="0.000001"))
    usage.save()
    names = [(event.name, json.loads(event.data)) for event in events_in(end(Message.objects.get(pk=turn.answer.pk)))]
    assert [name for name, _ in names] == ["usage", "error", "done"]
    assert names[0][1]["cost"] == "0.000003000004"
    assert names[0][1]["estimated"] is True
    assert names[1][1] == {"code": "unavailable", "message": "It is away."}
    assert names[2][1] == {"status": "failed", "finish_reason": "", "trimmed_turns": 3}


def test_the_end_of_a_stopped_answer_has_a_code_though_nothing_failed(db: None) -> None:
    turn = make_turn()
    assert turn.generation.request_stop()
    error, done = events_in(end(Message.objects.get(pk=turn.answer.pk)))
    assert json.loads(error.data) == {"code": "stopped", "message": "You stopped this answer."}
    assert done.name == "done"
