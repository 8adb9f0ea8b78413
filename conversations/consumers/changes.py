"""The light socket of a page: what changes for the person, as numbers, so that sidebars and other tabs keep in step."""

from contextlib import aclosing

from conversations.eventstream.follow import follow
from conversations.generation.changes import Change, changes

from .socket import Caller, Closed, Code, Frames, frame, socket


@socket
async def changes_of_person(caller: Caller) -> Frames:
    """Tell what changes until the page leaves; `?since=` (milliseconds) tells first what changed after that moment."""
    with changes.hold(caller.person) as feed:
        number = feed.number
        yield frame("ping")
        for change in changes.since(caller.person, moment(caller.query.get("since") or "")):
            yield told(change)
        async with aclosing(follow(feed)) as following:
            async for has_news in following:
                if not has_news:
                    await caller.may_go_on()
                    yield frame("ping")
                    continue
                missed, number = feed.after(number), feed.number  # before the yield: more may come while the page reads
                for change in missed or ():
                    yield told(change)
                if missed is None:
                    yield frame("all")
    raise Closed(Code.RESTART)


def told(change: Change) -> str:
    about: dict[str, object] = {"conversation": change.conversation}
    return frame(change.kind, about | ({"answer": change.answer} if change.answer else {}))


def moment(milliseconds: str) -> float:
    """Seconds of the clock; without a moment nothing is after it."""
    return int(milliseconds) / 1000 if milliseconds.isascii() and milliseconds.isdecimal() and len(milliseconds) < 19 else float("inf")
