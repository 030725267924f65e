"""The loop of every stage: abandoned work before new work, then work, then commit."""

from __future__ import annotations

import time
from collections import deque
from itertools import count
from random import uniform
from typing import TYPE_CHECKING, Any, TypeVar

import structlog

from catchwater import metrics
from catchwater.attempt import Breaker, Broken, attempt, meant_for
from catchwater.streams import Consumer, Held, NoGroup, NoLife, Unavailable

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from threading import Event as Flag

    from catchwater.attempt import Answered, Work
    from catchwater.commit import Entry

log = structlog.get_logger()

T = TypeVar("T")

TRIM_EVERY = 1.0
"""Seconds between trims of the stream that was read."""

SUSPECT = 2
"""An entry that was delivered this often without a commit is worked on alone: it may be what kills consumers."""

LONGEST_WAIT = 10.0
"""Seconds between tries while a server is away."""


class Stopped(Exception):  # noqa: N818 - asked for
    """The process was told to stop."""


class Backlog:
    """Entries that were delivered before and never committed: this consumer's own, and those of the dead."""

    def __init__(self, consumer: Consumer) -> None:
        self._consumer = consumer
        self._cursors = [b"0-0"] * consumer.partitions
        self._held: deque[Held] = deque()
        self._look_next = 0.0
        self._mine = True

    def look_again(self) -> None:
        """After any error: a reply may have been lost, and what it delivered is pending for us."""
        self._held.clear()
        self._mine = True

    def next(self) -> list[Entry]:
        """A batch of abandoned entries; a suspect comes alone."""
        if not self._held and (self._mine or time.monotonic() >= self._look_next):
            self._look()
        wanted = self._take()
        found = self._consumer.deliver(wanted) if wanted else []
        self._lost(len(wanted) - len(found))
        return found

    def _take(self) -> list[Held]:
        """Held entries come in the order of their deliveries, so the suspects stand at the end."""
        taken: list[Held] = []
        while self._held and len(taken) < self._consumer.settings.batch:
            if self._held[0].deliveries >= SUSPECT:
                return taken or [self._held.popleft()]
            taken.append(self._held.popleft())
        return taken

    def _look(self) -> None:
        if time.monotonic() >= self._look_next:
            self._cursors, lost = self._consumer.take_over(self._cursors)
            self._lost(lost)
            self._look_next = time.monotonic() + self._consumer.settings.claim_after / 4
        held = self._consumer.held()
        self._mine = bool(held)
        self._held.extend(sorted(held, key=lambda one: one.deliveries))

    def _lost(self, lost: int) -> None:
        if lost:
            metrics.LOST.labels(self._consumer.stage).inc(lost)
            log.error("entries vanished while they were pending", lost=lost, stage=self._consumer.stage)


class Loop:
    """Runs one consumer of one stage until `stopping` is set."""

    def __init__(
        self, consumer: Consumer, work: Work, stopping: Flag, warm_up: Callable[[], None] = lambda: None
    ) -> None:
        """`warm_up` is called before the first batch and after each outage; it may raise Unavailable."""
        self._consumer = consumer
        self._work = work
        self._warm_up = warm_up
        self._stopping = stopping
        self._backlog = Backlog(consumer)
        self._breaker = Breaker()
        self._in_hand: Sequence[Entry] = ()
        self._prepared = False
        self._trim_next = 0.0
        self._read_next = 0.0
        self.trouble = "has not reached Redis yet"
        """Why this consumer is not at work; empty when it is. What /readyz says."""

    def run(self) -> None:
        """Work until the stop; then hand over what is held. Raises Refused when this Redis must not be used."""
        try:
            while True:
                self._turn()
        except Stopped:
            self._leave()

    def _turn(self) -> None:
        batch = self._patiently(self._batch)
        if batch:
            answered = self._patiently(self._attempt, batch)
            self._patiently(self._commit, answered)
        if time.monotonic() >= self._trim_next:
            self._patiently(self._consumer.trim)
            self._trim_next = time.monotonic() + TRIM_EVERY

    def _batch(self) -> list[Entry]:
        metrics.ALIVE.labels(self._consumer.stage).set_to_current_time()
        return self._backlog.next() or self._gathered()

    def _gathered(self) -> list[Entry]:
        """New entries; those that come in small numbers are let gather, as a commit costs the same for twenty."""
        self._stopping.wait(max(0.0, self._read_next - time.monotonic()))
        batch = self._consumer.read()
        settings = self._consumer.settings
        self._read_next = time.monotonic() + (settings.gather if len(batch) < settings.batch / 2 else 0.0)
        return batch

    def _attempt(self, batch: Sequence[Entry]) -> Answered:
        if batch is self._in_hand:
            self._consumer.keep(batch)
        self._in_hand = batch
        mine, not_mine = meant_for(self._consumer.stage, batch)
        return not_mine + attempt(self._work, mine, self._consumer.settings.tries, self._breaker)

    def _commit(self, answered: Answered) -> None:
        started = time.perf_counter()
        sums = self._consumer.commit(answered)
        metrics.COMMIT_SECONDS.labels(self._consumer.stage).observe(time.perf_counter() - started)
        for outcome, n in zip(metrics.OUTCOMES, sums, strict=True):
            metrics.COMMITTED.labels(self._consumer.stage, outcome).inc(n)

    def _patiently(self, do: Callable[..., T], *args: Any) -> T:
        """`do(*args)`, again and again with back-off while a server is away. Raises Stopped at the stop.

        What is in hand stays in hand: working and committing again is safe, and is no new delivery.
        """
        for failures in count():
            if self._stopping.is_set():
                raise Stopped
            try:
                if not self._prepared:
                    self._consumer.prepare()
                    self._warm_up()
                    self._prepared = True
                result = do(*args)
            except (Unavailable, Broken, NoGroup, NoLife) as error:
                self._wait(error, failures)
            else:
                self.trouble = ""
                return result
        raise AssertionError("count() does not end")

    def _wait(self, error: Exception, failures: int) -> None:
        self.trouble = str(error)
        self._prepared = False
        self._backlog.look_again()
        metrics.TROUBLE.labels(self._consumer.stage, type(error).__name__).inc()
        log.warning("waiting", stage=self._consumer.stage, why=str(error), failures=failures + 1)
        self._stopping.wait(uniform(0.05, min(LONGEST_WAIT, 0.1 * 2**failures)))  # noqa: S311 - spreads retries, no secret

    def _leave(self) -> None:
        try:
            self._consumer.release()
        except (Unavailable, NoGroup) as error:
            log.warning("could not hand over what was held; it is taken over in time", why=str(error))
