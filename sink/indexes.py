"""MongoDB's indexes, and when documents expire."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from catchwater.issues.search import SORTS

if TYPE_CHECKING:
    from catchwater.config.streamdefs import Retention

Json = dict[str, Any]

INDEXES: list[tuple[str, list[tuple[str, int]]]] = [
    *[("issues", [(key, -1), ("_id", -1)]) for key in SORTS],
    *[("issues", [("project", 1), (key, -1), ("_id", -1)]) for key in SORTS],
    ("issues", [("names", 1)]),
    ("issues", [("words", 1)]),
    ("issues", [("facets", 1), ("_id", 1)]),
    ("issues", [("level", 1), ("_id", 1)]),
    ("samples", [("issue", 1), ("received", -1)]),
    ("hours", [("project", 1), ("hour", 1)]),
    ("hours", [("issue", 1), ("hour", 1)]),
    ("days", [("issue", 1), ("month", 1)]),
    ("tags", [("issue", 1), ("month", 1)]),
    ("releases", [("project", 1), ("first_seen", 1)]),
    ("releases", [("first_seen", 1)]),
    ("deploys", [("project", 1), ("at", 1)]),
    ("deploys", [("release", 1)]),
]
"""Each list that the dashboard shows has one, with `_id` so that equal keys have an order too.

Those that expire documents come from `expiries`.
"""

HANDLED: list[list[tuple[str, int]]] = [[("state", 1), (key, -1), ("_id", -1)] for key in SORTS]
"""Of the few issues that somebody has resolved, ignored or merged: it holds no others."""

OF_SOME: list[tuple[str, str, str]] = [
    ("issues", "first_release", "_id"),
    ("issues", "regressed.release", "_id"),
    ("samples", "user", "issue"),
]
"""Collections, a field that only some documents have, and what is wanted of those: each index
holds no others.
"""

UNTOLD = [("project", 1)]
"""Of issues that the notifier has not looked at yet: it holds no others."""

AWAITING = [("project", 1), ("awaits", 1)]
"""Of samples that wait for source maps: it holds no others."""

_A_MONTH = timedelta(days=31)
"""A month's tags and days live from its first day, and must outlast events of its last."""

_TWO_DAYS = timedelta(days=2)
"""Hours live until their day is folded."""


@dataclass(frozen=True, slots=True)
class Index:
    """An index as it is to be. `only`: it holds the documents that have this field."""

    collection: str
    fields: list[tuple[str, int]]
    only: str = ""
    expires: timedelta | None = None
    named: str = ""

    @property
    def name(self) -> str:
        """As drivers name one that has no name."""
        return self.named or "_".join(f"{name}_{order}" for name, order in self.fields)

    def document(self) -> Json:
        """As `createIndexes` takes it, and `listIndexes` returns it."""
        found: Json = {"key": dict(self.fields), "name": self.name}
        if self.only:
            found["partialFilterExpression"] = {self.only: {"$exists": True}}
        if self.expires is not None:
            found["expireAfterSeconds"] = int(self.expires.total_seconds())
        return found


def wanted(retention: Retention) -> list[Index]:
    """Every index that there is to be."""
    return [
        *(Index(name, fields) for name, fields in INDEXES),
        *(Index("issues", fields, only="state") for fields in HANDLED),
        *(Index(name, [(one, 1), (then, 1)], only=one) for name, one, then in OF_SOME),
        Index("issues", UNTOLD, only="untold", named="untold"),
        Index("samples", AWAITING, only="awaits", named="awaiting"),
        *(Index(name, [(one, 1)], expires=after) for name, one, after in expiries(retention)),
    ]


def expiries(retention: Retention) -> list[tuple[str, str, timedelta]]:
    """Collection, field and after how long a document goes."""
    return [
        ("issues", "last_seen", retention.issues),
        ("hours", "hour", max(retention.hours, _TWO_DAYS)),
        ("days", "month", retention.issues + _A_MONTH),
        ("tags", "month", retention.issues + _A_MONTH),
        ("samples", "received", retention.samples),
        ("releases", "last_seen", retention.issues),
        ("deploys", "at", retention.issues),
    ]
