"""MongoDB: the one module of the sink that speaks to it.

Every write may be done twice, in any order.
"""

from __future__ import annotations

from contextlib import contextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pymongo
from bson.errors import InvalidDocument
from pymongo.errors import BulkWriteError, OperationFailure

from catchwater import mongo_client
from catchwater.errors import RefusedDocumentError, RefusedError
from catchwater.issues import facets
from catchwater.issues.derived import derived, derived_at_first
from catchwater.issues.store import derive, handle
from catchwater.issues.words import ALL
from sink import days
from sink.fold import Update
from sink.indexes import wanted
from sink.known_documents import KnownDocuments
from sink.migration import COLLECTIONS, State, is_router, steps

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from pymongo.collection import Collection

    from catchwater.config.streamdefs import Retention
    from catchwater.event import Json
    from sink.fold import Writes

_DUPLICATE_KEY = 11000
_TEMPORARY = {
    6: "HostUnreachable",
    7: "HostNotFound",
    13: "Unauthorized",
    18: "AuthenticationFailed",
    24: "LockTimeout",
    43: "CursorNotFound",
    46: "LockBusy",
    50: "MaxTimeMSExpired",
    63: "StaleShardVersion",
    64: "WriteConcernFailed",
    89: "NetworkTimeout",
    91: "ShutdownInProgress",
    100: "UnsatisfiableWriteConcern",
    112: "WriteConflict",
    133: "FailedToSatisfyReadPreference",
    134: "ReadConcernMajorityNotAvailableYet",
    146: "ExceededMemoryLimit",
    150: "StaleEpoch",
    175: "QueryPlanKilled",
    189: "PrimarySteppedDown",
    202: "NetworkInterfaceExceededTimeLimit",
    237: "CursorKilled",
    262: "ExceededTimeLimit",
    8000: "AtlasError",
    9001: "SocketException",
    10107: "NotWritablePrimary",
    11600: "InterruptedAtShutdown",
    11601: "Interrupted",
    11602: "InterruptedDueToReplStateChange",
    13388: "StaleConfig",
    13435: "NotPrimaryNoSecondaryOk",
    13436: "NotPrimaryOrSecondary",
    14031: "OutOfDiskSpace",
}
"""Server errors that are no document's fault: shutting down, no primary, write concern not met
in time, out of disk space or memory, over quota, an answer that was cut short, and a password or a
right that somebody has to mend while the batch waits.
"""


