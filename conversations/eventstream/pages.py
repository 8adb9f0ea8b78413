"""The stream a browser swaps into its page: frames of HTML partials, rendered once for all who watch an answer here."""

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Iterator
from contextlib import aclosing, contextmanager

from conversations.events import Place
from conversations.generation.feed import Feed, feeds
from conversations.models import Message
from conversations.rendering.answers import Answer
from conversations.rendering.fragments import LiveAnswer, footer, waiting

from . import sse
from .follow import Permission, always, answer_in_thread, follow

CATCH_UP_SECONDS = 0.25  # how long what a large open piece holds back may stay unseen
FRAMES_KEPT = 32  # more than a second: a watcher further behind is given the whole instead


async def page_stream(message: Message, place: Place, may_go_on: Permission = always) -> AsyncIterator[bytes]:
    """Yield the events that bring a page that holds `place` to the end of the answer.

    `may_go_on` is asked before each ping; who may not is cut off, and told why when the page connects again.
    """
    generation = message.generation
    if not generation.is_live:
        ended = await answer_in_thread(message.pk)
        yield finished(ended) if ended else sse.GONE
        return
    with feeds.hold(generation.pk) as feed, watching(feed, message.pk) as broadcast:
        number, is_running, is_waiting = broadcast.number, False, feed.is_waiting
        first = broadcast.live.since(place) + waiting(message.pk, is_waiting)  # another process may have told the page otherwise
        yield sse.encode(first, id=str(broadcast.live.place))
        async with aclosing(follow(feed)) as following:
            async for has_news in following:
                if not has_news:
                    if not await may_go_on():
                        return
                    yield sse.PING
                    continue
                if feed.is_running and not is_running:
                    is_running = True
                    yield sse.encode("running", event="status")
                if feed.is_waiting != is_waiting:
                    is_waiting = feed.is_waiting
                    yield sse.encode(waiting(message.pk, is_waiting))
                if number < broadcast.number:
                    missed, number = broadcast.after(number), broadcast.number  # before the yield: more may come while the client reads
                    yield missed
        yield await broadcast.end()


def finished(message: Message) -> bytes:
    """Return the one event that makes any page show a finished answer, and the end."""
    live = LiveAnswer(message.pk)
    live.load(message.events())
    answer = Answer(message)
    return sse.encode(live.whole() + footer(answer)) + sse.encode(answer.status, event="done")


class Broadcast:
    """The frames of one answer in this process."""

    def __init__(self, feed: Feed, message_id: int) -> None:
        self.feed, self.message_id = feed, message_id
        self.live = LiveAnswer(message_id)
        self.number = 0  # of the last frame
        self.watchers = 0
        self._frames: deque[bytes] = deque(maxlen=FRAMES_KEPT)
        self._seen = 0
        self._end: bytes | None = None
        self._catching_up: asyncio.TimerHandle | None = None
        self.advance()

    def advance(self) -> None:
        """Render what the feed has news of into one frame. An event id goes only with a frame that closes a block:
        from there a reconnected page can go on."""
        if self._seen == len(self.feed.events):
            return
        before = self.live.place
        self.live.apply(self.feed.events[self._seen :])
        self._seen = len(self.feed.events)
        self._add_frame(self.live.frame(), before)
        if self.live.is_behind and self._catching_up is None:
            self._catching_up = asyncio.get_running_loop().call_later(CATCH_UP_SECONDS, self._catch_up)

    def _catch_up(self) -> None:
        """Show what the last frames held back, if they still do: the model may be silent for long now."""
        self._catching_up = None
        if self.live.is_behind:
            self._add_frame(self.live.frame(is_whole=True), self.live.place)
            self.feed.tell()

    def _add_frame(self, html: str, before: Place) -> None:
        if html:
            self.number += 1
            now = self.live.place
            asked = b"".join(sse.encode(question, event="question") for question in self.live.questions)
            self.live.questions.clear()
            self._frames.append(sse.encode(html, id=str(now) if now != before else "") + asked)

    def close(self) -> None:
        if self._catching_up:
            self._catching_up.cancel()

    def after(self, number: int) -> bytes:
        """Return the frames after `number`, or the whole where they are kept no more."""
        missed = self.number - number
        if missed == 1:
            return self._frames[-1]
        if missed > len(self._frames):
            return sse.encode(self.live.whole(), id=str(self.live.place))
        return b"".join(list(self._frames)[-missed:])

    async def end(self) -> bytes:
        """Return the events that end the stream: what the finished answer changes, its footer, and the status."""
        if self._end is None:
            message = await answer_in_thread(self.message_id)
            if self._end is None:
                self._end = self._conclude(message) if message else sse.GONE
        return self._end

    def _conclude(self, message: Message) -> bytes:
        self.advance()
        if not self.live.holds(message.extent):
            return finished(message)  # run elsewhere, and its journal was folded before it was read to the end here
        answer = Answer(message)
        return sse.encode(self.live.finish() + footer(answer)) + sse.encode(answer.status, event="done")


_broadcasts: dict[Feed, Broadcast] = {}


@contextmanager
def watching(feed: Feed, message_id: int) -> Iterator[Broadcast]:
    """The broadcast of a feed, kept and advanced for as long as somebody watches."""
    broadcast = _broadcasts.get(feed)
    if broadcast is None:
        broadcast = _broadcasts[feed] = Broadcast(feed, message_id)
        feed.listeners.add(broadcast.advance)
    broadcast.watchers += 1
    try:
        yield broadcast
    finally:
        broadcast.watchers -= 1
        if not broadcast.watchers:
            feed.listeners.discard(broadcast.advance)
            broadcast.close()
            del _broadcasts[feed]
