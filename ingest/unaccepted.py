"""Counts what was never accepted, by reason: refused posts, and client reports. And what was, but
Redis lost it.
"""

from __future__ import annotations

import secrets
from collections import Counter
from contextlib import suppress
from typing import TYPE_CHECKING, Protocol

from catchwater import metrics
from catchwater.errors import RefusedError, UnavailableError
from ingest.client_reports import discarded_by_client

if TYPE_CHECKING:
    from collections.abc import Mapping


class CountStore(Protocol):
    """Where counts are stored: an EventProducer."""

    async def add_counts(self, counts: Mapping[str, int], sender: str, number: int) -> None: ...


class UnacceptedCounts:
    """Counts in memory, added to those in Redis from time to time.

    What was not saved yet is lost with the process.
    """

    def __init__(self) -> None:
        self._counts: Counter[str] = Counter()
        self._sent: Counter[str] = Counter()
        """Those that Redis was asked to add, until it says that it has."""
        self._sender = secrets.token_hex(8)
        self._number = 0

    def refused(self, reason: str) -> None:
        self._counts[f"refused:{reason}"] += 1
        metrics.REFUSED.labels(reason).inc()

    def client(self, report: bytes) -> None:
        """Count a `client_report`; what is not one is ignored: it is no loss of ours."""
        for reason, quantity in discarded_by_client(report):
            self._counts[f"client:{reason}"] += quantity

    def lost(self, events: int) -> None:
        """Redis fell back to an earlier state: these events were answered with 2xx."""
        self._counts["lost:redis"] += events
        metrics.LOST_BY_REDIS.inc(events)

    async def save(self, store: CountStore) -> None:
        """Add to what Redis has. While it is away, counts gather.

        After a lost reply the same counts are sent under the same number, so they are added once.
        """
        if not self._sent and self._counts:
            self._sent, self._counts = self._counts, Counter()
            self._number += 1
        if self._sent:
            with suppress(UnavailableError, RefusedError):
                await store.add_counts(self._sent, self._sender, self._number)
                self._sent = Counter()
