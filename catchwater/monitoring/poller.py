"""Watches the pipeline from outside the stages, so that its depth is seen when a stage is dead.

One reading a second at most, shared by pages, programs and Prometheus.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable, Collection, Mapping
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Self

import structlog
from prometheus_client import REGISTRY

from catchwater.errors import CatchwaterError, UnavailableError
from catchwater.monitoring import audit as audits
from catchwater.monitoring import snapshot as snapshots
from catchwater.monitoring.audit import Audit, CounterTotals, counted_in, first_audited_month
from catchwater.monitoring.gauges import gauges_of
from catchwater.monitoring.history import History

if TYPE_CHECKING:
    from collections.abc import Iterable
    from types import TracebackType

    from prometheus_client import Metric

    from catchwater.config.streamdefs import StreamDefs
    from catchwater.monitoring.history import Minute
    from catchwater.monitoring.snapshot import Snapshot

log = structlog.get_logger()

StoredCounts = Callable[[Mapping[str, str], str], CounterTotals]
"""What MongoDB has counted in these epochs (by hash tag), from that month (`yyyymm`) on.

Raises UnavailableError.
"""

FRESH_S = 0.9
"""Seconds that a reading is used for: a page that polls every second gets a new one each time."""

RATE_SPAN_S = 15.0
"""Seconds over which a rate is taken: long enough to be calm, short enough to be current."""

ACCEPTED = ""
"""What comes in, beside the stages in `Reading.rates`: no stage has that name."""

SLOW_AUDIT_S = 0.5
AUDIT_SHARE = 10
"""An audit that takes longer than `SLOW_AUDIT_S`, as with very many issues, may take one part in
`AUDIT_SHARE` of the time: it is made less often, and the last one is used meanwhile.
"""


@dataclass(frozen=True, slots=True)
class Reading:
    """The pipeline at one moment. `rates` are events a second by stage."""

    at: float
    """Monotonic, in seconds."""
    taken: datetime
    snapshot: Snapshot
    audit: Audit
    rates: Mapping[str, float]
    history: Mapping[str, list[Minute | None]]
    """By stage, the last hour by the minute, oldest first, as far as this process has seen it."""

    @property
    def accepted_rate(self) -> float:
        """Events a second that come in."""
        return self.rates[ACCEPTED]

    def as_json(self) -> dict[str, Any]:
        """`GET /api/pipeline`, but for the time when it was taken."""
        stages = [asdict(one) | {"rate": self.rates[one.stage]} for one in self.snapshot.stages]
        away, audit = self.snapshot.away, self.audit.as_json()
        return {"stages": stages, "audit": audit, "away": away}


@dataclass(slots=True)
class Rates:
    """Events a second that each stage finishes, from how many it had finished before."""

    _past: deque[tuple[float, dict[str, int]]] = field(default_factory=deque)
    _partitions: Collection[str] = ()

    def add(self, at: float, done: dict[str, int], partitions: Collection[str]) -> dict[str, float]:
        """The rates at `at`, in seconds. 0 until there are two readings of these partitions, or
        after a fall to 0.
        """
        if partitions != self._partitions:
            self._past.clear()
            self._partitions = partitions
        self._past.append((at, done))
        while len(self._past) > 2 and at - self._past[1][0] >= RATE_SPAN_S:
            self._past.popleft()
        then, before = self._past[0]
        elapsed = at - then
        return {
            stage: round(max(0, n - before.get(stage, n)) / elapsed, 1) if elapsed > 0 else 0.0
            for stage, n in done.items()
        }


class PipelinePoller:
    """Takes readings in a thread of its own, and shows the latest to Prometheus.

    Any thread may use it. Without `stored_counts` MongoDB's side of the audit is not known.
    """

    def __init__(
        self,
        redis_url: str,
        defs: StreamDefs,
        stored_counts: StoredCounts | None = None,
        *,
        every_s: float = 1.0,
    ) -> None:
        self._connection = snapshots.connect(redis_url)
        self.defs = defs
        self._stored_counts = stored_counts
        self._every_s = every_s
        self._rates = Rates()
        self._history = History()
        self._lock = threading.Lock()
        self._latest: Reading | None = None
        self._audit: Audit | None = None
        self._audit_due = 0.0
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._poll, name="pipeline-poller", daemon=True)
        self.not_ready_reason = "has not reached Redis yet"
        """Why not everything can be shown, for /readyz; '' when it can."""

    def __enter__(self) -> Self:
        REGISTRY.register(self)
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._stopping.set()
        self._thread.join()
        REGISTRY.unregister(self)
        self._connection.close()

    def latest(self) -> Snapshot | None:
        """The latest snapshot. None while Redis is away: better no number than an old one."""
        reading = self._latest
        return reading.snapshot if reading else None

    def reading(self) -> Reading:
        """The latest reading, or a new one if that is older than FRESH_S.

        Raises UnavailableError, or RefusedError where Redis must not be used.
        """
        with self._lock:
            if self._latest is None or time.monotonic() - self._latest.at > FRESH_S:
                try:
                    self._latest = self.read_now()  # until then the one before is shown
                except BaseException:
                    self._latest = None
                    raise
            return self._latest

    def read_now(self) -> Reading:
        """A new reading. Raises as `reading` does."""
        snapshot = self._take()
        audit = self._recent_audit(snapshot)
        at = time.monotonic()
        done = {stage.stage: stage.done_total for stage in snapshot.stages}
        rates = self._rates.add(at, done | {ACCEPTED: snapshot.accepted}, snapshot.epochs.keys())
        self._history.add(at, snapshot.stages)
        history = {name: self._history.of(name, at) for name in self.defs.stages}
        return Reading(at, datetime.now(UTC), snapshot, audit, rates, history)

    def collect(self) -> Iterable[Metric]:
        """For Prometheus: see PIPELINE in catchwater/metrics.py.

        While Redis is away there is only `catchwater_redis_up`.
        """
        reading = self._latest
        return gauges_of(reading.snapshot, reading.audit) if reading else gauges_of(None, None)

    def _poll(self) -> None:
        while not self._stopping.is_set():
            try:
                self.not_ready_reason = self._problem(self.reading())
            except CatchwaterError as error:
                self.not_ready_reason = str(error)
            except Exception:
                log.exception("the pipeline could not be read; it is tried again")
                self.not_ready_reason = "the pipeline could not be read: see the log"
            self._stopping.wait(self._every_s)

    def _problem(self, reading: Reading) -> str:
        unknown = self._stored_counts is not None and reading.audit.stored is None
        mongo = "MongoDB does not answer" if unknown else ""
        return "; ".join(filter(None, (snapshots.away_text(reading.snapshot.away), mongo)))

    def _take(self) -> Snapshot:
        return snapshots.take_partial(self._connection, self.defs)

    def _recent_audit(self, snapshot: Snapshot) -> Audit:
        """The audit, made again unless that would take more than its share of the time."""
        if self._stored_counts is None:
            return audits.make_audit(snapshot)
        started = time.monotonic()
        if self._audit is None or started >= self._audit_due:
            self._audit = self._make_audit(snapshot, self._stored_counts)
            took_s = time.monotonic() - started
            self._audit_due = started + AUDIT_SHARE * took_s if took_s > SLOW_AUDIT_S else 0.0
        return self._audit

    def _make_audit(self, snapshot: Snapshot, stored_counts: StoredCounts) -> Audit:
        """The audit of one moment.

        MongoDB is read after Redis, so it may be ahead, but never ahead of what Redis has counted
        by the time that MongoDB has answered.
        """
        since = first_audited_month(self.defs.retention.issues)
        try:
            recent = stored_counts(snapshot.epochs, since)
        except UnavailableError:
            return audits.make_audit(snapshot)
        stored = recent.plus(counted_in(snapshot, since))
        if stored.at_most(counted_in(snapshot)):
            return audits.make_audit(snapshot, stored)
        later = self._take()
        stored_later = recent.plus(counted_in(later, since))
        if not stored_later.at_most(counted_in(later)):
            return audits.make_audit(later, stored_later)
        return audits.make_audit(snapshot, stored.least(counted_in(snapshot)))
