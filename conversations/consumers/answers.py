"""The events of an answer, for clients whose network breaks event streams: the same, from the same door, one in each frame."""

from contextlib import aclosing

from chatsite import threads
from conversations.events import Place
from conversations.eventstream.programs import program_events
from conversations.models.messages import answer_to_follow

from .socket import Caller, Closed, Code, Frames, frame, socket

answer_in_thread = threads.in_thread(threads.web, answer_to_follow.first)


@socket
async def answer_events(caller: Caller, pk: int) -> Frames:
    message = await answer_in_thread(pk, caller.person)
    if message is None:
        raise Closed(Code.NOT_FOUND)
    place = Place.parse(caller.query.get("after") or "")
    async with aclosing(program_events(message, place, caller.may_go_on)) as batches:
        async for events in batches:
            for name, data, id in events:
                yield frame(name, data, id)
