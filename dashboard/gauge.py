"""The pipeline's state as pages, programs and Prometheus see it: one snapshot a second at most, shared by all."""

from __future__ import annotations

import asyncio
import time
from collections import deque
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import structlog

from catchwater import metrics, pipeline
from catchwater.connection import Refused, Unavailable
from dashboard import moments

if TYPE_CHECKING:
    from collections.abc import Iterable

    from prometheus_client import Metric

    from catchwater.connection import Connection
    from catchwater.event import Json
    from catchwater.pipeline import Audit, Held, Snapshot
    from catchwater.streamdefs import StreamDefs
    from dashboard.store import Store

log = structlog.get_logger()

FRESH = 0.9
"""Seconds a reading serves: a page that asks every second gets a new one each time."""

BEAT = 2.0
"""Seconds between readings when nobody asks: Prometheus and the rates want them."""

SPAN = 15.0
"""Seconds over which a rate is taken: long enough to be calm, short enough to be now."""

SLOW = 0.5
SHARE = 10
"""When an audit takes longer than `SLOW` seconds, as with very many issues, it may take one part in `SHARE` of the
time: it is then made less often, and the last one stands meanwhile."""


@dataclass(frozen=True, slots=True)
class Reading:
    """One look at the pipeline. `at` is this process's monotonic clock in seconds."""

    at: float
    snapshot: Snapshot
    audit: Audit
    json: Json


@dataclass(slots=True)
class Rates:
    """Events a second that each stage has done with, from what it had done before."""

    _past: deque[tuple[float, dict[str, int]]] = field(default_factory=deque)

    def add(self, at: float, done: dict[str, int]) -> dict[str, float]:
        """The rates now that `done` was read at `at`. 0 until there are two readings, or after a fall to zero."""
        self._past.append((at, done))
        while len(self._past) > 2 and at - self._past[1][0] >= SPAN:
            self._past.popleft()
        then, before = self._past[0]
        gone = at - then
        return {
            stage: round(max(0, n - before.get(stage, n)) / gone, 1) if gone > 0 else 0.0 for stage, n in done.items()
        }


class PipelineGauge:
    """Takes readings. The connection is its own; only one reading is taken at a time."""

    def __init__(self, connection: Connection, defs: StreamDefs, store: Store) -> None:
        self._connection = connection
        self._defs = defs
        self._store = store
        self._rates = Rates()
        self._lock = asyncio.Lock()
        self._reading: Reading | None = None
        self._audit: Audit | None = None
        self._audit_due = 0.0
        self.trouble = "has not looked at Redis yet"
        """Why not everything can be shown; empty when it can."""

    async def reading(self) -> Reading:
        """The newest reading, taken now if the last one is old. Raises Unavailable when Redis is away."""
        async with self._lock:
            if self._reading is None or time.monotonic() - self._reading.at > FRESH:
                self._reading = None  # better no number than an old one
                self._reading = await self._take()
            return self._reading

    async def run(self, stopping: asyncio.Event) -> None:
        """Take readings until `stopping`, so that the metrics move and rates are known when somebody looks."""
        while not stopping.is_set():
            try:
                reading = await self.reading()
                self.trouble = "MongoDB does not answer" if reading.audit.stored is None else ""
            except (Unavailable, Refused) as error:
                self.trouble = str(error)
            except Exception:
                log.exception("the pipeline could not be read; it is tried again")
                self.trouble = "the pipeline could not be read: see the log"
            with suppress(TimeoutError):
                await asyncio.wait_for(stopping.wait(), BEAT)

    def close(self) -> None:
        self._connection.close()

    def collect(self) -> Iterable[Metric]:
        """What Prometheus scrapes: see catchwater/metrics.py. Called from the thread of the ops port."""
        reading = self._reading
        return metrics.of_pipeline(reading.snapshot, reading.audit) if reading else metrics.of_pipeline(None, None)

    async def _take(self) -> Reading:
        snapshot = await self._snapshot()
        audit = await self._audited(snapshot)
        at = time.monotonic()
        rates = self._rates.add(at, {stage.stage: stage.done_total for stage in snapshot.stages})
        found = pipeline.as_json(snapshot, audit)
        found["audit"]["missing"] = audit.missing
        for stage in found["stages"]:
            stage["rate"] = rates[stage["stage"]]
        return Reading(at, snapshot, audit, {**found, "taken": moments.iso(moments.now())})

    async def _snapshot(self) -> Snapshot:
        return await asyncio.to_thread(pipeline.take, self._connection, self._defs)

    async def _audited(self, snapshot: Snapshot) -> Audit:
        """The audit, made anew unless summing up MongoDB would then take more than its share of the time."""
        started = time.monotonic()
        if self._audit is None or started >= self._audit_due:
            self._audit = await self._audit_of(snapshot)
            took = time.monotonic() - started
            self._audit_due = started + SHARE * took if took > SLOW else 0.0
        return self._audit

    async def _audit_of(self, snapshot: Snapshot) -> Audit:
        """The audit of one moment. MongoDB is read after Redis, so it may be ahead; it must then be no further
        ahead than Redis is by the time it has answered.
        """
        since = snapshot.auditable_since(self._defs.retention.issues)
        stored = await self._sum(snapshot, since)
        if stored is None or snapshot.kept(stored, since).at_most(snapshot.held()):
            return snapshot.audit(stored, since)
        later = await self._snapshot()
        if not later.kept(stored, since).at_most(later.held()):
            return later.audit(stored, since)
        return snapshot.audit(snapshot.kept(stored, since).least(snapshot.held()))

    async def _sum(self, snapshot: Snapshot, since: str) -> Held | None:
        """What MongoDB counts; None when it is away."""
        try:
            return await self._store.stored(snapshot.lives, since)
        except Unavailable:
            return None
