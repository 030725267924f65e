"""The loop of every stage: abandoned work before new work, then work, then commit."""

from __future__ import annotations

import threading
import time
from datetime import timedelta
from random import uniform
from typing import TYPE_CHECKING, Any, TypeVar

import structlog

from catchwater import metrics
from catchwater.errors import (
    BreakerOpenError,
    CatchwaterError,
    GrowingError,
    GrownError,
    MissingEpochError,
    MissingGroupError,
    UnavailableError,
)
from catchwater.streams.backlog import Backlog
from catchwater.streams.processing import Breaker, answer_batch, split_replayed

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from threading import Event as Flag

    from catchwater.streams.commit import Entry
    from catchwater.streams.consumer import Consumer
    from catchwater.streams.processing import Answered, Work

log = structlog.get_logger()

T = TypeVar("T")

MEMORY_CHECK_S = 1.0
"""Seconds between two looks at Redis's memory, before something new is read."""

MEMORY_WAIT_S = 0.1
"""Seconds between them while this stage has to wait for memory."""

TRIM_INTERVAL_S = 1.0
"""Seconds between two trims of the stream that the stage reads."""

REAP_INTERVAL_S = 600.0
"""Seconds between two looks for consumers that dead processes have left behind."""

REAPED_AFTER = timedelta(hours=1)
"""How long a consumer must have been silent: far longer than any process waits for a read."""

LONGEST_WAIT_S = 10.0
"""Seconds between two tries while a server is away, at most."""

LONGEST_WAIT_FOR_GROWTH_S = 1.0
"""The same while partitions grow, which ends soon."""

WAITED_OUT: dict[type[Exception], str] = {
    GrowingError: "Growing",
    UnavailableError: "Unavailable",
    BreakerOpenError: "Broken",
    MissingGroupError: "NoGroup",
    MissingEpochError: "NoLife",
}
"""Errors that a stage waits out, and all of their kind, with their label in the metric
`catchwater_trouble_total`.
"""


def _label(error: Exception) -> str:
    return next(label for kind, label in WAITED_OUT.items() if isinstance(error, kind))


class _StopRequestedError(CatchwaterError):
    """The process was asked to stop. Ends the loop."""


class Shared:
    """What the loops of one stage in a process have in common: they work in turn, and one breaker
    sees all of it.
    """

    def __init__(self) -> None:
        self.turn = threading.Lock()
        self.breaker = Breaker()
        self.agreed = False
        """Whether what is fixed was found to fit."""


