"""Clients of MongoDB, what can go wrong with them in our words, and indexes that expire
documents.

The sink, the dashboard, grouping and source maps take their clients from here. Nothing here
retries: every write of Catchwater's may be done twice, and only the caller knows when to do it
again.
"""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import pymongo
from pymongo import AsyncMongoClient
from pymongo.errors import ConfigurationError, OperationFailure, PyMongoError

from catchwater.errors import RefusedError, UnavailableError
from catchwater.redaction import redacted_address, redacted_reason

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from datetime import timedelta

    from pymongo.database import Database

Document = dict[str, Any]

DATABASE = "catchwater"

OLDEST = 5
"""The oldest major version of MongoDB that can do the sink's updates."""

SELECTION_MS = 3_000
"""Milliseconds without any usable server after which MongoDB counts as away."""

SOCKET_MS = 30_000
"""Milliseconds that one answer may take."""

QUERY_MS = 5_000
"""Milliseconds that a query of the dashboard may take; MongoDB stops it then."""

_BAD_VALUE = 2
"""MongoDB's code for what is wrong with a command's values."""

_READING: dict[str, Any] = {
    "appname": "catchwater-dashboard",
    "serverSelectionTimeoutMS": 1_000,  # with timeoutMS the driver would ignore this one
    "connectTimeoutMS": 1_000,
    "socketTimeoutMS": 2 * QUERY_MS,
}


def connect(url: str, **settings: Any) -> pymongo.MongoClient[Document]:
    """A client whose writes are acknowledged by a majority, journalled. Connects at first use.

    Raises RefusedError for an address that cannot be used.
    """
    with _usable(url):
        return pymongo.MongoClient[Document](
            url,
            w="majority",
            journal=True,
            tz_aware=True,
            connect=False,
            serverSelectionTimeoutMS=SELECTION_MS,
            connectTimeoutMS=SELECTION_MS,
            socketTimeoutMS=SOCKET_MS,
            **settings,
        )


class Store:
    """A client of the database, for whatever is stored there; to be closed."""

    def __init__(self, url: str) -> None:
        """Raises RefusedError for an address that cannot be used."""
        self._url = url
        self._client = connect(url)
        self._database = self._client[DATABASE]

    def close(self) -> None:
        self._client.close()


def connect_for_reading(url: str) -> AsyncMongoClient[Document]:
    """A client for pages that people wait for: it gives up sooner. Connects at first use.

    Raises RefusedError for an address that cannot be used.
    """
    with _usable(url):
        return AsyncMongoClient(url, tz_aware=True, **_READING)


def connect_for_counting(url: str) -> pymongo.MongoClient[Document]:
    """The same for a thread. Connects at first use.

    Raises RefusedError for an address that cannot be used.
    """
    with _usable(url):
        return pymongo.MongoClient[Document](url, connect=False, **_READING)


@contextmanager
def translated_errors(url: str, consequence: str = "") -> Iterator[None]:
    """Raises UnavailableError, or RefusedError for an address that cannot be used.

    `consequence` says what that means for the person who reads it: ", and ... ".
    """
    try:
        yield
    except ConfigurationError as error:
        raise _unusable(url, error) from error
    except PyMongoError as error:
        raise away(error, consequence) from error


def check_lacks_index(error: OperationFailure) -> None:
    """Raise `error` unless the query named an index that the sink has not made yet.

    The same without it is slower, as MongoDB then looks at all documents.
    """
    if error.code != _BAD_VALUE or "hint" not in str(error):
        raise error


@contextmanager
def _usable(url: str) -> Iterator[None]:
    """The driver says what is wrong with an address by two kinds of exceptions."""
    try:
        with translated_errors(url):
            yield
    except ValueError as error:
        raise _unusable(url, error) from error


def _unusable(url: str, error: Exception) -> RefusedError:
    why = redacted_reason(error, url)
    return RefusedError(f"the MongoDB address {redacted_address(url)!r} cannot be used: {why}")


def away(error: Exception, consequence: str = "") -> UnavailableError:
    """The driver's error as ours, without its whole picture of the topology."""
    return UnavailableError(f"MongoDB is away or busy{consequence}: {str(error)[:500]}")


def indexes(database: Database[Document], names: Iterable[str]) -> dict[str, dict[str, Document]]:
    """Those that there are of collections, by collection and name. Raises PyMongoError."""
    return {
        name: {one["name"]: dict(one) for one in database[name].list_indexes()} for name in names
    }


def expire_after(database: Database[Document], name: str, field: str, after: timedelta) -> None:
    """Create a TTL index on a collection's date `field`, or change the one there is."""
    collection, seconds = database[name], int(after.total_seconds())
    indexes = collection.list_indexes()
    existing = next((one for one in indexes if dict(one["key"]) == {field: 1}), None)
    if existing is None:
        collection.create_index([(field, 1)], expireAfterSeconds=seconds)
    elif existing.get("expireAfterSeconds") != seconds:
        index = {"keyPattern": {field: 1}, "expireAfterSeconds": seconds}
        database.command("collMod", name, index=index)


def problems(url: str) -> list[str]:
    """What is wrong with the MongoDB at `url`, a sentence each."""
    try:
        with pymongo.MongoClient[Document](url, serverSelectionTimeoutMS=SELECTION_MS) as client:
            version = client.server_info()["version"]
    except (PyMongoError, ValueError) as error:
        said = redacted_reason(error, url)[:300]
        return [f"{redacted_address(url)}: MongoDB is away, or the address is wrong: {said}"]
    major = int(version.partition(".")[0])
    if major < OLDEST:
        return [f"MongoDB is version {version}; {OLDEST}.0 or later is needed"]
    return []
