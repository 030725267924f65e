"""Reads what MongoDB has of what the sink needs, and does the steps that are left."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from catchwater import mongo_client
from catchwater.mongo_client import DATABASE
from sink.migration import COLLECTIONS, State, is_router

if TYPE_CHECKING:
    from sink.migration import Step

Document = dict[str, Any]


class Migrator(mongo_client.Store):
    """Every method raises UnavailableError."""

    def state(self) -> State:
        with mongo_client.translated_errors(self._url):
            sharded = is_router(self._client.admin.command("hello"))
            keys = self._shard_keys() if sharded else None
            return State(mongo_client.indexes(self._database, COLLECTIONS), keys)

    def do(self, step: Step) -> None:
        with mongo_client.translated_errors(self._url):
            self._client[step.database].command(step.command)

    def _shard_keys(self) -> dict[str, Document]:
        """By collection, of those that are sharded, as a cluster's own list has it."""
        of_ours = {"_id": {"$regex": f"^{DATABASE}\\."}, "dropped": {"$ne": True}}
        listed = self._client["config"]["collections"].find(of_ours)
        return {one["_id"].partition(".")[2]: dict(one["key"]) for one in listed if one.get("key")}
