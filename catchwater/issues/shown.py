"""An issue for programs, without its counts over time. Pure."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from catchwater.instants import iso
from catchwater.issues.states import state_of
from catchwater.streams.counters import unescape_key

if TYPE_CHECKING:
    from collections.abc import Mapping

Json = dict[str, Any]

SHOWN = dict.fromkeys(("parts", "more", "u", "words", "facets"), False)
"""Fields of an issue that nobody looks at: its counters by part, its HyperLogLog registers, and
what only the search uses.
"""

_TEXTS = ("type", "message", "culprit", "level")
_TIMES = ("first_seen", "last_seen")


def as_json(issue: Mapping[str, Any], at: datetime) -> Json:
    """As the JSON API shows it, and what people said about it."""
    return {
        "id": issue["_id"],
        "project": issue.get("project", ""),
        **{name: issue.get(name, "") for name in _TEXTS},
        **{name: issue.get(name, 0) for name in ("count", "users", "trend")},
        **{name: _time(issue.get(name)) for name in _TIMES},
        **handling(issue, at),
    }


def handling(issue: Mapping[str, Any], at: datetime) -> Json:
    """Its state at the time `at`, since when and until what, and all notes."""
    return {
        "state": state_of(issue, at),
        "handling": _timed(issue.get("handling")),
        "regressed": _timed(issue.get("regressed")),
        "escalated": _timed(issue.get("escalated")),
        "notes": [_timed(one) for one in _listed(issue.get("notes"))],
        "merged": merged_ids(issue),
    }


def merged_ids(issue: Mapping[str, Any]) -> list[str]:
    """The issues that are counted in this one."""
    found = issue.get("absorbed")
    return sorted(map(unescape_key, found)) if isinstance(found, dict) else []


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def _timed(value: Any) -> Json:
    """A document with its times as text; {} for anything else."""
    known = value if isinstance(value, dict) else {}
    return {name: _time(one) if isinstance(one, datetime) else one for name, one in known.items()}


def _time(value: Any) -> str | None:
    if not isinstance(value, datetime):
        return None
    return iso(value if value.tzinfo else value.replace(tzinfo=UTC))
