"""Client reports: how many errors a client discarded itself, by reason. Pure.

https://develop.sentry.dev/sdk/telemetry/client-reports/ and the snippet's own form of them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import orjson

from ingest import page_filters

if TYPE_CHECKING:
    from collections.abc import Mapping

CLIENT_REASONS = frozenset(
    {
        "ratelimit_backoff",
        "queue_overflow",
        "cache_overflow",
        "buffer_overflow",
        "network_error",
        "send_error",
        "internal_sdk_error",
        "before_send",
        "sample_rate",
        "event_processor",
        "insufficient_data",
        "backpressure",
    }
)
"""Sentry's names; others are counted as `other`, so that nobody can invent a million of them."""

PAGE_REASONS = frozenset({"ignored", "cap", "before", "sample", "failed", *page_filters.REASONS})
"""Why the snippet itself leaves an error out, as it says in `{"id": ..., "dropped": "cap", "n":
3}`.
"""

_MOST = 1_000_000
"""What one report may claim for one reason: it is a stranger's word."""


def discarded_by_client(report: bytes) -> list[tuple[str, int]]:
    """Reason and number of each lost error in a `client_report`; sessions and the like do not
    count.
    """
    try:
        listed = orjson.loads(report)["discarded_events"]
        return [
            (_reason(one), _quantity(one))
            for one in listed
            if one.get("category") in ("error", "default")
        ][:50]
    except (orjson.JSONDecodeError, KeyError, TypeError, AttributeError):
        return []


def discarded_by_page(report: Mapping[str, Any]) -> dict[str, int]:
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
    whole = isinstance(quantity, int) and not isinstance(quantity, bool)
    return min(quantity, _MOST) if whole and quantity > 0 else 0
