"""Whether a post may come in: before its body is read, while it is read, and when its events are
known.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ingest.fair_shares import EVENT_BYTES, FairShares
from ingest.refusal import OVER_LIMIT_WAIT_S, Refusal

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from catchwater.config.projects import Project
    from catchwater.config.streamdefs import StreamDefs
    from catchwater.event import Event
    from catchwater.monitoring.snapshot import Snapshot
    from ingest.in_flight import InFlight, PostBytes
    from ingest.rates import Rates


SHARE = Refusal(
    429,
    "share",
    OVER_LIMIT_WAIT_S,
    "most of what waits is of this project, and room is short: come again later",
)


class Admission:
    """Everything that decides whether a project may send just now."""

    def __init__(
        self,
        defs: StreamDefs,
        watermark: float,
        latest: Callable[[], Snapshot | None],
        spool_fill: Callable[[], float],
        rates: Rates,
        in_flight: InFlight,
    ) -> None:
        """`watermark` is the part of Redis's memory (0 to 1) that may be used; `latest` is the
        last picture of the pipeline, and `spool_fill` the part of the spool that is taken.
        """
        self._defs = defs
        self._watermark = watermark
        self._latest = latest
        self._spool_fill = spool_fill
        self._rates = rates
        self._in_flight = in_flight
        self._shares = FairShares()
        self._judged: Snapshot | None = None
        self._pressure: Refusal | None = None
        self._fill = 0.0

    def refusal(self, project: Project, *, alone: bool) -> Refusal | None:
        """Why the project may not send; None when it may. `alone`: there is no other project."""
        self._judge()
        if self._pressure:
            return self._pressure
        if not alone and self._shares.is_over(project.id, max(self._fill, self._spool_fill())):
            return SHARE
        return self._rates.refusal(project)

    def held(self, project: Project, *, alone: bool) -> PostBytes:
        """The bytes of one post of the project, until the end of its `with` block."""
        return self._in_flight.post(project.id, alone=alone)

    async def pay(self, project: Project, events: Sequence[Event]) -> None:
        """These events are about to be accepted. Raises RefusedRequestError when the project's
        rate does not allow for them.
        """
        await self._rates.take(project, len(events))
        size = sum(len(event.body) for event in events)
        self._shares.spend(project.id, size + EVENT_BYTES * len(events))

    def _judge(self) -> None:
        """Once for each snapshot, not for each request. While Redis is away there is none."""
        snapshot = self._latest()
        if snapshot is self._judged:
            return
        self._judged, self._pressure, self._fill = snapshot, None, 0.0
        if snapshot is not None:
            self._pressure = pressure(snapshot, self._defs, self._watermark)
            self._fill = fill(snapshot, self._defs, self._watermark)


def pressure(snapshot: Snapshot, defs: StreamDefs, watermark: float) -> Refusal | None:
    """Why nothing more may come in: a stream over its limit, or Redis's memory over the
    watermark (0 to 1).
    """
    for name, stream in defs.streams.items():
        if snapshot.waiting(name) >= stream.limit:
            return Refusal(
                429,
                "stream_full",
                OVER_LIMIT_WAIT_S,
                f"too many events wait in {name!r}: come again later",
            )
    if _memory_fill(snapshot, watermark) >= 1:
        return Refusal(
            503,
            "memory",
            OVER_LIMIT_WAIT_S,
            "the memory for events is nearly full: come again later",
        )
    return None


def fill(snapshot: Snapshot, defs: StreamDefs, watermark: float) -> float:
    """The part of the room that is taken (0 to 1, or more).

    A stream has room for what waits before it, too: that is on its way there.
    """
    streams = [
        sum(snapshot.waiting(name) for name in defs.upstream(stream)) / settings.limit
        for stream, settings in defs.streams.items()
    ]
    return max([*streams, _memory_fill(snapshot, watermark)])


def _memory_fill(snapshot: Snapshot, watermark: float) -> float:
    limit = watermark * snapshot.memory_limit
    return snapshot.memory_used / limit if limit else 0.0
