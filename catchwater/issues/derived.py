"""The fields that an issue shows and is sorted by, derived inside MongoDB from its document.

The document's own fields are the truth; the last to derive sees all of it, so the order does not
matter.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from catchwater.issues import facets
from catchwater.issues.closed_months import closing
from catchwater.streams.hyperloglog import ALPHA, REGISTERS, estimate

if TYPE_CHECKING:
    from collections.abc import Mapping


def derived() -> list[dict[str, Any]]:
    """An update:

    `count`, every occurrence, those of the issues that were merged into it, too; `users`,
    Flajolet's estimate from the registers, in MongoDB's words; `first_release`, where it was first
    seen. Before that, months that are over become one sum (closed_months.py).
    """
    found = {"facets": facets.bounded(), "first_release": facets.first_release()}
    counts = [total(path) for path in ("$parts", "$more", "$absorbed")]
    return [{"$set": closing()}, {"$set": {"count": {"$add": counts}, "users": _users(), **found}}]


def derived_at_first(highest: Mapping[str, Any], lowest: Mapping[str, Any]) -> dict[str, Any]:
    """The same fields of a document that an upsert begins, from what it sets by path.

    That saves MongoDB to write each new issue twice. Whoever updates the issue derives it.
    """
    count = sum(n for path, n in highest.items() if path.startswith(("parts.", "more.")))
    ranks = [rank for path, rank in highest.items() if path.startswith("u.")]
    release = facets.release_of_birth(lowest.get("birth", ""))
    return {
        "count": count,
        "users": estimate(ranks),
        **({"first_release": release} if release else {}),
    }


def _values(path: str) -> dict[str, Any]:
    return {"$map": {"input": {"$objectToArray": {"$ifNull": [path, {}]}}, "in": "$$this.v"}}


def total(path: str) -> dict[str, Any]:
    """An expression: the sum of a map of counters, such as `$parts`."""
    return {"$toLong": {"$sum": _values(path)}}


def _users() -> dict[str, Any]:
    return {"$let": {"vars": {"ranks": _values("$u")}, "in": _estimate()}}


def _estimate() -> dict[str, Any]:
    empty = {"$subtract": [REGISTERS, {"$size": "$$ranks"}]}
    powers = {
        "$sum": {"$map": {"input": "$$ranks", "in": {"$pow": [2.0, {"$multiply": [-1, "$$this"]}]}}}
    }
    raw = {"$divide": [ALPHA * REGISTERS**2, {"$add": ["$$empty", powers]}]}
    counted = {"$multiply": [REGISTERS, {"$subtract": [math.log(REGISTERS), {"$ln": "$$empty"}]}]}
    small = {"$and": [{"$lte": ["$$raw", 2.5 * REGISTERS]}, {"$gt": ["$$empty", 0]}]}
    chosen = {"$let": {"vars": {"raw": raw}, "in": {"$cond": [small, counted, "$$raw"]}}}
    return {"$let": {"vars": {"empty": empty}, "in": {"$toLong": {"$round": [chosen, 0]}}}}
