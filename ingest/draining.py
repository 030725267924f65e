"""Moves events from the spool to Redis, as soon as Redis is available.

What was added is remembered until its rows are deleted, so that nothing is added again and again
because a later step fails. A process that dies in between adds it once more: dedupe drops that.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

import structlog

from catchwater import metrics
from catchwater.errors import (
    NotReplicatedError,
    PartlyAddedError,
    RefusedError,
    SpoolFullError,
    UnavailableError,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from catchwater.event import Event
    from ingest.spool import Page, Spool

log = structlog.get_logger()

DRAIN_EVERY_S = 0.5
LONGEST_WAIT_S = 5.0
"""Between two looks at the spool; doubled after each failure, up to the longest."""

T = TypeVar("T")


class Target(Protocol):
    """Where events go: an EventProducer."""

    async def add(self, events: Sequence[Event]) -> None: ...

    async def replication_id(self) -> str: ...

    async def replicated_since(self, replication_id: str) -> bool: ...


class SpoolDrain:
    """One per process. Of several processes on one spool, one drains."""

    def __init__(self, producer: Target, spool: Spool) -> None:
        self._producer = producer
        self._spool = spool
        self._unconfirmed = ""
        """The replication id of the Redis that has rows which its replicas may not have."""
        self._partly: set[str] = set()
        """Events of the oldest page that some nodes of a cluster have; another was away."""

    async def run(self) -> None:
        """Drain for ever."""
        wait_s = DRAIN_EVERY_S
        while True:
            try:
                await self.drain()
                wait_s = DRAIN_EVERY_S
            except (UnavailableError, RefusedError, SpoolFullError) as error:
                log.warning("the spool cannot be drained", why=str(error))
                wait_s = min(2 * wait_s, LONGEST_WAIT_S)
            await asyncio.sleep(wait_s)

    async def drain(self) -> None:
        """Empty the spool.

        Raises UnavailableError, RefusedError, and SpoolFullError when the file cannot be used.
        """
        if not self._spool.has_added and not self._spool.lock_drain():
            await self._show_depth()  # another process drains
            return
        try:
            await self._add_all()
            await self._delete_added()
        finally:
            if not self._spool.has_added:
                self._spool.unlock_drain()
            await self._show_depth()

    async def _add_all(self) -> None:
        while page := await self._in_thread(self._spool.page):
            await self._add(page)

    async def _add(self, page: Page) -> None:
        if page.unreadable:
            await self._in_thread(self._spool.set_unreadable_aside, page.unreadable)
            log.error("rows of the spool are no events: set aside", rows=len(page.unreadable))
        if page.events:
            replication_id = self._unconfirmed or await self._producer.replication_id()
            try:
                await self._producer.add([one for one in page.events if one.id not in self._partly])
            except NotReplicatedError:
                self._unconfirmed = replication_id
            except PartlyAddedError as error:
                self._partly |= error.added
                self._unconfirmed = replication_id
                raise
            self._partly.clear()
        await self._in_thread(self._spool.mark_added, page)

    async def _delete_added(self) -> None:
        """Delete what was added, once as many replicas as wanted have it.

        After a failover Redis may have lost it: then everything is added again.
        """
        if self._unconfirmed:
            if await self._producer.replication_id() != self._unconfirmed:
                self._unconfirmed = ""
                await self._in_thread(self._spool.forget_added)
                return
            if not await self._producer.replicated_since(self._unconfirmed):
                return
            self._unconfirmed = ""
        await self._in_thread(self._spool.delete_added)

    async def _show_depth(self) -> None:
        try:
            metrics.SPOOL_DEPTH.set(await self._in_thread(self._spool.depth))
        except SpoolFullError as error:
            log.warning("the spool cannot be counted", why=str(error))

    async def _in_thread(self, call: Callable[..., T], *arguments: Any) -> T:
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._spool.executor, call, *arguments)
