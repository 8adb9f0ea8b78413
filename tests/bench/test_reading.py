"""What the people of the benchmark note of an answer."""

from bench.person import Person
from bench.reading import Reading


def reading_of(*pieces: bytes) -> Reading:
    reading = Reading()
    for piece in pieces:
        reading.take(piece, 1_000)
    return reading


def test_a_token_counts_once_however_often_its_block_is_shown() -> None:
    reading = reading_of(b"<p>t0:400 ", b"<p>t0:400 t1:700 ")
    assert (reading.seen, list(reading.delays), reading.first_at) == (2, [600, 300], 1_000)


def test_a_token_that_is_cut_between_two_reads_is_seen_whole() -> None:
    reading = reading_of(b"t0:4", b"00 ")
    assert list(reading.delays) == [600]


def test_a_token_that_is_missing_is_noticed() -> None:
    assert not reading_of(b"t0:400 t2:500 ").is_in_order


def test_raw_chunks_of_the_provider_are_read_too() -> None:
    assert reading_of(b'data: {"created":1,"delta":{"content":"t0:400 "}}\n\n').seen == 1


def test_one_page_that_misses_a_token_is_a_failure_of_its_person() -> None:
    person = Person(0, "", viewers=2)
    person.readings[0].take(b"t0:400 ", 1_000)
    person.judge(1)
    assert "saw 0 of 1 tokens" in person.error


def test_pages_that_show_everything_are_no_failure() -> None:
    person = Person(0, "", viewers=2)
    for reading in person.readings:
        reading.take(b"t0:400 ", 1_000)
    person.judge(1)
    assert not person.error
