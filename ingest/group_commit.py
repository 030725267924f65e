"""The events of concurrent requests go to Redis together: one round trip and one fsync for all that wait."""

from __future__ import annotations

import asyncio
import sqlite3
import time
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

import structlog

from catchwater import metrics
from catchwater.connection import Refused, Unavailable

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from catchwater.event import Event
    from ingest.spool import Spool

log = structlog.get_logger()

MOST = 1000
"""Events in one round trip."""

GATHER = 0.004
"""Seconds from the start of one flush to the next: what comes meanwhile goes along. A post that comes alone goes at
once. A flush costs Redis a write to its disk, and the same for one event as for ten.
"""

REST = 1.0
"""Seconds that everything goes to the spool at once after Redis was found away: nobody waits for a time-out twice."""

DRAIN_EVERY = 0.5
"""Seconds between looks at the spool."""

T = TypeVar("T")
Waiting = tuple["Sequence[Event]", "asyncio.Future[None]"]


class Target(Protocol):
    """Where events go: catchwater.door.Door."""

    async def add(self, events: Sequence[Event]) -> None: ...


class GroupCommit:
    """Takes events from any number of tasks. While one flush is on its way, the next one gathers."""

    def __init__(self, door: Target, spool: Spool) -> None:
        self._door = door
        self._spool = spool
        self._waiting: list[Waiting] = []
        self._flushing: asyncio.Task[None] | None = None
        self._away_until = 0.0
        self._flush_next = 0.0

    async def add(self, events: Sequence[Event]) -> None:
        """These are kept for good when this returns: in Redis, or else in the spool. Raises SpoolFull."""
        done = asyncio.get_running_loop().create_future()
        self._waiting.append((events, done))
        if self._flushing is None:
            self._flushing = asyncio.create_task(self._flush())
        await done

    async def _flush(self) -> None:
        try:
            while self._waiting:
                await self._gather()
                taken = self._take()
                try:
                    await self._keep([event for events, _ in taken for event in events])
                except BaseException as error:  # noqa: BLE001 - whatever it is, each that waits must hear of it
                    _tell(taken, error)
                else:
                    _tell(taken, None)
        finally:
            self._flushing = None

    async def _gather(self) -> None:
        if (rest := self._flush_next - time.monotonic()) > 0 and len(self._waiting) < MOST:
            await asyncio.sleep(rest)
        self._flush_next = time.monotonic() + GATHER

    def _take(self) -> list[Waiting]:
        count, size = 0, 0
        while count < len(self._waiting) and size < MOST:
            size += len(self._waiting[count][0])
            count += 1
        taken, self._waiting = self._waiting[:count], self._waiting[count:]
        return taken

    async def _keep(self, events: Sequence[Event]) -> None:
        if time.monotonic() >= self._away_until:
            try:
                return await self._door.add(events)
            except (Unavailable, Refused) as error:
                self._away_until = time.monotonic() + REST
                log.warning("events go to the spool", why=str(error))
        await self._in_thread(self._spool.put, events)
        metrics.SPOOLED.inc(len(events))
        return None

    async def drain_for_ever(self) -> None:
        """Bring what is in the spool to Redis, as soon as that answers."""
        while True:
            try:
                await self.drain()
            except (Unavailable, Refused):
                log.info("the spool waits for Redis")
            except sqlite3.Error as error:  # a full disk, say: what comes in meanwhile goes to Redis all the same
                log.warning("the spool cannot be drained", why=str(error))
            await asyncio.sleep(DRAIN_EVERY)

    async def drain(self) -> None:
        """Empty the spool. An event is forgotten when Redis has it; dying in between adds it twice: dedupe's work."""
        with self._spool.draining() as mine:
            while mine and (page := await self._in_thread(self._spool.page)):
                await self._door.add([event for _, event in page])
                await self._in_thread(self._spool.forget, [number for number, _ in page])
        metrics.SPOOL_DEPTH.set(await self._in_thread(self._spool.depth))

    async def _in_thread(self, call: Callable[..., T], *arguments: Any) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._spool.executor, call, *arguments)


def _tell(taken: Sequence[Waiting], error: BaseException | None) -> None:
    for _, done in taken:
        if done.done():  # its request is gone
            continue
        if error is None:
            done.set_result(None)
        else:
            done.set_exception(error)
