"""What MongoDB indexes, and what it lets go of when."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from catchwater.streamdefs import Retention

INDEXES: list[tuple[str, list[tuple[str, int]]]] = [
    *[("issues", [(key, -1), ("_id", -1)]) for key in ("last_seen", "first_seen", "count", "users")],
    *[("issues", [("project", 1), (key, -1), ("_id", -1)]) for key in ("last_seen", "first_seen", "count", "users")],
    ("issues", [("names", 1)]),
    ("samples", [("issue", 1), ("received", -1)]),
    ("hours", [("project", 1), ("hour", 1)]),
    ("hours", [("issue", 1), ("hour", 1)]),
    ("tags", [("issue", 1), ("month", 1)]),
]
"""Each list that the dashboard shows has one, with `_id` so that equal keys have an order too. Those that expire
documents come from `expiries`."""

_A_MONTH = 31 * 86_400
"""Seconds: a month's tags live from its first day, and must outlast events of its last."""


def expiries(retention: Retention) -> list[tuple[str, str, int]]:
    """Collection, field and the seconds after which a document goes."""
    return [
        ("issues", "last_seen", int(retention.issues)),
        ("hours", "hour", int(retention.hours)),
        ("tags", "month", int(retention.issues) + _A_MONTH),
        ("samples", "received", int(retention.samples)),
    ]
