"""The events of concurrent requests go to Redis together: one round trip and one fsync for all
that wait.
"""

from __future__ import annotations

import asyncio
import time
from collections import deque
from contextlib import suppress
from typing import TYPE_CHECKING, Protocol

import structlog

from catchwater import metrics
from catchwater.errors import (
    NotStoredError,
    PartlyAddedError,
    RefusedError,
    SpoolFullError,
    UnavailableError,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from catchwater.event import Event
    from ingest.spool import Spool

log = structlog.get_logger()

MOST = 1000
"""Events in one round trip."""

MOST_BYTES = 4_000_000
"""Bytes of their bodies: a round trip ends after the post that reaches it."""

GATHER_S = 0.004
"""From the start of one flush to the next, at most: what comes meanwhile goes along.

A post that comes alone goes at once, and so do as many as went together lately: who waits for an
answer sends no more. A flush costs Redis a write to its disk, and the same for one event as for
ten.
"""

LATELY = 16
"""Flushes that are looked back at for how many posts come together."""

PATIENCE_S = 0.4
"""How long a post waits for Redis before its events go to the spool."""

REST_S = 1.0
"""How long everything goes to the spool at once after Redis was found away."""


class Target(Protocol):
    """Where events go: an EventProducer."""

    async def add(self, events: Sequence[Event]) -> None: ...


class _Post:
    """The events of one request, and who waits for them."""

    __slots__ = ("done", "events", "size")

    def __init__(self, events: Sequence[Event]) -> None:
        self.events = events
        self.size = sum(len(event.body) for event in events)
        self.done: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def finish(self, error: BaseException | None) -> None:
        if self.done.done():  # its request is gone
            return
        if error is None:
            self.done.set_result(None)
        else:
            self.done.set_exception(error)


class EventBatcher:
    """Takes events from any number of tasks.

    While one flush is on its way, the next one gathers.
    """

    def __init__(self, producer: Target, spool: Spool) -> None:
        self._producer = producer
        self._spool = spool
        self._waiting: list[_Post] = []
        self._flushing: asyncio.Task[None] | None = None
        self._hanging: asyncio.Future[None] | None = None
        """An add that Redis has not answered in time. Until it ends, no other is tried."""
        self._away_until = 0.0
        self._flush_next = 0.0
        self._together = deque([1], maxlen=LATELY)
        self._expected = 1
        self._all_here = asyncio.Event()
        self.not_ready_reason = ""
        """Why no event can be taken, for /readyz; '' when it can."""

    async def add(self, events: Sequence[Event]) -> None:
        """When this returns, these are stored: in Redis, or else in the spool.

        Raises SpoolFullError, and NotStoredError where Redis refuses them for good.
        """
        post = _Post(events)
        self._waiting.append(post)
        if len(self._waiting) >= self._expected:
            self._all_here.set()
        if self._flushing is None:
            self._flushing = asyncio.create_task(self._flush())
        await post.done

    async def _flush(self) -> None:
        try:
            while self._waiting:
                await self._gather()
                posts = self._take()
                try:
                    await self._store([event for post in posts for event in post.events])
                except BaseException as error:  # noqa: BLE001 - whatever it is, each that waits must hear of it
                    _finish(posts, error)
                else:
                    _finish(posts, None)
        finally:
            self._flushing = None

    async def _gather(self) -> None:
        rest_s = self._flush_next - time.monotonic()
        if rest_s > 0 and len(self._waiting) < min(MOST, self._expected):
            self._all_here.clear()
            with suppress(TimeoutError):
                await asyncio.wait_for(self._all_here.wait(), rest_s)
        self._flush_next = time.monotonic() + GATHER_S

    def _take(self) -> list[_Post]:
        count, events, size = 0, 0, 0
        while count < len(self._waiting) and events < MOST and size < MOST_BYTES:
            events += len(self._waiting[count].events)
            size += self._waiting[count].size
            count += 1
        taken, self._waiting = self._waiting[:count], self._waiting[count:]
        self._together.append(count)
        self._expected = max(self._together)
        return taken

    async def _store(self, events: Sequence[Event]) -> None:
        if self._hanging is None and time.monotonic() >= self._away_until:
            adding = asyncio.ensure_future(self._producer.add(events))
            await asyncio.wait([adding], timeout=PATIENCE_S)
            if not adding.done():
                return await self._spool_instead(events, adding)
            events = self._missing(events, adding)
        if events:
            await self._spool_put(events)
        return None

    def _missing(self, events: Sequence[Event], adding: asyncio.Future[None]) -> Sequence[Event]:
        """Those that Redis does not have. Raises NotStoredError where it refuses them for good."""
        try:
            adding.result()
        except UnavailableError as error:
            self._away_until = time.monotonic() + REST_S
            log.warning("events go to the spool", why=str(error))
            added = error.added if isinstance(error, PartlyAddedError) else ()
            return [event for event in events if event.id not in added]
        except RefusedError as error:
            self.not_ready_reason = f"Redis refuses events: {error}"
            log.error("events are refused", why=str(error))  # noqa: TRY400 - its own words suffice
            raise NotStoredError(self.not_ready_reason) from error
        self.not_ready_reason = ""
        return ()

    async def _spool_instead(self, events: Sequence[Event], adding: asyncio.Future[None]) -> None:
        """Redis hangs. If the add ends well after all, dedupe drops the second copy."""
        self._hanging = adding
        adding.add_done_callback(self._ended)
        log.warning("events go to the spool", why=f"Redis has not answered for {PATIENCE_S} s")
        try:
            await self._spool_put(events)
        except SpoolFullError:
            await asyncio.wait([adding])
            if self._missing(events, adding):
                raise

    def _ended(self, adding: asyncio.Future[None]) -> None:
        self._hanging = None
        if adding.cancelled() or adding.exception():
            self._away_until = time.monotonic() + REST_S

    async def _spool_put(self, events: Sequence[Event]) -> None:
        loop = asyncio.get_running_loop()
        await loop.run_in_executor(self._spool.executor, self._spool.put, events)
        metrics.SPOOLED.inc(len(events))


def _finish(posts: Sequence[_Post], error: BaseException | None) -> None:
    for post in posts:
        post.finish(error)
