"""Issues and what people say about them, in MongoDB: for the sink, the notifier and the command
line.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pymongo
from pymongo.errors import OperationFailure

from catchwater import mongo_client
from catchwater.issues import narrowing, states
from catchwater.issues.closed_months import CLOSED, MAPS, count_of
from catchwater.issues.derived import derived
from catchwater.issues.releases import Releases
from catchwater.issues.samples import body_of
from catchwater.issues.shown import SHOWN
from catchwater.issues.words import words_of
from catchwater.streams.counters import escape_key, project_of

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
    from datetime import datetime

    from pymongo.database import Database

    from catchwater.issues.search import Search
    from catchwater.issues.states import Sighting

Document = dict[str, Any]

_HANDLED = dict.fromkeys(("state", "handling", "count", "users", "last_seen"), True)
_COUNTED = dict.fromkeys((*MAPS, CLOSED, "u", "first_seen", "last_seen", "birth", "facets"), True)
_ENDED = {"state": "", "handling": ""}
_RETURNED = ("regressed", "escalated")
_SEEN = ("first_seen", "last_seen")
_SAID = ("state", "handling", "notes", *_RETURNED)


def handle(database: Database[Document], sightings: Mapping[str, Iterable[Sighting]]) -> None:
    """Issues were seen, and are written: unresolve those that were resolved or ignored until
    now, and count merged ones where they belong. May be done twice.
    """
    for issue in _handled(database, sightings):
        if issue["state"] == states.MERGED:
            into = issue["handling"]["into"]
            _absorb(database, issue["_id"], into)
            for parent in _handled(database, [into]):
                _unresolve(database, parent, sightings[issue["_id"]])
        else:
            _unresolve(database, issue, sightings[issue["_id"]])


def _handled(database: Database[Document], ids: Collection[str]) -> list[Document]:
    """Those of these issues that are not simply unresolved."""
    wanted = {"_id": {"$in": list(ids)}, "state": {"$exists": True}}
    found = database.issues.find(wanted, _HANDLED) if ids else ()
    return [one for one in found if "state" in one]


def _unresolve(
    database: Database[Document], issue: Document, sightings: Iterable[Sighting]
) -> None:
    seen = list(sightings)
    known = _releases_in_question(database, issue, seen)
    if fields := states.transition(issue, seen, known):
        same = {"_id": issue["_id"], "state": issue["state"], "handling": issue["handling"]}
        database.issues.update_one(same, {"$set": fields, "$unset": _ENDED})


def _releases_in_question(
    database: Database[Document], issue: Document, sightings: Iterable[Sighting]
) -> Releases:
    """Those that it was seen in, and the one that it is resolved in."""
    bounds = {issue["handling"].get(name, "") for name in ("in", "after")} - {""}
    if not bounds:
        return Releases()
    names = bounds.union(*(one.releases for one in sightings))
    ids = [f"{project_of(issue['_id'])}:{name}" for name in names]
    return _releases(database, {"_id": {"$in": ids}})


def _releases(database: Database[Document], wanted: Document) -> Releases:
    found = database.releases.find(wanted, {"release": True, "first_seen": True})
    return Releases({one["release"]: one["first_seen"] for one in found})


def _absorb(database: Database[Document], child: str, into: str) -> None:
    """Count what `child` has so far in `into` as well: a counter that only grows, like a part."""
    found = database.issues.find_one({"_id": child}, _COUNTED)
    if found is None:
        return
    registers = {f"u.{name}": rank for name, rank in found.get("u", {}).items()}
    highest = {_absorbed(child): count_of(found), "last_seen": found["last_seen"], **registers}
    lowest = {name: found[name] for name in ("first_seen", "birth") if name in found}
    facets = {"$each": found.get("facets", [])}
    changes = {"$max": highest, "$min": lowest, "$addToSet": {"facets": facets}}
    database.issues.update_one({"_id": into}, changes)
    database.issues.update_one({"_id": into}, derived())


def derive(issue: str) -> pymongo.UpdateOne:
    """The update that derives what an issue shows."""
    return pymongo.UpdateOne({"_id": issue}, derived())


def _absorbed(child: str) -> str:
    return f"absorbed.{escape_key(child)}"


class IssueStore(mongo_client.Store):
    """What the command line reads and says. Every method raises UnavailableError."""

    def __init__(self, url: str) -> None:
        super().__init__(url)
        self._issues = self._database.issues

    def find(self, search: Search, at: datetime, sort: str, limit: int) -> list[Document]:
        """The first ones of those that are searched for; `limit` 0: all."""
        order = [(sort, pymongo.DESCENDING), ("_id", pymongo.DESCENDING)]
        with mongo_client.translated_errors(self._url):
            selected = self._selected(narrowing.Wanted(search, at, sort, limit))
            found = self._issues.find(selected.condition, SHOWN).sort(order).limit(limit)
            try:
                return list(found.clone().hint(selected.index))
            except OperationFailure as error:
                mongo_client.check_lacks_index(error)
            return list(found)

    def _selected(self, wanted: narrowing.Wanted) -> narrowing.Selection:
        steps = narrowing.steps(wanted)
        try:
            lookup = next(steps)
            while True:
                lookup = steps.send(self._looked_up(lookup))
        except StopIteration as end:
            selection: narrowing.Selection = end.value
            return selection

    def _looked_up(self, lookup: narrowing.Lookup) -> list[str] | int:
        if isinstance(lookup, narrowing.Ids):
            found = self._database[lookup.collection].aggregate(lookup.pipeline)
            return [str(one["_id"]) for one in found]
        if not lookup.condition:
            return self._issues.estimated_document_count()
        return self._issues.count_documents(lookup.condition, limit=lookup.most)

    def named(self, ids: Sequence[str]) -> list[Document]:
        """Those of these ids that there are, in their order."""
        with mongo_client.translated_errors(self._url):
            found = {one["_id"]: one for one in self._issues.find({"_id": {"$in": ids}}, SHOWN)}
        return [found[one] for one in ids if one in found]

    def newest_event(self, issue: str) -> Document:
        """The event of an issue's newest sample; {} where none is stored."""
        with mongo_client.translated_errors(self._url):
            newest = [("received", pymongo.DESCENDING)]
            found = self._database.samples.find_one({"issue": issue}, sort=newest)
        event = body_of(found) if found else None
        return event if isinstance(event, dict) else {}

    def releases(self, project: str) -> Releases:
        with mongo_client.translated_errors(self._url):
            return _releases(self._database, {"project": project})

    def set_state(
        self, issues: Iterable[Document], fields_of: Callable[[Document], Document]
    ) -> None:
        """Give each of the `issues` the fields of a state that `fields_of` makes for it."""
        gone = dict.fromkeys(_RETURNED, "")
        self._update((one, {"$set": fields_of(one), "$unset": gone}) for one in issues)

    def reopen(self, issues: Iterable[Document]) -> None:
        """Unresolved again; a merged issue is one of its own again."""
        listed = list(issues)
        merged = [one for one in listed if one.get("state") == states.MERGED]
        parents = [({"_id": one["handling"]["into"]}, _without(one["_id"])) for one in merged]
        self._update((one, {"$unset": _ENDED}) for one in listed)
        self._update(parents)
        self._derive([one["_id"] for one, _ in parents])

    def note(self, issues: Iterable[Document], at: datetime, text: str) -> None:
        pushed = {"$each": [{"at": at, "text": text}], "$slice": -states.MOST_NOTES}
        self._update((one, {"$push": {"notes": pushed}}) for one in issues)

    def merge(self, children: Iterable[Document], into: str, at: datetime) -> None:
        """Make each of the `children`, and what was merged into them, a part of `into`."""
        for child in list(_with_merged(self, children)):
            self._update([(child, {"$set": states.merged(at, into), "$unset": {"absorbed": ""}})])
            with mongo_client.translated_errors(self._url):
                _absorb(self._database, child["_id"], into)

    def continue_as(self, issue: str, other: str, about: Document, at: datetime) -> str:
        """Count an issue in `other` from now on, whose events are of the same kind with their
        source maps, and which begins as `about` says if nobody has seen it yet.

        Returns the issue that it is a part of now; '' if it stays as it is: people have merged it
        themselves, or have taken that back.
        """
        one = self._one(issue)
        if not one or one.get("state") == states.MERGED or "continued" in one:
            return ""
        into = self._one(other) or self._begin(other, one, about)
        if into.get("state") == states.MERGED:
            into = self._one(into["handling"]["into"])
        if into.get("_id") in (None, issue):
            return ""
        self.merge([one], into["_id"], at)
        self._update([(one, {"$set": {"continued": {"at": at, "into": into["_id"]}}})])
        return str(into["_id"])

    def _one(self, issue: str) -> Document:
        with mongo_client.translated_errors(self._url):
            return self._issues.find_one({"_id": issue}) or {}

    def _begin(self, issue: str, before: Document, about: Document) -> Document:
        """It is no news: it begins with what people said about the one that it goes on with."""
        said = {name: before[name] for name in (*_SAID, *_SEEN) if name in before}
        first = {**about, **said, "project": project_of(issue), "words": words_of(about)}
        with mongo_client.translated_errors(self._url):
            self._issues.update_one({"_id": issue}, {"$setOnInsert": first}, upsert=True)
        return self._one(issue)

    def merged_into(self, issue: str) -> list[Document]:
        """The issues that were merged into one."""
        wanted = {"state": states.MERGED, "handling.into": issue}
        with mongo_client.translated_errors(self._url):
            return list(self._issues.find(wanted, SHOWN))

    def _update(self, changes: Iterable[tuple[Document, Document]]) -> None:
        writes = [pymongo.UpdateOne({"_id": one["_id"]}, change) for one, change in changes]
        if writes:
            with mongo_client.translated_errors(self._url):
                self._issues.bulk_write(writes, ordered=False)

    def _derive(self, ids: Sequence[str]) -> None:
        if ids:
            with mongo_client.translated_errors(self._url):
                self._issues.bulk_write([derive(one) for one in ids], ordered=False)


def _without(child: str) -> Document:
    return {"$unset": {_absorbed(child): ""}}


def _with_merged(store: IssueStore, children: Iterable[Document]) -> Iterator[Document]:
    for child in children:
        yield from store.merged_into(child["_id"])
        yield child
