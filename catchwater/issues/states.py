"""What people said about an issue, and when that no longer holds. Pure.

An issue's document has `state` (`resolved`, `ignored` or `merged`; none: unresolved) and
`handling`, which says since when and until what. The command line sets both. The sink takes them
back when the issue is seen again: it alone knows of every event, and may do it twice.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from datetime import datetime

    from catchwater.issues.releases import Releases

Json = dict[str, Any]

UNRESOLVED, RESOLVED, IGNORED, MERGED = "unresolved", "resolved", "ignored", "merged"
STATES = (UNRESOLVED, RESOLVED, IGNORED)
"""What people ask for. A merged issue is a part of another one and in no list."""

MOST_NOTES = 100
LONGEST_NOTE = 2_000  # characters


@dataclass(frozen=True, slots=True)
class Sighting:
    """What one commit counted of an issue: the time of its last event, and its releases.

    No release is a release that nobody knows.
    """

    last: datetime
    releases: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Until:
    """How long an issue is ignored: until it has more events or users than these, or a time."""

    events: int | None = None
    users: int | None = None
    time: datetime | None = None


def resolved(at: datetime, *, release: str = "", after: str = "") -> Json:
    """The fields of an issue that is resolved: at once, in `release`, or in the one after
    `after`.
    """
    given = {"at": at, "in": release, "after": after}
    return {"state": RESOLVED, "handling": _without_nothing(given)}


def ignored(at: datetime, until: Until, issue: Mapping[str, Any]) -> Json:
    """The fields of an `issue` that is ignored: its counts now are where "more" begins."""
    limits = {
        "events": None if until.events is None else issue.get("count", 0) + until.events,
        "users": None if until.users is None else issue.get("users", 0) + until.users,
        "time": until.time,
    }
    return {"state": IGNORED, "handling": {"at": at, **_without_nothing(limits)}}


def merged(at: datetime, into: str) -> Json:
    return {"state": MERGED, "handling": {"at": at, "into": into}}


def state_of(issue: Mapping[str, Any], at: datetime) -> str:
    """Its state at the time `at`: nobody writes down that the time to ignore it is over."""
    state = issue.get("state", UNRESOLVED)
    if state not in (*STATES, MERGED):
        return UNRESOLVED
    over = state == IGNORED and _is_over(_handling(issue).get("time"), at)
    return UNRESOLVED if over else str(state)


def transition(
    issue: Mapping[str, Any], sightings: Iterable[Sighting], releases: Releases
) -> Json | None:
    """The fields to set in an issue that was seen again and is unresolved by that; else None.

    `untold` is for the notifier.
    """
    handling, state = _handling(issue), issue.get("state")
    if state == RESOLVED:
        for one in sightings:
            release = _reopening_release(handling, one, releases)
            if release is not None:
                again = {"at": one.last, "release": release}
                return {"regressed": again, "untold.regression": one.last}
    if state == IGNORED and (why := _escalation(handling, issue)):
        last = max(one.last for one in sightings)
        return {"escalated": {"at": last, "why": why}, "untold.escalating": last}
    return None


def _reopening_release(handling: Json, seen: Sighting, releases: Releases) -> str | None:
    """The release in which it is there again although it was resolved; None for none.

    '' where nobody knows the release: nothing says then that it is an older one.
    """
    if seen.last <= handling["at"]:
        return None
    bound, after = handling.get("in", ""), handling.get("after", "")
    for one in sorted(seen.releases) or [""]:
        if not one or not (bound or after):
            return one
        older = releases.is_older(one, bound) if bound else not releases.is_older(after, one)
        if not older:
            return one
    return None


def _escalation(handling: Json, issue: Mapping[str, Any]) -> str:
    for field, words in (("count", "events"), ("users", "users")):
        limit = handling.get(words)
        if limit is not None and issue.get(field, 0) >= limit:
            return f"{issue[field]} {words}"
    time = handling.get("time")
    return "its time is over" if _is_over(time, issue.get("last_seen")) else ""


def _is_over(time: Any, at: datetime | None) -> bool:
    return time is not None and at is not None and bool(at >= time)


def _handling(issue: Mapping[str, Any]) -> Json:
    found = issue.get("handling")
    return found if isinstance(found, dict) else {}


def _without_nothing(given: Json) -> Json:
    return {name: value for name, value in given.items() if value not in (None, "")}