class MongoWriter:
    """Writes to MongoDB, each acknowledged by a majority and journalled before `write` returns."""

    def __init__(
        self,
        url: str,
        retention: Retention,
        wrote: Callable[[Iterable[str]], None] = lambda _: None,
    ) -> None:
        """`wrote` is told which issues were written, after they were."""
        self._url = url
        self._wrote = wrote
        self._retention = retention
        self._prepared = self._sharded = False
        self._client = mongo_client.connect(url)
        self._database = self._client[mongo_client.DATABASE]
        self._known = KnownDocuments()

    def prepare(self) -> None:
        """Make the indexes, once, and enter issues into them that an earlier version wrote.

        Raises UnavailableError, or RefusedError when the address cannot be used.
        """
        if self._prepared:
            return
        try:
            with _translated_errors(self._url):
                self._make_indexes()
                self._database.issues.update_many({"words": None}, {"$set": {"words": [ALL]}})
                self._sharded = is_router(self._client.admin.command("hello"))
        except RefusedDocumentError as error:
            raise RefusedError(f"MongoDB does not take our indexes: {error}") from error
        self._prepared = True

    def write(self, writes: Writes) -> None:
        """Raises UnavailableError (keep the batch), or RefusedDocumentError (find the culprit
        one by one).
        """
        self.prepare()
        with _translated_errors(self._url):
            for name in ("tags", "releases", "hours"):
                self._upsert(self._database[name], getattr(writes, name), Update.document)
            changed = self._write_issues(writes.issues)  # the notifier looks at issues
            for day, issues in days.late_days(writes.hours, datetime.now(UTC)).items():
                days.fold(self._database, day, issues)
            self._insert(list(writes.samples.values()))
            self._derive(changed)
            handle(self._database, writes.sightings)
        self._wrote(writes.issues)

    def close(self) -> None:
        self._client.close()

    def _make_indexes(self) -> None:
        there = State(mongo_client.indexes(self._database, COLLECTIONS))
        for step in steps(there, wanted(self._retention)):
            self._database.command(step.command)

    def _insert(self, samples: list[Json]) -> None:
        """A sample that is there already is no news; one whose id another project has had before
        is called `<id>@<project>`.
        """
        there = self._bulk(self._database.samples, list(map(pymongo.InsertOne, samples)))
        self._bulk(
            self._database.samples,
            [
                pymongo.InsertOne(sample | {"_id": f"{sample['_id']}@{sample['project']}"})
                for sample in self._of_other_projects(there)
            ],
        )

    def _of_other_projects(self, samples: list[Json]) -> list[Json]:
        """Those whose id is the id of another project's sample."""
        if not samples:
            return []
        ids = {"_id": {"$in": [sample["_id"] for sample in samples]}}
        found = self._database.samples.find(ids, {"project": 1})
        projects = {one["_id"]: one["project"] for one in found}
        return [
            sample
            for sample in samples
            if projects.get(sample["_id"], sample["project"]) != sample["project"]
        ]

    def _bulk(self, collection: Collection[dict[str, Any]], operations: list[Any]) -> list[Json]:
        """All of them, whatever becomes of the others. Returns what was to be inserted and was
        there already.
        """
        if not operations:
            return []
        try:
            collection.bulk_write(operations, ordered=False)
        except BulkWriteError as error:
            errors: list[Json] = error.details["writeErrors"]
            if not all(map(_was_there, errors)) or error.details["writeConcernErrors"]:
                raise
            return [one["op"] for one in errors]
        return []

    def _write_issues(self, updates: Mapping[str, Update]) -> list[str]:
        """Returns those that have to be derived: all but new ones, which were written so."""
        new = self._upsert(self._database.issues, updates, _first_derived)
        return [name for name, one in updates.items() if name not in new or not _fits(one)]

    def _upsert(
        self,
        collection: Collection[dict[str, Any]],
        updates: Mapping[str, Update],
        begun: Callable[[Update, str], Json],
    ) -> set[str]:
        """Write each of these, `begun` where it is not there yet. Returns the ids of those.

        They are inserted, many in one step of MongoDB, which takes half as long as upserts do.
        """
        missing = self._missing(collection, self._known.unknown(collection.name, updates))
        inserts = [pymongo.InsertOne(begun(updates[name], name)) for name in missing]
        # What another sink has inserted meanwhile is there now.
        new = set(missing) - {one["_id"] for one in self._bulk(collection, inserts)}
        others = [_update(*one) for one in updates.items() if one[0] not in new]
        self._bulk(collection, others)
        return new

    def _missing(self, collection: Collection[dict[str, Any]], ids: list[str]) -> list[str]:
        """Those that are not there just now."""
        found = collection.find({"_id": {"$in": ids}}, {"_id": True}) if ids else ()
        there = {one["_id"] for one in found}
        return [one for one in ids if one not in there]

    def _derive(self, issues: list[str]) -> None:
        """One by one in a sharded cluster: an update of many passes over what is just moved from
        one shard to another. Elsewhere that costs MongoDB half as much.
        """
        if self._sharded:
            self._bulk(self._database.issues, [derive(one) for one in issues])
        elif issues:
            self._database.issues.update_many({"_id": {"$in": issues}}, derived())


@contextmanager
def _translated_errors(url: str) -> Iterator[None]:
    """Raises UnavailableError, RefusedError, or RefusedDocumentError where a document is at
    fault.
    """
    with mongo_client.translated_errors(url):
        try:
            yield
        except BulkWriteError as error:
            raise _verdict(error) from error
        except OperationFailure as error:
            if _passes(error.code):
                raise mongo_client.away(error) from error
            raise RefusedDocumentError(str(error)) from error
        except (InvalidDocument, OverflowError) as error:
            raise RefusedDocumentError(str(error)) from error


def _first_derived(update: Update, issue: str) -> Json:
    """A new issue, with what it shows."""
    return update.document(issue) | derived_at_first(update.highest, update.lowest)


_PARTS = "parts."
"""How the path of a counter's part begins, whose month (`yyyymm`) follows."""


def _fits(update: Update) -> bool:
    """Whether a new issue has no more facets than one may have, and no month that may be over: one
    that has only been seen in one month has none.
    """
    months = {path[len(_PARTS) :][:6] for path in update.highest if path.startswith(_PARTS)}
    return len(update.facets) <= facets.MOST and len(months) <= 1


def _update(identity: str, update: Update) -> pymongo.UpdateOne:
    parts = {"$setOnInsert": update.on_insert, "$max": update.highest, "$min": update.lowest}
    parts["$addToSet"] = {name: {"$each": one} for name, one in update.sets.items()}
    return pymongo.UpdateOne(
        {"_id": identity}, {name: part for name, part in parts.items() if part}, upsert=True
    )


def _was_there(error: Mapping[str, Any]) -> bool:
    return bool(error["code"] == _DUPLICATE_KEY and "q" not in error.get("op", {}))


def _verdict(error: BulkWriteError) -> Exception:
    """Two sinks may insert the same issue at once; the loser's upsert fails and is right the
    next time.
    """
    wrong: list[Json] = [one for one in error.details["writeErrors"] if not _was_there(one)]
    final = [one for one in wrong if one["code"] != _DUPLICATE_KEY and not _passes(one["code"])]
    if final:
        return RefusedDocumentError(final[0].get("errmsg", "refused")[:1000])
    return mongo_client.away(error)


def _passes(code: int | None) -> bool:
    return code in _TEMPORARY