class Loop:
    """Runs one consumer of one stage until `stopping` is set."""

    def __init__(
        self,
        consumer: Consumer,
        work: Work,
        stopping: Flag,
        warm_up: Callable[[], None] = lambda: None,
        shared: Shared | None = None,
    ) -> None:
        """`warm_up` is called before the first batch and after each outage.

        It may raise UnavailableError: then it is called again later.
        """
        self._shared = shared or Shared()
        self._breaker = self._shared.breaker
        self._consumer = consumer
        self._work = work
        self._warm_up = warm_up
        self._stopping = stopping
        self._backlog = Backlog(consumer)
        self._last_batch: Sequence[Entry] = ()
        self._prepared = False
        self._trim_at = 0.0
        self._reap_at = 0.0
        self._read_at = 0.0
        self._busy_since = 0.0
        self._memory_check_at = 0.0
        self.not_ready_reason = "has not reached Redis yet"
        """Why this consumer is not working, for /readyz; '' when it is."""

    @property
    def hang_after_s(self) -> float:
        """Seconds of work on one batch after which its process is to end."""
        return self._consumer.settings.hang_after.total_seconds()

    def busy_s(self, now: float) -> float:
        """Seconds of work on the current batch, at the monotonic time `now`; 0 while it waits."""
        since = self._busy_since
        return now - since if since else 0.0

    def slow_reason(self) -> str:
        """For /readyz, when the stage works on one batch for so long that others claim it."""
        busy_s = self.busy_s(time.monotonic())
        if busy_s < self._consumer.settings.claim_after.total_seconds():
            return ""
        return (
            f"{self._consumer.stage} has worked on one batch for {busy_s:.0f} s; after "
            f"{self.hang_after_s:.0f} s (hang_after) the process ends itself"
        )

    def run(self) -> None:
        """Work until `stopping` is set; then hand over what is pending.

        Raises RefusedError when this Redis must not be used.
        """
        try:
            while True:
                self._turn()
        except _StopRequestedError:
            self._leave()
        except GrownError:
            self._leave()  # whoever knows more partitions need not wait for `claim_after`
            raise

    def _turn(self) -> None:
        batch = self._retry_until_available(self._next_batch)
        if batch:
            answered = self._retry_until_available(self._answer, batch)
            self._retry_until_available(self._commit, answered)
        if time.monotonic() >= self._trim_at:
            self._retry_until_available(self._consumer.check_partitions)
            self._retry_until_available(self._consumer.trim)
            self._trim_at = time.monotonic() + TRIM_INTERVAL_S
        if time.monotonic() >= self._reap_at:
            self._retry_until_available(self._consumer.reap, REAPED_AFTER)
            self._reap_at = time.monotonic() + REAP_INTERVAL_S

    def _next_batch(self) -> list[Entry]:
        metrics.ALIVE.labels(self._consumer.stage).set_to_current_time()
        return self._backlog.next_batch() or self._read()

    def _read(self) -> list[Entry]:
        """New entries. While few arrive, it waits for `gather` first, so that a batch has more.

        A commit costs Redis about the same for one entry as for twenty.
        """
        self._stopping.wait(max(0.0, self._read_at - time.monotonic()))
        if self._must_wait_for_memory():
            return []
        wanted = self._consumer.batch_size.entries
        batch = self._consumer.read()
        gather_s = self._consumer.settings.gather.total_seconds()
        self._read_at = time.monotonic() + (gather_s if len(batch) < wanted / 2 else 0.0)
        return batch

    def _must_wait_for_memory(self) -> bool:
        """Whether Redis is full, and the stages behind this one can free memory.

        They do not wait for each other: the last one emits nothing, so each in turn finds that what
        it emitted is done.
        """
        if time.monotonic() < self._memory_check_at:
            return False
        if not self._consumer.memory_is_full():
            self._memory_check_at = time.monotonic() + MEMORY_CHECK_S
            return False
        if not self._consumer.emitted_waits():
            return False
        metrics.TROUBLE.labels(self._consumer.stage, "Memory").inc()
        self._stopping.wait(MEMORY_WAIT_S)
        return True

    def _answer(self, batch: list[Entry]) -> Answered:
        if batch is self._last_batch:  # tried again after an outage: keep others from claiming it
            self._consumer.renew_claim(batch)
            self._extend_probe(batch)
        self._last_batch = batch
        own, skipped = split_replayed(self._consumer.stage, batch)
        with self._shared.turn:
            return skipped + self._answered(own)

    def _answered(self, own: Sequence[Entry]) -> Answered:
        tries = self._consumer.settings.tries
        self._busy_since = time.monotonic()
        try:
            places = self._consumer.places(own)
            return answer_batch(self._work, own, tries, self._breaker, places)
        finally:
            self._busy_since = 0.0

    def _extend_probe(self, batch: list[Entry]) -> None:
        """Add new entries to a batch that waits for the breaker to close.

        Else a few bad events in a row would stop the stage, with good ones waiting behind them.
        """
        if self._breaker.is_open and len(batch) < 2 * self._consumer.settings.batch:
            batch.extend(self._consumer.read())

    def _commit(self, answered: Answered) -> None:
        started = time.perf_counter()
        totals = self._consumer.commit(answered)
        stage = self._consumer.stage
        metrics.COMMIT_SECONDS.labels(stage).observe(time.perf_counter() - started)
        for outcome, entries in totals._asdict().items():
            metrics.COMMITTED.labels(stage, outcome).inc(entries)

    def _retry_until_available(self, do: Callable[..., T], *args: Any) -> T:
        """Return `do(*args)`. Try again, with back-off, after each error in WAITED_OUT.

        The batch stays with this consumer. Working on it or committing it again is safe, and does
        not count as a delivery. Raises _StopRequestedError at the stop.
        """
        failures = 0
        while True:
            if self._stopping.is_set():
                raise _StopRequestedError
            try:
                self._prepare()
                result = do(*args)
            except tuple(WAITED_OUT) as error:
                failures += 1
                self._wait(error, failures)
            else:
                self.not_ready_reason = ""
                return result

    def _prepare(self) -> None:
        if not self._prepared:
            self._consumer.prepare(agreed=self._shared.agreed)
            self._shared.agreed = True
            with self._shared.turn:
                self._warm_up()
            self._prepared = True

    def _wait(self, error: Exception, failures: int) -> None:
        self.not_ready_reason = str(error)
        self._prepared = False
        self._backlog.look_again()
        self._consumer.batch_size.reset()
        stage = self._consumer.stage
        metrics.TROUBLE.labels(stage, _label(error)).inc()
        log.warning("waiting", stage=stage, why=str(error), failures=failures)
        longest_s = min(LONGEST_WAIT_S, 0.1 * 2 ** min(failures, 10))  # beyond, a float overflows
        if isinstance(error, GrowingError):
            longest_s = min(longest_s, LONGEST_WAIT_FOR_GROWTH_S)
        self._stopping.wait(uniform(0.05, longest_s))  # noqa: S311 - spreads retries, no secret

    def _leave(self) -> None:
        try:
            self._consumer.release()
        except (UnavailableError, MissingGroupError) as error:
            log.warning("could not hand over what is pending; it is claimed later", why=str(error))
