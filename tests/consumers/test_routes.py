"""Every WebSocket address there is, found from the router, called as anonymous, as a stranger and as the owner.

An address that nobody has described fails here, as tests/test_urls.py does for pages.
"""

from typing import Any, NamedTuple

import pytest
from asgiref.sync import sync_to_async

from conversations.consumers.urls import routes
from conversations.models import Turn
from tests.factories import make_turn
from tests.live import working_supervisor

from .caller import connected, is_refused, person, to_the_end

pytestmark = pytest.mark.django_db(transaction=True)
HUGE = 10**30
OPEN = 0  # it stays open


class Expected(NamedTuple):
    """The codes that the socket ends with."""

    anonymous: int
    stranger: int
    owner: int


ROUTES = {
    "answer_socket": Expected(4401, 4404, 1000),
    "changes_socket": Expected(4401, OPEN, OPEN),
}


def patterns() -> list[Any]:
    return [pattern for pattern in routes.routes if pattern.name != "nowhere"]


def make_stopped_turn(**how: Any) -> Turn:
    turn = make_turn(**how)
    assert turn.generation.request_stop()
    return turn


@pytest.mark.parametrize("pattern", patterns(), ids=lambda pattern: pattern.name)
async def test_each_address_answers_each_person_as_it_should(pattern: Any) -> None:
    assert pattern.name in ROUTES, f"The WebSocket address {pattern.pattern} is new: say in ROUTES who may open it."
    alice, alices = await person("alice")
    _, bobs = await person("bob")
    turn = await sync_to_async(make_stopped_turn)(owner=alice)
    path = "/" + str(pattern.pattern).replace("<int:pk>", str(turn.answer.pk))
    for browser, expected in zip((None, bobs, alices), ROUTES[pattern.name], strict=True):
        async with working_supervisor(), connected(path, browser) as caller:
            if expected == OPEN:
                assert await caller.receive_output() == {"type": "websocket.send", "text": '{"event":"ping"}'}
                assert await caller.receive_nothing()
            else:
                assert (await to_the_end(caller))[1] == expected


def test_the_router_was_read_to_the_end() -> None:
    assert {pattern.name for pattern in patterns()} == ROUTES.keys()


@pytest.mark.parametrize(
    "path", ["/", "/nowhere", "/messages/1", "/messages/x/events", "/messages/-1/events", "/messages/1/events/x", "//", "/%00"]
)
async def test_any_other_address_is_refused_without_a_traceback(path: str) -> None:
    assert await is_refused(path)


@pytest.mark.parametrize("pk", [0, 999_999, HUGE])
async def test_a_number_that_is_nobodys_is_not_found(pk: int) -> None:
    _, browser = await person("alice")
    async with connected(f"/messages/{pk}/events", browser) as caller:
        assert (await to_the_end(caller))[1] == 4404
