"""What the pages and the JSON API show, gathered from MongoDB: one function for each, used by
both.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from catchwater.issues import release_facts
from catchwater.issues.shown import handling, merged_ids
from dashboard import counts, json_fields
from dashboard.query import IssueQuery
from dashboard.spans import SPANS, first_hour

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from catchwater.event import Json
    from dashboard.reader import MongoReader
    from dashboard.spans import Span

SAMPLES = 50
"""The newest samples that an issue's page lists; older ones are reached from one to the next."""


async def issues(store: MongoReader, query: IssueQuery, at: datetime) -> Json:
    """A page of issues."""
    found, cursor = await store.issues(query)
    ids = [identity for document in found for identity in _all_ids(document)]
    seen = await counts.read(store, ids, at, query.span.days)
    shown = [_issue(document, seen, at) for document in found]
    return {"issues": shown, "next": str(cursor) if cursor else None}


def _issue(document: Mapping[str, Any], seen: counts.Counts, at: datetime) -> Json:
    """With the counts of the issues that were merged into it."""
    ids = _all_ids(document)
    return json_fields.issue(document, seen.hours(ids), seen.of_days(ids), at)


async def issue(
    store: MongoReader, identity: str, at: datetime, span: Span = SPANS["14d"]
) -> Json | None:
    """An issue, its tags, its newest samples and why it was grouped so.

    None if there is no such issue.
    """
    document = await store.issue(identity)
    if document is None:
        return None
    seen, tags, samples, deploys, merged = await _around(store, document, span, at)
    newest = json_fields.event(samples[0]) if samples else {}
    return {
        **_issue(document, seen, at),
        **handling(document, at),
        "names": json_fields.names(document),
        "called": json_fields.called(merged),
        "tags": json_fields.tags(tags),
        "deploys": [json_fields.deploy(one) for one in deploys],
        "samples": [json_fields.summary(sample) for sample in samples],
        "explain": json_fields.explain(newest),
        "newest": newest,
    }


async def _around(
    store: MongoReader, document: Mapping[str, Any], span: Span, at: datetime
) -> tuple[counts.Counts, list[Json], list[Json], list[Json], list[Json]]:
    """Its counts, tags, samples and deploys, and what the issues are called that are merged in."""
    ids = _all_ids(document)
    return await asyncio.gather(
        counts.read(store, ids, at, span.days),
        store.tags(ids),
        store.samples(ids, SAMPLES),
        store.deploys([str(document.get("project", ""))], span.first(at)),
        store.titles(ids[1:]),
    )


def _all_ids(document: Mapping[str, Any]) -> list[str]:
    """Its own id, and those of the issues that were merged into it."""
    return [str(document["_id"]), *merged_ids(document)]


async def deploys(store: MongoReader, issues: Json, since: datetime) -> dict[str, list[Json]]:
    """What was deployed from `since` on of the projects of a page of issues, by project."""
    projects = sorted({one["project"] for one in issues["issues"]})
    found: dict[str, list[Json]] = {one: [] for one in projects}
    for document in await store.deploys(projects, since) if projects else []:
        found[document["project"]].append(json_fields.deploy(document))
    return found


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
    found, recent = await asyncio.gather(store.projects(), store.events_since(first_hour(at)))
    known: dict[str, Any] = dict.fromkeys([*names, *sorted(found)])
    return [
        {
            "project": one,
            "name": names.get(one, one),
            "issues": found.get(one, 0),
            "events_24h": recent.get(one, 0),
        }
        for one in known
    ]
