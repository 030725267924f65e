"""Shows the figures of projects to Prometheus, read now and then in a thread of its own."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING, Self

import structlog
from prometheus_client import REGISTRY
from prometheus_client.core import GaugeMetricFamily

from catchwater import metrics
from catchwater.errors import CatchwaterError
from dashboard import times
from dashboard.project_figures import PROJECTS, samples

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from dashboard.project_figures import FiguresReader

log = structlog.get_logger()

EVERY_S = 30.0
"""Seconds from one look to the next at least."""

SHARE = 20
"""A look that takes long is had less often: one part in so many of the time."""

Sample = tuple[str, tuple[str, ...], float]


class ProjectGauges:
    """Looks while it is entered. `names` tells the projects that are declared, by id."""

    def __init__(
        self, reader: FiguresReader, names: Callable[[], dict[str, str]], every_s: float = EVERY_S
    ) -> None:
        self._reader = reader
        self._names = names
        self._every_s = every_s
        self._latest: list[Sample] = []
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="project-gauges", daemon=True)

    def __enter__(self) -> Self:
        REGISTRY.register(self)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stopping.set()
        self._thread.join()
        REGISTRY.unregister(self)
        self._reader.close()

    def collect(self) -> Iterable[GaugeMetricFamily]:
        """For Prometheus: see PROJECTS in catchwater/metrics.py.

        Nothing while MongoDB is away: better no number than an old one.
        """
        return _families(self._latest)

    def look(self) -> None:
        """Raises UnavailableError."""
        named = dict(list(self._names().items())[:PROJECTS])
        try:
            self._latest = list(samples(self._reader.read(list(named), times.now()), named))
        except BaseException:
            self._latest = []
            raise

    def _run(self) -> None:
        while not self._stopping.is_set():
            began = time.monotonic()
            try:
                self.look()
            except CatchwaterError as error:
                log.warning("the figures of projects are not known", why=str(error))
            except Exception:  # the rest of the dashboard goes on
                log.exception("the figures of projects could not be read; it is tried again")
            took = time.monotonic() - began
            self._stopping.wait(max(self._every_s, SHARE * took))


def _families(found: Iterable[Sample]) -> Iterator[GaugeMetricFamily]:
    of_each: dict[str, GaugeMetricFamily] = {}
    for name, labels, value in found:
        if name not in of_each:
            meaning, label_names = metrics.PROJECTS[name]
            of_each[name] = GaugeMetricFamily(name, meaning, labels=label_names)
        of_each[name].add_metric(labels, value)
    yield from of_each.values()
