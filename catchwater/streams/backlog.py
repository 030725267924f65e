"""Entries delivered before and not committed: a consumer's own, and those it claims from others."""

from __future__ import annotations

import time
from collections import deque
from typing import TYPE_CHECKING

import structlog

from catchwater import metrics

if TYPE_CHECKING:
    from catchwater.streams.commit import Entry
    from catchwater.streams.consumer import Consumer
    from catchwater.streams.deliveries import HeldEntry, PendingEntry

log = structlog.get_logger()

SUSPECT = 2
"""An entry that was delivered this often without a commit is worked on alone.

It may be what kills the consumers, and its neighbours must not become dead letters with it.
"""

LOOKS = 4
"""Looks for abandoned entries in each `claim_after`."""


class Backlog:
    """What is pending for one consumer, as batches to work on before anything new is read."""

    def __init__(self, consumer: Consumer) -> None:
        self._consumer = consumer
        self._cursors = [b"0-0"] * len(consumer.partitions)
        self._waiting: deque[PendingEntry] = deque()
        self._claim_at = 0.0
        self._may_have_pending = True
        self._looks: dict[HeldEntry, int] = {}

    def look_again(self) -> None:
        """Call after any error: a reply may have been lost, and what it delivered is pending."""
        self._waiting.clear()
        self._may_have_pending = True

    def next_batch(self) -> list[Entry]:
        """The next batch, empty when nothing is pending. A suspect is a batch of its own."""
        self._consumer.raise_deferred()
        due = time.monotonic() >= self._claim_at
        if not self._waiting and (self._may_have_pending or due):
            self._look(claim=due)
        wanted = self._take()
        if not wanted:
            return []
        delivered = self._consumer.deliver(wanted)
        self._report_vanished(delivered.vanished)
        return delivered.entries

    def _look(self, *, claim: bool) -> None:
        if claim:
            self._cursors, vanished = self._consumer.claim_abandoned(self._cursors)
            self._report_vanished(vanished)
            self._claim_from_the_future()
            pause = self._consumer.settings.claim_after / LOOKS
            self._claim_at = time.monotonic() + pause.total_seconds()
        pending = self._consumer.pending()
        self._may_have_pending = bool(pending)
        # Oldest first, so of all partitions: one of a node that is away must not hide the others.
        self._waiting.extend(sorted(pending, key=lambda entry: (entry.deliveries, entry.id)))

    def _claim_from_the_future(self) -> None:
        """Claim what was pending and unchanged, without any idle time, for `claim_after` by our
        own clock: Redis's was set back, and its idle time would stand still until that is made up.
        """
        held = self._consumer.held_since_the_future()
        self._looks = {entry: self._looks.get(entry, 0) + 1 for entry in held}
        if abandoned := [entry for entry, looks in self._looks.items() if looks > LOOKS]:
            self._consumer.claim(abandoned)
            log.warning(
                "claimed entries from the future: Redis's clock was set back",
                stage=self._consumer.stage,
                entries=len(abandoned),
            )

    def _take(self) -> list[PendingEntry]:
        """The entries of the next batch. Those with most deliveries, the suspects, come last."""
        taken: list[PendingEntry] = []
        while self._waiting and len(taken) < self._consumer.batch_size.entries:
            if self._waiting[0].deliveries >= SUSPECT:
                return taken or [self._waiting.popleft()]
            taken.append(self._waiting.popleft())
        return taken

    def _report_vanished(self, count: int) -> None:
        if count:
            metrics.LOST.labels(self._consumer.stage).inc(count)
            log.error(
                "entries vanished while they were pending", lost=count, stage=self._consumer.stage
            )
