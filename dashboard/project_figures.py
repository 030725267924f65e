"""What Prometheus is told of projects and releases, read from MongoDB: see `metrics.PROJECTS`.

How many series there are is bounded. Projects are those declared; releases, which anybody who
sends may name, are the newest few of those that have a share of their project's events.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from catchwater import mongo_client
from catchwater.instants import hour_of
from catchwater.issues import release_facts, states
from catchwater.issues.days import DAY, month_of
from catchwater.issues.derived import total
from catchwater.issues.erasing import of_project
from catchwater.mongo_client import QUERY_MS
from catchwater.streams.counters import OTHER, unescape_key
from dashboard import times

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import datetime

Document = dict[str, Any]
ByProject = dict[str, int]

PROJECTS = 50
"""Projects that are told of, the first ones of projects.yaml."""

RELEASES = 5
"""Releases of a project that are told of."""

SHARE = 0.01
"""Of its project's events that a release must have: nobody makes series by naming releases."""


@dataclass(frozen=True, slots=True)
class Release:
    """A release: events in this month and the last one, and issues that were first seen in it."""

    name: str
    events: int
    new_issues: int


@dataclass(frozen=True, slots=True)
class Figures:
    """By project. Events are those of the last whole hour, new issues and regressions those of the
    last 24 hours.
    """

    events: ByProject
    new: ByProject
    regressed: ByProject
    by_state: dict[str, ByProject]
    releases: dict[str, list[Release]]


class FiguresReader:
    """Reads MongoDB. Any thread may use it; MongoDB does not have to be up."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._client = mongo_client.connect_for_counting(url)
        self._database = self._client[mongo_client.DATABASE]

    def close(self) -> None:
        self._client.close()

    def read(self, projects: Sequence[str], at: datetime) -> Figures:
        """The figures of these projects at the time `at`. Raises UnavailableError."""
        of_these: Document = {"project": {"$in": list(projects)}}
        last_hour: Document = {**of_these, "hour": hour_of(at) - times.HOUR}
        n = {"$add": [total("$parts"), total("$more")]}
        with mongo_client.translated_errors(self._url):
            return Figures(
                events=self._by_project("hours", last_hour, n),
                new=self._by_project("issues", {**of_these, **_new(at)}, 1),
                regressed=self._by_project("issues", {**of_these, **_regressed(at)}, 1),
                by_state=self._by_state(of_these, at),
                releases={one: self._releases(one, at) for one in projects},
            )

    def _by_project(self, name: str, wanted: Document, n: Any) -> ByProject:
        steps = [{"$match": wanted}, {"$group": {"_id": "$project", "n": {"$sum": n}}}]
        return {str(one["_id"]): int(one["n"]) for one in self._aggregated(name, steps)}

    def _aggregated(self, name: str, steps: list[Document]) -> list[Document]:
        return list(self._database[name].aggregate(steps, maxTimeMS=QUERY_MS))

    def _by_state(self, of_these: Document, at: datetime) -> dict[str, ByProject]:
        """Those that nobody said anything about are all but the others: an index counts them."""
        said = {
            state: self._by_project("issues", {**of_these, **_in_state(state, at)}, 1)
            for state in (states.RESOLVED, states.IGNORED, states.MERGED)
        }
        every = self._by_project("issues", of_these, 1)
        rest = {
            project: n - sum(one.get(project, 0) for one in said.values())
            for project, n in every.items()
        }
        del said[states.MERGED]
        return {states.UNRESOLVED: rest, **said}

    def _releases(self, project: str, at: datetime) -> list[Release]:
        events = self._release_events(project, at)
        least = SHARE * sum(events.values())
        large = [name for name, n in events.items() if n >= least and name not in ("", OTHER)]
        seen = {"project": project, "release": {"$in": large}}
        newest = self._database.releases.find(seen, max_time_ms=QUERY_MS).sort("first_seen", -1)
        names = [str(one["release"]) for one in newest.limit(RELEASES)]
        steps = release_facts.new_issues([project], names)
        new = {one["_id"]["release"]: int(one["n"]) for one in self._aggregated("issues", steps)}
        return [Release(name, events[name], new.get(name.lower(), 0)) for name in names]

    def _release_events(self, project: str, at: datetime) -> dict[str, int]:
        last_month = month_of(month_of(at) - DAY)
        wanted = {"issue": of_project(project), "month": {"$gte": last_month}}
        values = {"$objectToArray": {"$ifNull": ["$values.release", {}]}}
        steps: list[Document] = [
            {"$match": wanted},
            {"$project": {"value": values}},
            {"$unwind": "$value"},
            {"$group": {"_id": "$value.k", "n": {"$sum": total("$value.v")}}},
        ]
        return {unescape_key(one["_id"]): int(one["n"]) for one in self._aggregated("tags", steps)}


def _new(at: datetime) -> Document:
    return {"first_seen": {"$gte": hour_of(at) - DAY}, "state": {"$ne": states.MERGED}}


def _regressed(at: datetime) -> Document:
    """The first condition is that of the index."""
    return {"regressed.release": {"$exists": True}, "regressed.at": {"$gte": hour_of(at) - DAY}}


def _in_state(state: str, at: datetime) -> Document:
    """An issue that was ignored until a time that is over is unresolved."""
    over = {"$nor": [{"handling.time": {"$lte": at}}]} if state == states.IGNORED else {}
    return {"state": state, **over}


def samples(
    figures: Figures, names: dict[str, str]
) -> Iterable[tuple[str, tuple[str, ...], float]]:
    """Each metric, its labels and its value. `names` by id are the projects; 0 where nothing is."""
    for project, name in names.items():
        who = (project, name)
        yield "catchwater_project_events", who, figures.events.get(project, 0)
        yield "catchwater_project_new_issues", who, figures.new.get(project, 0)
        yield "catchwater_project_regressions", who, figures.regressed.get(project, 0)
        for state, counts in figures.by_state.items():
            yield "catchwater_project_issues", (*who, state), counts.get(project, 0)
        for one in figures.releases.get(project, []):
            yield "catchwater_release_events", (*who, one.name), one.events
            yield "catchwater_release_new_issues", (*who, one.name), one.new_issues
