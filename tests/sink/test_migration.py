"""`catchwater migrate`: what it plans is pure, and it does it on a real MongoDB.

No package that can be had has a mongos, so the steps that shard a cluster are only compared with
what MongoDB's manual asks for; tests/sink/test_shard_keys.py looks at all writes.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import closing
from typing import Any

import pymongo
import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st
from pymongo.database import Database

from catchwater.config.streamdefs import Retention
from catchwater.mongo_client import DATABASE
from sink.commands.migrate import command
from sink.indexes import wanted
from sink.migrating import Migrator
from sink.migration import SHARD_KEY, SHARDED, State, Step, is_router, misplaced, steps
from sink.work import store_in
from sink.writer import MongoWriter
from tests.sink.test_store import retried, tally

WANTED = wanted(Retention())
ALL = steps(State(shard_keys={}), WANTED)


@pytest.fixture
def database(mongo_url: str) -> Iterator[Database[dict[str, Any]]]:
    with pymongo.MongoClient[dict[str, Any]](mongo_url) as client:
        client.drop_database(DATABASE)
        yield client[DATABASE]


def after(done: list[Step]) -> State:
    """What a sharded cluster has after these steps."""
    indexes: dict[str, dict[str, Any]] = {}
    keys: dict[str, Any] = {}
    for one in done:
        for document in one.command.get("indexes", ()):
            indexes.setdefault(one.command["createIndexes"], {})[document["name"]] = document
        if "shardCollection" in one.command:
            keys[one.command["shardCollection"].removeprefix(f"{DATABASE}.")] = one.command["key"]
    return State(indexes, keys)


def test_a_cluster_is_sharded_by_what_every_write_names_and_then_has_its_indexes():
    first, *rest = ALL
    assert (first.command, first.database) == ({"enableSharding": DATABASE}, "admin")
    for name in SHARDED:
        index = {"key": SHARD_KEY, "name": "_id_hashed"}
        make = Step(f"{name}: index _id_hashed", {"createIndexes": name, "indexes": [index]})
        shard = {"shardCollection": f"{DATABASE}.{name}", "key": {"_id": "hashed"}}
        at = rest.index(make)
        assert (rest[at + 1].command, rest[at + 1].database) == (shard, "admin")
    made = [one.command for one in rest[2 * len(SHARDED) :]]
    assert made == [
        {"createIndexes": one.collection, "indexes": [one.document()]} for one in WANTED
    ]


def test_where_nothing_is_sharded_there_are_indexes_only():
    assert steps(State(), WANTED) == ALL[1 + 2 * len(SHARDED) :]


@given(st.integers(0, len(ALL)))
def test_one_that_was_cut_short_goes_on_where_it_was(done: int):
    left = steps(after(ALL[:done]), WANTED)
    assert [one for one in ALL if one in left] == left
    again = {step.does for step in left} & {step.does for step in ALL[:done]}
    assert again <= {"catchwater: may be sharded", *(f"{one}: index _id_hashed" for one in SHARDED)}
    assert steps(after([*ALL[:done], *left]), WANTED) == []


def test_a_collection_that_is_sharded_by_something_else_is_told():
    assert misplaced(State(shard_keys={"issues": {"_id": 1}, "maps.chunks": {"files_id": 1}})) == []
    (wrong,) = misplaced(State(shard_keys={"hours": {"issue": 1, "_id": 1}}))
    assert wrong.startswith("hours is sharded by {'issue': 1, '_id': 1}, which")


def test_a_mongos_is_known_by_what_it_answers(mongo_url: str):
    assert is_router({"ok": 1.0, "msg": "isdbgrid", "maxWireVersion": 17})
    with pymongo.MongoClient(mongo_url) as client:
        assert not is_router(client.admin.command("hello"))


def run(url: str, *more: str) -> str:
    said = CliRunner().invoke(command, ["--mongo-url", url, *more])
    assert said.exit_code == 0, said.output
    return said.output


def indexes(database: Database[dict[str, Any]]) -> dict[str, Any]:
    names = sorted({one.collection for one in WANTED})
    return {name: database[name].index_information() for name in names}


def test_what_is_done_is_done_once_and_is_what_the_sink_makes(
    database: Database[dict[str, Any]], mongo_url: str
):
    planned = run(mongo_url, "--dry-run")
    assert planned.count("would be made: ") == len(WANTED)
    assert database.list_collection_names() == []
    assert run(mongo_url).endswith(f"{len(WANTED)} steps done\n")
    assert run(mongo_url).endswith("nothing is left to do\n")
    assert "no sharded cluster" in planned
    made = indexes(database)
    database.client.drop_database(DATABASE)
    with closing(MongoWriter(mongo_url, Retention())) as writer:
        writer.prepare()
    assert indexes(database) == made


def test_a_changed_retention_is_one_step(database: Database[dict[str, Any]], mongo_url: str):
    run(mongo_url)
    with closing(Migrator(mongo_url)) as migrator:
        (step,) = steps(migrator.state(), wanted(Retention(samples="7d")))
        assert step.does == "samples: documents expire 604,800 s after received"
        migrator.do(step)
        assert steps(migrator.state(), wanted(Retention(samples="7d"))) == []


def test_events_arrive_meanwhile_and_are_counted_exactly(
    database: Database[dict[str, Any]], mongo_url: str
):
    stopping, written = threading.Event(), []

    def write() -> None:
        with closing(MongoWriter(mongo_url, Retention())) as writer:
            writer._prepared = True  # as a sink that ran before
            while not stopping.is_set() or len(written) < 50:
                written.append(len(written) + 1)
                retried(writer, [tally(f"1:v1:{len(written) % 7}", len(written))])

    sink = threading.Thread(target=write)
    sink.start()
    try:
        run(mongo_url)
    finally:
        stopping.set()
        sink.join()
    most = {f"1:v1:{n % 7}": 3 * n for n in written}
    assert {one["_id"]: one["count"] for one in database.issues.find()} == most
    with closing(MongoWriter(mongo_url, Retention())) as writer:
        assert store_in(writer, [tally("1:v1:a", 1)])
