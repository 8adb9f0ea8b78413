"""The supervisor: claims generations for this process, holds every task it starts, and watches over the leases.

It never runs a generation without having won its claim, and never writes for one whose lease it has lost.
"""

import asyncio
import logging
import os
import secrets
import socket
from collections.abc import Coroutine, Iterable
from contextlib import suppress
from typing import Any

from django.conf import settings

from conversations.providers.registry import close_adapters

from .changes import Change, changes
from .engine import Run
from .feed import feeds
from .history import Assignment
from .journal import Journal
from .leases import Leniency, is_stop_requested_in_thread, renew_in_thread, take_in_thread
from .remote import RemoteReader
from .sweeping import keep_swept
from .titles import is_to_be_named, write_title
from .wakeups import WakeUps, What

log = logging.getLogger(__name__)

HAND_OVER_SECONDS = 5


class Supervisor:
    """One in each process. `start()` on the event loop; `notify()` from any thread."""

    def __init__(self) -> None:
        self.owner = ""
        self.claims = True
        self.runs: dict[int, Run] = {}
        self._claiming: dict[int, asyncio.Event] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._is_closing = False

    def start(self, *, claims: bool = settings.GENERATE_IN == "web") -> None:
        """Begin to work on the running loop; a second call does nothing. Who does not claim runs nothing, and only shows."""
        if self._loop is not None:
            return
        self._loop = asyncio.get_running_loop()
        self._is_closing, self.claims = False, claims
        self.owner = f"{socket.gethostname()}:{os.getpid()}:{secrets.token_hex(4)}"
        self.wakeups, self.remote = WakeUps(self._hear), RemoteReader()
        self.journal = Journal(self.owner, self._lose, self._tell_news)
        changes.open(self._tell_changes)
        self._spawn(self.journal.run(), "journal")
        for chore in (self._keep_leases(), self.remote.run(), self.wakeups.listen(), self.wakeups.speak(), keep_swept(self.notify)):
            self._spawn(chore)

    def notify(self, generation_id: int) -> None:
        """Say that a generation was queued or asked to stop. May be called from any thread; a lost call costs only a delay."""
        if self._loop is not None:
            with suppress(RuntimeError):  # the loop has closed: the sweep of another process finds it
                self._loop.call_soon_threadsafe(self._spawn_look, generation_id)

    def hold(self, work: Coroutine[Any, Any, None]) -> None:
        """Run what answers a program, on the running loop; at the end of the process it is waited for as an answer is."""
        self._spawn(work, "call")

    async def stop(self, grace_seconds: float) -> None:
        """Claim nothing more, let the answers finish for a while, hand the rest over, and end every task.

        The journal ends after the answers: one that is handed over waits for its last commit. Then the others are told.
        """
        if self._loop is None:
            return
        self._is_closing = True
        changes.close()
        for claimed in list(self._claiming.values()):  # a claim that is cut off would leave an answer that nobody runs
            await claimed.wait()
        answers = [answer for answer in self._named("answer") if not self._waits_for_person(answer)]
        if answers := answers + self._named("call"):
            await asyncio.wait(answers, timeout=grace_seconds)
        await self._cancel("chore")
        self.wakeups.tell(What.LOOK, self.runs)  # somebody is to run what is handed over
        await self._cancel("answer")
        await self._cancel("call")
        await self._cancel("title")
        await self._cancel("journal")
        await self.wakeups.close()
        await close_adapters()
        self._loop = None

    async def _cancel(self, name: str) -> None:
        """Cancel and wait; what cannot be handed over, because the database is away, is left to whoever finds its lease run out."""
        for _ in ("in order", "at once"):
            tasks = self._named(name)
            for task in tasks:
                task.cancel()
            if tasks:
                await asyncio.wait(tasks, timeout=HAND_OVER_SECONDS)

    def _named(self, name: str) -> list[asyncio.Task[None]]:
        return [task for task in self._tasks if task.get_name().startswith(name)]

    def _waits_for_person(self, answer: asyncio.Task[None]) -> bool:
        run = self.runs.get(int(answer.get_name().removeprefix("answer ")))
        return run is not None and run.rounds.wait_for_person

    def _spawn(self, work: Coroutine[Any, Any, None], name: str = "chore") -> None:
        task = asyncio.create_task(work, name=name)
        self._tasks.add(task)
        task.add_done_callback(self._reap)

    def _reap(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()):
            log.error("%s ended with an error.", task.get_name(), exc_info=error)

    def _spawn_look(self, generation_id: int) -> None:
        self._spawn(self._look(generation_id))

    async def _look(self, generation_id: int) -> None:
        """Do for one generation what its row asks for, run it or stop it; what this process cannot do the others are told."""
        if not await self._look_here(generation_id):
            self.wakeups.tell(What.LOOK, [generation_id])

    async def _look_here(self, generation_id: int, *, takes_over: bool = False) -> bool:
        """Return whether it is this process that runs the generation."""
        while claimed := self._claiming.get(generation_id):  # who comes in meanwhile waits until there is a run, or it is its turn
            await claimed.wait()
        run = self.runs.get(generation_id)
        if run is None:
            return await self._claim(generation_id, takes_over=takes_over)
        if await is_stop_requested_in_thread(generation_id):
            run.stop()
        run.rounds.hear()
        return True

    def _hear(self, what: What, about: list[Any]) -> None:
        """Do what other processes tell of."""
        if what is What.NEWS:
            self.remote.hear(about)
        elif what is What.CHANGES:
            changes.hear(about)
        else:
            for generation_id in about:
                self._spawn(self._heard_look(generation_id))

    async def _heard_look(self, generation_id: int) -> None:
        await self._look_here(generation_id)

    def _tell_news(self, generation_ids: Iterable[int]) -> None:
        self.wakeups.tell(What.NEWS, generation_ids)

    def _tell_changes(self, told: Iterable[Change]) -> None:
        self.wakeups.tell(What.CHANGES, told)

    async def _claim(self, generation_id: int, *, takes_over: bool) -> bool:
        if self._is_closing or not self.claims:
            return False
        claimed = self._claiming[generation_id] = asyncio.Event()
        try:
            assignment = await take_in_thread(generation_id, self.owner, takes_over=takes_over)
            if assignment:
                self._spawn(self._answer(assignment), f"answer {generation_id}")
                await asyncio.sleep(0)  # it begins, and is among the runs
            return assignment is not None
        finally:
            del self._claiming[generation_id]
            claimed.set()

    async def _answer(self, assignment: Assignment) -> None:
        pk = assignment.generation.pk
        with feeds.hold(pk) as feed:
            run = self.runs[pk] = Run(assignment, feed, self.journal)
            feed.is_local = True
            self._tell_news([pk])
            try:
                await run.answer()
            finally:
                del self.runs[pk]
                feed.is_local = False
                self._tell_news([pk])
        if run.has_ended and not self._is_closing and is_to_be_named(assignment, run.outcome):
            self._spawn(write_title(assignment.generation), f"title {pk}")

    async def _keep_leases(self) -> None:
        """Renew the leases of this process, obey stops, and take what nobody runs."""
        leniency = Leniency()
        while True:
            try:
                found = await renew_in_thread(self.owner, list(self.runs))
                self._obey(found.lost, found.stopped)
                for generation_id in found.queued:
                    await self._try(generation_id, takes_over=False)
                for generation_id in found.abandoned if leniency.counts(found.ahead) else []:
                    await self._try(generation_id, takes_over=True)
            except Exception:  # whatever it was, the leases have to be kept: the next round tries again
                log.exception("The leases could not be renewed, or what is free could not be claimed.")
            await asyncio.sleep(settings.HEARTBEAT_SECONDS)

    async def _try(self, generation_id: int, *, takes_over: bool) -> None:
        """Take what is free; one that cannot be taken keeps nobody from the others."""
        try:
            await self._look_here(generation_id, takes_over=takes_over)
        except Exception:  # whatever is wrong with it
            log.exception("Generation %s could not be claimed.", generation_id)

    def _obey(self, lost: Iterable[int], stopped: Iterable[int]) -> None:
        for generation_id in lost:
            self._lose(generation_id)
        for generation_id in stopped:
            if run := self.runs.get(generation_id):
                run.stop()

    def _lose(self, generation_id: int) -> None:
        if run := self.runs.get(generation_id):
            run.lose()


supervisor = Supervisor()
