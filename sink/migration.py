"""What MongoDB still lacks of what the sink needs: indexes, and shard keys where it is a sharded
cluster. Pure: each step is a command of MongoDB's.

Events may arrive meanwhile. What was done is no step any more, so a migration that was cut short is
simply begun anew, and two at once come to the same.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from catchwater.mongo_client import DATABASE
from sink.indexes import INDEXES

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from sink.indexes import Index

Json = dict[str, Any]

COLLECTIONS = sorted({name for name, _ in INDEXES})
"""All that the sink writes to."""

SHARDED = ("issues", "hours", "days", "tags", "samples")
"""Collections that grow with events. The others are small, and stay whole on one shard."""

SHARD_KEY = {"_id": "hashed"}
"""Every write that must name its document names it by `_id`, so it goes to one shard, and what a
busy issue has is spread. An `_id` is unique in the whole cluster by that, too.
"""

_ROUTER = "isdbgrid"


@dataclass(frozen=True, slots=True)
class State:
    """What there is: indexes by collection and name, and, in a sharded cluster, the shard keys by
    collection.
    """

    indexes: Mapping[str, Mapping[str, Json]] = field(default_factory=dict)
    shard_keys: Mapping[str, Json] | None = None


@dataclass(frozen=True, slots=True)
class Step:
    """A command for the database `database`, and what it does, for people."""

    does: str
    command: Json
    database: str = DATABASE


def is_router(hello: Mapping[str, Any]) -> bool:
    """Whether who answers so is a mongos, behind which there is a sharded cluster."""
    return hello.get("msg") == _ROUTER


def steps(state: State, wanted: Iterable[Index]) -> list[Step]:
    """What is to be done, in this order."""
    found = [] if state.shard_keys is None else _sharding(state.shard_keys)
    return found + [step for one in wanted for step in _indexing(state.indexes, one)]


def misplaced(state: State) -> list[str]:
    """What is wrong with the sink's collections that somebody has sharded by another key."""
    return [
        f"{name} is sharded by {key}, which the sink's writes do not name; "
        f"reshard it by {SHARD_KEY}"
        for name, key in sorted((state.shard_keys or {}).items())
        if name in COLLECTIONS and list(key) != ["_id"]
    ]


def _sharding(keys: Mapping[str, Json]) -> list[Step]:
    missing = [name for name in SHARDED if name not in keys]
    if not missing:
        return []
    first = Step(f"{DATABASE}: may be sharded", {"enableSharding": DATABASE}, "admin")
    return [first, *(step for name in missing for step in _shard(name))]


def _shard(name: str) -> list[Step]:
    """The index first: a collection that has documents is not sharded without."""
    index = {"key": SHARD_KEY, "name": "_id_hashed"}
    command = {"shardCollection": f"{DATABASE}.{name}", "key": SHARD_KEY}
    return [
        Step(f"{name}: index _id_hashed", {"createIndexes": name, "indexes": [index]}),
        Step(f"{name}: sharded by {SHARD_KEY}", command, "admin"),
    ]


def _indexing(there: Mapping[str, Mapping[str, Json]], one: Index) -> list[Step]:
    found, document = there.get(one.collection, {}).get(one.name), one.document()
    if found is None:
        make = {"createIndexes": one.collection, "indexes": [document]}
        return [Step(f"{one.collection}: index {one.name}", make)]
    expires = document.get("expireAfterSeconds")
    if found.get("expireAfterSeconds") == expires:
        return []
    change = {"keyPattern": document["key"], "expireAfterSeconds": expires}
    does = f"{one.collection}: documents expire {expires:,} s after {one.fields[0][0]}"
    return [Step(does, {"collMod": one.collection, "index": change})]
