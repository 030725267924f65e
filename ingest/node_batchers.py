"""An EventBatcher for each node of Redis: while one is away, only its own events are spooled."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from typing import TYPE_CHECKING

from ingest.batching import EventBatcher

if TYPE_CHECKING:
    from collections.abc import Sequence

    from catchwater.event import Event
    from catchwater.streams.producer import EventProducer
    from ingest.spool import Spool


class NodeBatchers:
    """Takes events from any number of tasks. On a single Redis there is one batcher."""

    def __init__(self, producer: EventProducer, spool: Spool) -> None:
        self._producer = producer
        self._spool = spool
        self._of: dict[str, EventBatcher] = {}

    @property
    def not_ready_reason(self) -> str:
        """Why no event, or none of some node, can be taken, for /readyz; '' when all can."""
        return "; ".join(filter(None, (one.not_ready_reason for one in self._of.values())))

    async def add(self, events: Sequence[Event]) -> None:
        """When this returns, these are stored: in Redis, or else in the spool.

        Raises as `EventBatcher.add` does; then the events of other nodes may be stored.
        """
        parts: defaultdict[str, list[Event]] = defaultdict(list)
        for event in events:
            parts[self._producer.node_of(event)].append(event)
        adding = [self._batcher(node).add(part) for node, part in parts.items()]
        if len(adding) == 1:  # nearly always: a task of its own would cost more than the rest
            await adding[0]
        else:
            await asyncio.gather(*adding)

    def _batcher(self, node: str) -> EventBatcher:
        if node not in self._of:  # maybe in the place of one that refused, and is gone
            able = {name: one for name, one in self._of.items() if not one.not_ready_reason}
            self._of = able | {node: EventBatcher(self._producer, self._spool)}
        return self._of[node]
