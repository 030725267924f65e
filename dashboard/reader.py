"""Reads issues, samples and projects from MongoDB.

Whatever is not a document (MongoDB is away, too slow, refuses) raises UnavailableError: a healthy
server can do every query here.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pymongo import ASCENDING, DESCENDING
from pymongo.errors import OperationFailure

from catchwater import mongo_client
from catchwater.event import PROBES
from catchwater.issues import days, narrowing, release_facts
from catchwater.issues.releases import Releases
from catchwater.issues.shown import SHOWN
from catchwater.mongo_client import QUERY_MS
from dashboard import times
from dashboard.query import DATES, Cursor, IssueQuery
from dashboard.stored_counts import parts_of, sum_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from pymongo import AsyncMongoClient
    from pymongo.asynchronous.cursor import AsyncCursor

Document = dict[str, Any]
Json = dict[str, Any]

MARKS = 50
"""Deploys that charts show."""

_OF_ISSUES = ("tags", "days")
"""Collections whose documents do not say of which project they are: they are asked for by the ids
of issues that were found.
"""


class MongoReader:
    """What the sink has written, as documents."""

    def __init__(
        self,
        url: str,
        client: AsyncMongoClient[Document] | None = None,
        only: dict[str, str] | None = None,
    ) -> None:
        self._url = url
        self._client = mongo_client.connect_for_reading(url) if client is None else client
        self._database = self._client[mongo_client.DATABASE]
        self._only = only or {}

    def of_project(self, project: str) -> MongoReader:
        """A reader for which there is no other project. It shares this one's connections."""
        return MongoReader(self._url, self._client, {"project": project})

    async def close(self) -> None:
        await self._client.close()

    async def issues(self, query: IssueQuery) -> tuple[list[Document], Cursor | None]:
        """A page of issues, and where the next one starts."""
        order = [(query.sort, DESCENDING), ("_id", DESCENDING)]
        after = [_beyond(query.cursor)] if query.cursor else []
        with mongo_client.translated_errors(self._url):
            search = query.search.with_(**self._only)
            wanted = narrowing.Wanted(search, query.at, query.sort, query.limit + 1)
            selected = await self._selected(narrowing.steps(wanted, *after))
            cursor = self._find("issues", selected.condition, SHOWN)
            cursor = cursor.sort(order).limit(wanted.limit)
            found = await _found(cursor, selected.index)
        page = found[: query.limit]
        return page, _after(page[-1], query.sort) if len(found) > query.limit else None

    async def _selected(self, steps: narrowing.Steps) -> narrowing.Selection:
        try:
            lookup = next(steps)
            while True:
                lookup = steps.send(await self._looked_up(lookup))
        except StopIteration as end:
            selection: narrowing.Selection = end.value
            return selection

    async def _looked_up(self, lookup: narrowing.Lookup) -> list[str] | int:
        if isinstance(lookup, narrowing.Ids):
            found = await self._aggregated(lookup.collection, lookup.pipeline)
            return [str(one["_id"]) for one in found]
        issues, most = self._database.issues, lookup.most
        if not lookup.condition:
            return await issues.estimated_document_count(maxTimeMS=QUERY_MS)
        return await issues.count_documents(lookup.condition, limit=most, maxTimeMS=QUERY_MS)

    async def issue(self, issue: str) -> Document | None:
        with mongo_client.translated_errors(self._url):
            found = await self._find("issues", {"_id": issue}, SHOWN).limit(1).to_list()
        return found[0] if found else None

    async def titles(self, issues: Sequence[str]) -> list[Document]:
        """What issues are called."""
        fields = dict.fromkeys(("type", "message", "culprit", "continued"), True)
        with mongo_client.translated_errors(self._url):
            wanted = {"_id": {"$in": list(issues)}}
            return await self._find("issues", wanted, fields).sort("_id", ASCENDING).to_list()

    async def hours(
        self, issues: Sequence[str], since: datetime, until: datetime | None = None
    ) -> list[Document]:
        """The documents of these issues' hours from `since` on, and before `until`."""
        bounds = {"$gte": since, **({"$lt": until} if until else {})}
        with mongo_client.translated_errors(self._url):
            return await self._find(
                "hours", {"issue": {"$in": list(issues)}, "hour": bounds}
            ).to_list()

    async def days(self, issues: Sequence[str], since: datetime) -> list[Document]:
        """The documents of these issues' days from `since` on, and those before in its month."""
        wanted = {"issue": {"$in": list(issues)}, "month": {"$gte": days.month_of(since)}}
        with mongo_client.translated_errors(self._url):
            return await self._find("days", wanted).to_list()

    async def days_until(self) -> datetime | None:
        """The first day that is not folded into `days` yet. None where none is."""
        with mongo_client.translated_errors(self._url):
            found = await self._find("days", {"_id": days.FOLDED}).limit(1).to_list()
        return times.instant(found[0].get("until")) if found else None

    async def tags(self, issues: Sequence[str]) -> list[Document]:
        with mongo_client.translated_errors(self._url):
            return await self._find("tags", {"issue": {"$in": list(issues)}}).to_list()

    async def samples(self, issues: Sequence[str], limit: int) -> list[Document]:
        """The newest samples of issues, newest first."""
        with mongo_client.translated_errors(self._url):
            found = (
                await self._find("samples", {"issue": {"$in": list(issues)}})
                .sort("received", DESCENDING)
                .limit(limit)
                .to_list()
            )
        return sorted(found, key=_newest, reverse=True)

    async def sample(self, event: str) -> Document | None:
        with mongo_client.translated_errors(self._url):
            found = await self._find("samples", {"_id": event}).limit(1).to_list()
        return found[0] if found else None

    async def beside(self, sample: Mapping[str, Any], *, older: bool) -> str | None:
        """The id of the sample just before or after this one of the same issue."""
        step = -1 if older else 1
        beyond = "$lt" if older else "$gt"
        same = {"issue": sample.get("issue"), "received": sample.get("received")}
        found = await self._first({**same, "_id": {beyond: sample["_id"]}}, "_id", step)
        if found is None:
            next_time = {"issue": sample.get("issue"), "received": {beyond: sample.get("received")}}
            found = await self._first(next_time, "received", step)
            found = found and await self._first(
                {**same, "received": found["received"]}, "_id", step
            )
        return str(found["_id"]) if found else None

    async def releases(self, wanted: Document) -> list[Json]:
        """The newest releases with such fields; the newest first."""
        with mongo_client.translated_errors(self._url):
            newest = self._find("releases", wanted).sort("first_seen", DESCENDING)
            found = await newest.limit(release_facts.MOST).to_list()
            projects = sorted({one["project"] for one in found})
            names = [one["release"] for one in found]
            new = await self._aggregated("issues", release_facts.new_issues(projects, names))
            marks = {"project": {"$in": projects}, "release": {"$in": names}}
            deploys = await self._find("deploys", marks).sort("at", DESCENDING).to_list()
        return release_facts.listed(found, new, deploys)

    async def affected(self, project: str, release: str) -> int:
        """Users of the issues that are new in a release."""
        with mongo_client.translated_errors(self._url):
            steps = release_facts.registers(project, release)
            return release_facts.users(await self._aggregated("issues", steps))

    async def release_before(self, project: str, release: str) -> str:
        with mongo_client.translated_errors(self._url):
            known = self._find("releases", {"project": project}).sort("first_seen", DESCENDING)
            found = await known.limit(release_facts.MOST_KNOWN).to_list()
        return Releases({one["release"]: one["first_seen"] for one in found}).before(release)

    async def deploys(self, projects: Sequence[str], since: datetime) -> list[Document]:
        """What was deployed of these projects from `since` on, the latest, oldest first."""
        wanted = {"project": {"$in": list(projects)}, "at": {"$gte": since}}
        with mongo_client.translated_errors(self._url):
            latest = self._find("deploys", wanted).sort("at", DESCENDING).limit(MARKS)
            return (await latest.to_list())[::-1]

    async def project_ids(self) -> list[str]:
        """The projects that have issues, read off an index without looking at the issues."""
        with mongo_client.translated_errors(self._url):
            issues = self._database.issues
            found = await issues.distinct("project", self._only, maxTimeMS=QUERY_MS)
        return sorted(one for one in found if isinstance(one, str) and one != PROBES)

    async def projects(self) -> dict[str, int]:
        """Each project that has issues, with how many: by an index, which needs a condition."""
        found = await self._grouped("issues", {"project": {"$ne": PROBES}}, {"$sum": 1})
        return {str(one["_id"]): one["n"] for one in found}

    async def events_since(self, since: datetime) -> dict[str, int]:
        """How often anything happened in each project from `since`, the beginning of an hour,
        on.
        """
        both = {"$add": [sum_of(parts_of("parts")), sum_of(parts_of("more"))]}
        found = await self._grouped("hours", {"hour": {"$gte": since}}, {"$sum": both})
        return {str(one["_id"]): int(one["n"]) for one in found}

    def _within(self, name: str, selection: Document) -> Document:
        """The documents of a collection that fulfil `selection` and may be seen."""
        limited = self._only and name not in _OF_ISSUES
        return {"$and": [self._only, selection]} if limited else selection

    def _find(
        self, name: str, selection: Document, fields: Document | None = None
    ) -> AsyncCursor[Document]:
        wanted = self._within(name, selection)
        return self._database[name].find(wanted, fields, max_time_ms=QUERY_MS)

    async def _first(self, selection: Document, field: str, step: int) -> Document | None:
        with mongo_client.translated_errors(self._url):
            found = (
                await self._find("samples", selection, {"received": 1})
                .sort(field, step)
                .limit(1)
                .to_list()
            )
        return found[0] if found else None

    async def _grouped(self, name: str, selection: Document, n: Document) -> list[Document]:
        steps: list[Document] = [{"$match": selection}, {"$group": {"_id": "$project", "n": n}}]
        with mongo_client.translated_errors(self._url):
            return await self._aggregated(name, steps)

    async def _aggregated(self, name: str, steps: list[Document]) -> list[Document]:
        seen: list[Document] = [{"$match": only}] if (only := self._within(name, {})) else []
        cursor = await self._database[name].aggregate([*seen, *steps], maxTimeMS=QUERY_MS)
        return await cursor.to_list()


def _beyond(cursor: Cursor) -> Document:
    """Issues after this one in the order of the list; the first condition is what an index can
    bound.
    """
    value = times.instant(cursor.value) if cursor.sort in DATES else cursor.value
    if value is None:
        return {cursor.sort: None, "_id": {"$lt": cursor.id}}
    tied_or_lower = [{cursor.sort: {"$lt": value}}, {"_id": {"$lt": cursor.id}}]
    return {"$and": [{cursor.sort: {"$lte": value}}, {"$or": tied_or_lower}]}


def _after(document: Mapping[str, Any], sort: str) -> Cursor:
    value = document.get(sort)
    time = times.instant(value) if sort in DATES else None
    key = times.milliseconds(time) if time else value
    return Cursor(sort, key if isinstance(key, int) else None, str(document["_id"]))


def _newest(document: Mapping[str, Any]) -> tuple[Any, str]:
    return times.instant(document.get("received")) or times.EPOCH, str(document["_id"])


async def _found(cursor: AsyncCursor[Document], index: narrowing.Index | None) -> list[Document]:
    try:
        return await cursor.clone().hint(index).to_list()
    except OperationFailure as error:
        mongo_client.check_lacks_index(error)
    return await cursor.to_list()
