"""What is shown of a release: what is new in it, what is gone, and who was affected. Pure.

Which issues those are is a search like any other, so a list of them is a link away.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from catchwater.instants import iso
from catchwater.issues.search import Search
from catchwater.streams.hyperloglog import estimate

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from datetime import datetime

Document = dict[str, Any]
Json = dict[str, Any]

MOST = 100
"""Releases in a list: those that were seen first lately."""

MOST_KNOWN = 2_000
"""Releases of a project that one is compared with."""

LISTED = 20
"""Issues of each kind that a release shows."""

AFFECTING = 200
"""Issues that are new in a release whose users are counted together: those with the most."""


def identity(project: str, release: str) -> str:
    return f"{project}:{release}"


def searches(project: str, release: str, previous: str) -> dict[str, Search]:
    """The issues that are `new`, `regressed` and `gone`: those of the release before it."""
    of_it = Search().with_(project=project)
    found = {
        "new": of_it.with_(**{"new-in": release}),
        "regressed": of_it.with_(**{"regressed-in": release}),
    }
    if previous:
        found["gone"] = of_it.with_(**{"release": previous, "!release": release})
    return found


def written(search: Search) -> str:
    """A search as people write it. No value can have a quotation mark: where a release has one,
    the search is for what begins as it does before that.
    """
    filters = ((name, *value.partition('"')[:2]) for name, value in search.filters)
    return " ".join(
        f'{name}:"{value}{"*" * len(cut)}"' for name, value, cut in sorted(filters, reverse=True)
    )


def new_issues(projects: Sequence[str], releases: Iterable[str]) -> list[Document]:
    """A pipeline over issues: how many (`n`) are new in each of the releases, `_id` a pair."""
    names = sorted({one.lower() for one in releases})
    pair = {"project": "$project", "release": "$first_release"}
    return [
        {"$match": {"first_release": {"$in": names}, "project": {"$in": list(projects)}}},
        {"$group": {"_id": pair, "n": {"$sum": 1}}},
    ]


def registers(project: str, release: str) -> list[Document]:
    """A pipeline over issues: the ranks (`n`) of all registers of those that are new."""
    return [
        {"$match": {"first_release": release.lower(), "project": project}},
        {"$sort": {"users": -1}},
        {"$limit": AFFECTING},
        {"$project": {"u": {"$objectToArray": {"$ifNull": ["$u", {}]}}}},
        {"$unwind": "$u"},
        {"$group": {"_id": "$u.k", "n": {"$max": "$u.v"}}},
    ]


def users(found: Iterable[Mapping[str, Any]]) -> int:
    """How many, from what `registers` found."""
    return estimate([int(one["n"]) for one in found])


def listed(
    releases: Iterable[Mapping[str, Any]],
    counts: Iterable[Mapping[str, Any]],
    deploys: Sequence[Mapping[str, Any]],
) -> list[Json]:
    """Releases with how many issues are new in each, from what `new_issues` found."""
    new = {(one["_id"]["project"], one["_id"]["release"]): one["n"] for one in counts}
    return [
        {
            "project": one["project"],
            "release": one["release"],
            **{name: _time(one.get(name)) for name in ("first_seen", "last_seen")},
            "deploys": [_deploy(mark) for mark in deploys if _same(mark, one)],
            "new": new.get((one["project"], one["release"].lower()), 0),
        }
        for one in releases
    ]


def _same(mark: Mapping[str, Any], release: Mapping[str, Any]) -> bool:
    return all(mark.get(name) == release.get(name) for name in ("project", "release"))


def _deploy(mark: Mapping[str, Any]) -> Json:
    return {"environment": mark.get("environment", ""), "at": _time(mark.get("at"))}


def _time(value: datetime | None) -> str | None:
    return iso(value) if value else None
