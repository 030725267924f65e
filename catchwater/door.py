"""The writing end of the pipeline: what ingest puts events through."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from catchwater import keys
from catchwater.connection import AsyncConnection, Unavailable
from catchwater.event import Event, encode
from catchwater.streamdefs import SOURCE

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from catchwater.streamdefs import StreamDefs


class Door:
    """Puts events on the first stream, each on the partition of its id."""

    def __init__(self, url: str, defs: StreamDefs, *, wait_replicas: int = 0, wait_ms: int = 1000) -> None:
        """With `wait_replicas`, an event counts as taken when that many replicas have it, too."""
        self._connection = AsyncConnection(url)
        self._defs = defs
        self._streams = [keys.stream(tag, SOURCE) for tag in defs.tags]
        self._replicas = wait_replicas
        self._wait_ms = wait_ms

    async def add(self, events: Sequence[Event]) -> None:
        """Redis has all of these when this returns, on disk if it is set up so. One round trip.

        Raises Unavailable: then they may be in or not. Adding them again is safe, dedupe ends the second copy.
        """
        commands = [self._entry(event) for event in events]
        if self._replicas:
            commands.append(("WAIT", self._replicas, self._wait_ms))
        results = await self._connection.calls(commands)
        if self._replicas and results[-1] < self._replicas:
            raise Unavailable(f"{results[-1]} of {self._replicas} replicas have it after {self._wait_ms} ms")

    async def note(self, counts: Mapping[str, int]) -> None:
        """Add to the counts of what never was accepted: `refused:<reason>` and `client:<reason>`."""
        await self._connection.calls([("HINCRBY", keys.DOOR, name, n) for name, n in counts.items()])

    async def close(self) -> None:
        await self._connection.close()

    def _entry(self, event: Event) -> tuple[Any, ...]:
        return ("XADD", self._streams[self._defs.partition_of(event.id)], "*", *_flat(encode(event).items()))


def _flat(items: Iterable[tuple[bytes, bytes]]) -> list[bytes]:
    return [part for item in items for part in item]
