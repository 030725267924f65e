"""MongoDB: the one module of the sink that speaks to it. Every write may be done twice, in any order."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import pymongo
from bson.errors import InvalidDocument
from pymongo.errors import BulkWriteError, ConfigurationError, OperationFailure, PyMongoError

from catchwater.connection import Refused, Unavailable
from sink.indexes import INDEXES, expiries
from sink.recompute import derived

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from pymongo.collection import Collection

    from catchwater.event import Json
    from catchwater.streamdefs import Retention
    from sink.fold import Update, Writes

DATABASE = "catchwater"
OLDEST = 5
"""The oldest major version of MongoDB whose updates can do what recompute.py asks."""

_DUPLICATE_KEY = 11000
_TEMPORARY = {
    6,
    7,
    11600,
    11602,
    89,
    91,
    189,
    262,
    9001,
    10107,
    13435,
    13436,
    112,
    50,
    64,
    100,
    14031,
    146,
    13,
    18,
    8000,
}
"""Server errors that are no document's fault: shutting down, no primary, write concern not met in time, out of disk
space or memory, over quota, and a password or a right that somebody has to mend while the batch waits."""


class RefusedDocument(Exception):  # noqa: N818 - MongoDB's answer
    """MongoDB will never take one of these documents. Its text says why."""


class Store:
    """Writes to MongoDB, each acknowledged by a majority and journalled before `write` returns."""

    def __init__(self, url: str, retention: Retention) -> None:
        self._url = url
        self._retention = retention
        self._prepared = False
        self._client = pymongo.MongoClient[dict[str, Any]](
            url,
            w="majority",
            journal=True,
            serverSelectionTimeoutMS=3000,
            socketTimeoutMS=30_000,
            tz_aware=True,
            connect=False,
        )
        self._database = self._client[DATABASE]

    def prepare(self) -> None:
        """Make the indexes, once. Raises Unavailable, or Refused when the address cannot be used."""
        if self._prepared:
            return
        try:
            with self._told():
                self._make_indexes()
        except RefusedDocument as error:
            raise Refused(f"MongoDB does not take our indexes: {error}") from error
        self._prepared = True

    def write(self, writes: Writes) -> None:
        """Raises Unavailable (keep the batch), or RefusedDocument (find the culprit one by one)."""
        self.prepare()
        with self._told():
            for name in ("issues", "hours", "tags"):
                self._bulk(self._database[name], [_upsert(*one) for one in getattr(writes, name).items()])
            self._bulk(self._database.samples, [pymongo.InsertOne(sample) for sample in writes.samples.values()])
            self._derive(list(writes.issues))

    def close(self) -> None:
        self._client.close()

    @contextmanager
    def _told(self) -> Iterator[None]:
        """What goes wrong inside, in our words."""
        try:
            yield
        except BulkWriteError as error:
            raise _verdict(error) from error
        except OperationFailure as error:
            raise _away(error) if _passes(error.code) else RefusedDocument(str(error)) from error
        except (InvalidDocument, OverflowError) as error:
            raise RefusedDocument(str(error)) from error
        except ConfigurationError as error:
            raise Refused(f"the MongoDB address {self._url!r} cannot be used: {error}") from error
        except PyMongoError as error:
            raise _away(error) from error

    def _make_indexes(self) -> None:
        for name, fields in INDEXES:
            self._database[name].create_index(fields)
        for name, field, seconds in expiries(self._retention):
            self._expire(name, field, seconds)

    def _expire(self, name: str, field: str, seconds: int) -> None:
        """A TTL index, made or changed to what the retention is today."""
        collection = self._database[name]
        existing = next((one for one in collection.list_indexes() if dict(one["key"]) == {field: 1}), None)
        if existing is None:
            collection.create_index([(field, 1)], expireAfterSeconds=seconds)
        elif existing.get("expireAfterSeconds") != seconds:
            self._database.command("collMod", name, index={"keyPattern": {field: 1}, "expireAfterSeconds": seconds})

    def _bulk(self, collection: Collection[dict[str, Any]], operations: list[Any]) -> None:
        """All of them, whatever becomes of the others; a sample that is there already is no news."""
        if not operations:
            return
        try:
            collection.bulk_write(operations, ordered=False)
        except BulkWriteError as error:
            if (
                any(not _known_sample(one) for one in error.details["writeErrors"])
                or error.details["writeConcernErrors"]
            ):
                raise

    def _derive(self, issues: list[str]) -> None:
        if issues:
            self._database.issues.update_many({"_id": {"$in": issues}}, derived())


def _upsert(identity: str, update: Update) -> pymongo.UpdateOne:
    parts = {"$setOnInsert": update.on_insert, "$max": update.highest, "$min": update.lowest}
    if update.names:
        parts["$addToSet"] = {"names": {"$each": sorted(update.names)}}
    return pymongo.UpdateOne({"_id": identity}, {name: part for name, part in parts.items() if part}, upsert=True)


def _known_sample(error: Mapping[str, Any]) -> bool:
    return bool(error["code"] == _DUPLICATE_KEY and "q" not in error.get("op", {}))


def _verdict(error: BulkWriteError) -> Exception:
    """Two sinks may insert the same issue at once; the loser's upsert fails and is right the next time."""
    wrong: list[Json] = [one for one in error.details["writeErrors"] if not _known_sample(one)]
    final = [one for one in wrong if one["code"] != _DUPLICATE_KEY and not _passes(one["code"])]
    if final:
        return RefusedDocument(final[0].get("errmsg", "refused")[:1000])
    return _away(error)


def _passes(code: int | None) -> bool:
    return code in _TEMPORARY


def _away(error: Exception) -> Unavailable:
    return Unavailable(f"MongoDB is away or busy: {str(error)[:500]}")


def trouble(url: str) -> list[str]:
    """What is wrong with the MongoDB at `url`, a sentence each."""
    try:
        with pymongo.MongoClient[dict[str, Any]](url, serverSelectionTimeoutMS=3000) as client:
            version = client.server_info()["version"]
    except PyMongoError as error:
        return [f"{url}: MongoDB is away, or the address is wrong: {str(error)[:300]}"]
    major = int(version.partition(".")[0])
    return [] if major >= OLDEST else [f"MongoDB is version {version}; {OLDEST}.0 or later is needed"]
