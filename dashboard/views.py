"""What the pages and the JSON API show, gathered from MongoDB: one function for each, used by
both.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from catchwater.instants import hour_of
from catchwater.issues import release_facts
from catchwater.issues.shown import handling, merged_ids
from dashboard import json_fields, times
from dashboard.query import IssueQuery

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from catchwater.event import Json
    from dashboard.reader import MongoReader

HOURS = 24
"""Bars of an issue: so many hours, the last being the running one."""

DAYS = 14
SAMPLES = 50
"""The newest samples that an issue's page lists; older ones are reached from one to the next."""


def window(at: datetime, hours: int = HOURS) -> datetime:
    """When the first of `hours` hours began, the last of which is running at `at`."""
    return hour_of(at) - (hours - 1) * times.HOUR


async def issues(store: MongoReader, query: IssueQuery, at: datetime) -> Json:
    """A page of issues."""
    found, cursor = await store.issues(query)
    ids = [identity for document in found for identity in _all_ids(document)]
    first = window(at)
    hours = json_fields.series(await store.hours(ids, first) if ids else [], first, HOURS)
    shown = [json_fields.issue(one, _hours(one, hours, HOURS), at) for one in found]
    return {"issues": shown, "next": str(cursor) if cursor else None}


async def issue(store: MongoReader, identity: str, at: datetime) -> Json | None:
    """An issue, its tags, its newest samples and why it was grouped so.

    None if there is no such issue.
    """
    first = window(at, DAYS * HOURS)
    document = await store.issue(identity)
    if document is None:
        return None
    ids = _all_ids(document)
    hours, tags, samples, deploys, merged = await _around(store, document, ids, first)
    long = _hours(document, json_fields.series(hours, first, DAYS * HOURS), DAYS * HOURS)
    newest = json_fields.event(samples[0]) if samples else {}
    return {
        **json_fields.issue(document, long[-HOURS:], at),
        **handling(document, at),
        "names": json_fields.names(document),
        "called": json_fields.called(merged),
        "days": by_day(long),
        "tags": json_fields.tags(tags),
        "deploys": [json_fields.deploy(one) for one in deploys],
        "samples": [json_fields.summary(sample) for sample in samples],
        "explain": json_fields.explain(newest),
        "newest": newest,
    }


async def _around(
    store: MongoReader, document: Mapping[str, Any], ids: list[str], first: datetime
) -> tuple[list[Json], list[Json], list[Json], list[Json], list[Json]]:
    """Its hours, tags, samples and deploys, and what the issues are called that are merged in."""
    return await asyncio.gather(
        store.hours(ids, first),
        store.tags(ids),
        store.samples(ids, SAMPLES),
        store.deploys(str(document.get("project", "")), first),
        store.titles(ids[1:]),
    )


def _all_ids(document: Mapping[str, Any]) -> list[str]:
    """Its own id, and those of the issues that were merged into it."""
    return [str(document["_id"]), *merged_ids(document)]


def _hours(document: Mapping[str, Any], counts: dict[str, list[int]], length: int) -> list[int]:
    """Its counts by the hour, with those of the issues that were merged into it."""
    found = [counts[one] for one in _all_ids(document) if one in counts]
    return [sum(hour) for hour in zip(*found, strict=True)] if found else [0] * length


def by_day(hours: list[int]) -> list[int]:
    """Sums of 24 hours each, the last ending with the running hour: days as they lie behind us,
    not by date.
    """
    return [sum(hours[i : i + HOURS]) for i in range(0, len(hours), HOURS)]


async def event(store: MongoReader, identity: str) -> Json | None:
    """One sample, whole. None if there is none: it never was one, or its time is over."""
    document = await store.sample(identity)
    return json_fields.event(document) if document else None


async def sample(store: MongoReader, identity: str) -> Json | None:
    """One sample as its page shows it: the event, as it was stored, and the samples beside it."""
    document = await store.sample(identity)
    if document is None:
        return None
    newer, older = await asyncio.gather(
        store.beside(document, older=False), store.beside(document, older=True)
    )
    return {
        "event": json_fields.event(document),
        "stored": json_fields.stored(document),
        "newer": newer,
        "older": older,
    }


async def release(store: MongoReader, project: str, name: str, at: datetime) -> Json | None:
    """A release: who was affected, and which issues are new in it, regressed and gone.

    None if no event of it was seen.
    """
    found = await store.releases({"_id": release_facts.identity(project, name)})
    if not found:
        return None
    users, previous = await asyncio.gather(
        store.affected(project, name), store.release_before(project, name)
    )
    asked = release_facts.searches(project, name, previous)
    queries = [
        IssueQuery(at, one, sort="count", limit=release_facts.LISTED) for one in asked.values()
    ]
    lists = await asyncio.gather(*(issues(store, one, at) for one in queries))
    shown = {kind: one["issues"] for kind, one in zip(asked, lists, strict=True)}
    written = {kind: release_facts.written(one) for kind, one in asked.items()}
    more = {"users": users, "previous": previous, "issues": shown, "searches": written}
    return found[0] | more


async def projects(store: MongoReader, names: dict[str, str], at: datetime) -> list[Json]:
    """Every project that is declared or has issues. `names` by id are those declared."""
    counts, recent = await asyncio.gather(store.projects(), store.events_since(window(at)))
    known: dict[str, Any] = dict.fromkeys([*names, *sorted(counts)])
    return [
        {
            "project": one,
            "name": names.get(one, one),
            "issues": counts.get(one, 0),
            "events_24h": recent.get(one, 0),
        }
        for one in known
    ]
