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
    from collections.abc import Callable, Mapping, Sequence

    from catchwater.event import Event
    from ingest.spool import Spool
    from ingest.spool_rows import Page

log = structlog.get_logger()

DRAIN_EVERY_S = 0.5
LONGEST_WAIT_S = 5.0
"""Between two looks at the spool; doubled after each failure, up to the longest."""

ONLY_NODE = ""
"""The name of a Redis that is no cluster: nothing is drained while it takes nothing."""

T = TypeVar("T")


class Target(Protocol):
    """Where events go: an EventProducer."""

    async def add(self, events: Sequence[Event]) -> None: ...

    def node_of(self, event: Event) -> str: ...

    async def takes(self, event: Event) -> bool: ...

    async def histories(self) -> dict[str, str]: ...

    async def replicated_since(self, histories: Mapping[str, str]) -> bool: ...


class SpoolDrain:
    """One per process. Of several processes on one spool, one drains."""

    def __init__(self, producer: Target, spool: Spool) -> None:
        self._producer = producer
        self._spool = spool
        self._unconfirmed: Mapping[str, str] = {}
        """The histories of the nodes that have rows which their replicas may not have."""
        self._away: dict[str, Event] = {}
        """Nodes of Redis that took nothing when it was tried last, each with an event for it. What
        is theirs is left in the spool, and what is behind that goes on to the others.
        """

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
        if not self._spool.has_marks and not self._spool.lock_drain():
            await self._show_depth()  # another process drains
            return
        try:
            await self._look_again()
            await self._add_all()
            await self._delete_added()
        finally:
            if not self._spool.has_marks:
                self._spool.unlock_drain()
            await self._show_depth()
        if self._away:
            raise UnavailableError(f"Redis is away: the rest waits for {', '.join(self._away)}")

    async def _look_again(self) -> None:
        """Begin anew where a node takes events again. What the others have is deleted before that,
        or it would be added again.
        """
        if self._spool.has_added:
            return
        back = [node for node, event in self._away.items() if await self._producer.takes(event)]
        for node in back:
            del self._away[node]
            await self._in_thread(self._spool.forget_added)

    async def _add_all(self) -> None:
        while ONLY_NODE not in self._away and (page := await self._in_thread(self._spool.page)):
            await self._add(page)

    async def _add(self, page: Page) -> None:
        if page.unreadable:
            await self._in_thread(self._spool.set_unreadable_aside, page.unreadable)
            log.error("rows of the spool are no events: set aside", rows=len(page.unreadable))
        rows = zip(page.numbers, page.events, strict=True)
        left = await self._left(page.events)
        numbers = [number for number, event in rows if event.id in left]
        await self._in_thread(self._spool.mark_added, page, numbers)

    async def _left(self, events: Sequence[Event]) -> set[str]:
        """Add these; the ids of those that their nodes do not take just now."""
        histories = self._unconfirmed or await self._producer.histories()
        able = [one for one in events if self._may_take(self._producer.node_of(one), histories)]
        try:
            if able:
                await self._producer.add(able)
        except NotReplicatedError:
            self._unconfirmed = _known(histories)
        except PartlyAddedError as error:
            self._unconfirmed = _known(histories)
            able = [one for one in able if one.id in error.added]
        added = {one.id for one in able}
        left = [one for one in events if one.id not in added]
        self._away |= {self._producer.node_of(one): one for one in left}
        return {one.id for one in left}

    def _may_take(self, node: str, histories: Mapping[str, str]) -> bool:
        """Whether it is not away; and where replicas are waited for, its history is known."""
        return node not in self._away and (not histories or bool(histories.get(node)))

    async def _delete_added(self) -> None:
        """Delete what was added, once as many replicas as wanted have it.

        After a failover Redis may have lost it: then everything is added again.
        """
        if self._unconfirmed:
            now = await self._producer.histories()
            if any(now.get(node) not in ("", one) for node, one in self._unconfirmed.items()):
                self._unconfirmed = {}
                await self._in_thread(self._spool.forget_added)
                return
            if not await self._producer.replicated_since(self._unconfirmed):
                return
            self._unconfirmed = {}
        await self._in_thread(self._spool.delete_added)

    async def _show_depth(self) -> None:
        try:
            metrics.SPOOL_DEPTH.set(await self._in_thread(self._spool.depth))
        except SpoolFullError as error:
            log.warning("the spool cannot be counted", why=str(error))

    async def _in_thread(self, call: Callable[..., T], *arguments: Any) -> T:
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._spool.executor, call, *arguments)


def _known(histories: Mapping[str, str]) -> dict[str, str]:
    return {node: history for node, history in histories.items() if history}
