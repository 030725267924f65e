"""What never was accepted, by reason: refused at the door, or lost by the client as it says itself."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any, Protocol

import orjson

from catchwater import metrics
from catchwater.connection import Refused, Unavailable

if TYPE_CHECKING:
    from collections.abc import Mapping

CLIENT_REASONS = frozenset({
    "ratelimit_backoff", "queue_overflow", "cache_overflow", "buffer_overflow", "network_error", "send_error",
    "internal_sdk_error", "before_send", "sample_rate", "event_processor", "insufficient_data", "backpressure",
})  # fmt: skip
"""Sentry's names; others are counted as `other`, so that nobody can invent a million of them."""

PAGE_REASONS = frozenset({"ignored", "cap", "before", "sample", "failed"})
"""Why the snippet itself leaves an error out, as it says in `{"id": ..., "dropped": "cap", "n": 3}`."""

_MOST = 1_000_000
"""What one report may claim for one reason: it is a stranger's word."""


class Book(Protocol):
    """Where counts are kept: catchwater.door.Door."""

    async def note(self, counts: Mapping[str, int]) -> None: ...


class Losses:
    """Counts, brought to Redis from time to time; those of the last moments are lost with the process."""

    def __init__(self) -> None:
        self._counts: Counter[str] = Counter()

    def refused(self, reason: str) -> None:
        self._counts[f"refused:{reason}"] += 1
        metrics.REFUSED.labels(reason).inc()

    def client(self, report: bytes) -> None:
        """Count a `client_report`; what is not one is ignored: it is no loss of ours."""
        for reason, quantity in client_losses(report):
            self._counts[f"client:{reason}"] += quantity

    async def save(self, book: Book) -> None:
        """Add to what Redis has. While it is away, counts gather."""
        taken, self._counts = self._counts, Counter()
        if taken:
            try:
                await book.note(taken)
            except (Unavailable, Refused):
                self._counts.update(taken)


def client_losses(report: bytes) -> list[tuple[str, int]]:
    """Reason and number of each lost error in a `client_report`; sessions and the like do not count."""
    try:
        listed = orjson.loads(report)["discarded_events"]
        return [(_reason(one), _quantity(one)) for one in listed if one.get("category") in ("error", "default")][:50]
    except (orjson.JSONDecodeError, KeyError, TypeError, AttributeError):
        return []


def page_losses(report: Mapping[str, Any]) -> dict[str, int]:
    """How many errors a page left out on purpose, by reason. Empty for a report of an error."""
    reason = report.get("dropped")
    if not isinstance(reason, str) or "message" in report:
        return {}
    return {reason if reason in PAGE_REASONS else "other": _whole(report.get("n"))}


def _reason(one: Mapping[str, Any]) -> str:
    reason = one.get("reason")
    return reason if isinstance(reason, str) and reason in CLIENT_REASONS else "other"


def _quantity(one: Mapping[str, Any]) -> int:
    return _whole(one.get("quantity"))


def _whole(quantity: Any) -> int:
    return min(quantity, _MOST) if isinstance(quantity, int) and quantity > 0 else 0
