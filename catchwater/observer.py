"""Watches the pipeline from outside the stages, so that its depth is still seen when a stage is dead."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Self

import structlog
from prometheus_client import REGISTRY

from catchwater import metrics, pipeline
from catchwater.connection import Connection, NoGroup, Refused, Unavailable

if TYPE_CHECKING:
    from collections.abc import Iterable
    from types import TracebackType

    from prometheus_client import Metric

    from catchwater.pipeline import Audit, Snapshot
    from catchwater.streamdefs import StreamDefs

log = structlog.get_logger()


class Observer:
    """Takes a snapshot every `every` seconds in a thread of its own, and shows the latest to Prometheus."""

    def __init__(self, url: str, defs: StreamDefs, *, every: float = 1.0) -> None:
        self._connection = Connection(url)
        self._defs = defs
        self._every = every
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="observer", daemon=True)
        self.latest: Snapshot | None = None
        """None while Redis is away: better no number than an old one."""
        self.audit: Audit | None = None
        self.trouble = "has not looked at Redis yet"

    def __enter__(self) -> Self:
        REGISTRY.register(self)
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stopping.set()
        self._thread.join()
        REGISTRY.unregister(self)
        self._connection.close()

    def look(self) -> None:
        """Take a snapshot now. What goes wrong is kept in `trouble`."""
        try:
            snapshot = pipeline.take(self._connection, self._defs)
        except (Unavailable, Refused, NoGroup) as error:
            self.latest, self.audit, self.trouble = None, None, str(error)
            return
        self.latest, self.audit, self.trouble = snapshot, snapshot.audit(None), ""

    def collect(self) -> Iterable[Metric]:
        """What Prometheus scrapes: see catchwater/metrics.py. Nothing while Redis is away but `catchwater_redis_up`."""
        return metrics.of_pipeline(self.latest, self.audit)

    def _watch(self) -> None:
        while not self._stopping.is_set():
            try:
                self.look()
            except Exception:
                log.exception("the observer failed; it looks again")
                self.latest, self.audit, self.trouble = None, None, "the observer failed: see the log"
            self._stopping.wait(self._every)
