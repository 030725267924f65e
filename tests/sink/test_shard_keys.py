"""Every write to a collection that may be sharded names the shard key, as a mongos would demand.

All places that write are found in the code, and each of them has to be seen at work here.
"""

from __future__ import annotations

import ast
import traceback
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import orjson
import pymongo
import pytest
from pymongo import monitoring
from pymongo.database import Database

from catchwater.config.streamdefs import Retention
from catchwater.event import PROBES, Event
from catchwater.issues import states
from catchwater.issues.erasing import Eraser
from catchwater.issues.late_maps import WaitingSamples
from catchwater.issues.release_store import ReleaseStore
from catchwater.issues.samples import SampleStore
from catchwater.issues.store import IssueStore
from catchwater.mongo_client import DATABASE
from catchwater.stage import SecondLook
from sink.migration import SHARDED
from sink.notices.store import NoticeStore
from sink.trends import TrendStore
from sink.work import store_in
from sink.writer import MongoWriter
from tests.house.sources import PACKAGES, ROOT, files, tree
from tests.issues.conftest import NOW, tally

Place = tuple[str, str]
"""A file, and a function in it."""

WRITING = (
    "update_one",
    "update_many",
    "replace_one",
    "insert_one",
    "insert_many",
    "delete_one",
    "delete_many",
    "bulk_write",
    "find_one_and_update",
    "find_one_and_replace",
    "find_one_and_delete",
)
ELSEWHERE = {"catchwater/sourcemaps/store.py"}
"""Writes to collections of its own, which stay on one shard."""

OF_MANY = {
    ("catchwater/issues/erasing.py", "samples_of"): "an erasure, which may be done again",
    ("catchwater/issues/erasing.py", "unfacet"): "an erasure",
    ("catchwater/issues/erasing.py", "_blank"): "an erasure",
    ("catchwater/issues/samples.py", "remove_probe"): "the next probe removes what is left",
    ("catchwater/issues/late_maps.py", "wait_no_more"): "what still waits is looked at again",
    ("sink/notices/store.py", "forget_others"): "each turn does it",
    ("sink/writer.py", "prepare"): "each start does it",
}
"""Writes that pass over a document while it moves from one shard to another, and why that does no
harm.
"""

NOT_SHARDED = {("sink/writer.py", "_derive")}
"""Its update of many is for a MongoDB that is not sharded."""

A, B, C = (f"1:v1:{name}" for name in "abc")


def places() -> set[Place]:
    """Where the code writes to MongoDB."""
    return {
        (path.as_posix(), function.name)
        for path in files(*PACKAGES)
        if path.as_posix() not in ELSEWHERE
        for function in ast.walk(tree(path))
        if isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef)
        for call in ast.walk(function)
        if isinstance(call, ast.Call)
        and isinstance(call.func, ast.Attribute)
        and call.func.attr in WRITING
    }


@dataclass
class Seen(monitoring.CommandListener):
    """The writes of clients that were made while it was registered."""

    known: set[Place] = field(default_factory=places)
    at_work: set[Place] = field(default_factory=set)
    wrong: list[str] = field(default_factory=list)

    def started(self, event: monitoring.CommandStartedEvent) -> None:
        collection = event.command.get(event.command_name)
        problems = list(_problems(event.command_name, event.command))
        if event.database_name != DATABASE or not _writes(event.command_name):
            return
        place = self._place()
        self.at_work.add(place)
        if collection in SHARDED:
            self.wrong += [
                f"{place}: {one} in {collection}"
                for one in problems
                if one != "of many" or place not in OF_MANY
            ]

    def succeeded(self, event: monitoring.CommandSucceededEvent) -> None:
        pass

    def failed(self, event: monitoring.CommandFailedEvent) -> None:
        pass

    def _place(self) -> Place:
        for frame in reversed(traceback.extract_stack()):
            path = Path(frame.filename)
            if path.is_relative_to(ROOT):
                place = (path.relative_to(ROOT).as_posix(), frame.name)
                if place in self.known:
                    return place
        return ("", "")


def _writes(name: str) -> bool:
    return name in {"insert", "update", "delete", "findAndModify"}


def _problems(name: str, command: Any) -> Iterator[str]:
    """What a mongos would say of a command, or what may go by a document while it moves."""
    for one in command.get("documents", ()) if name == "insert" else ():
        if not isinstance(one.get("_id"), str):
            yield "an insert without an id of ours"
    for one in command.get("updates", ()):
        if one.get("multi"):
            yield "of many"
        elif not isinstance(one["q"].get("_id"), str):
            yield f"an update that names no _id: {one['q']}"
    for one in command.get("deletes", ()):
        if one["limit"] == 0:
            yield "of many"
        elif not isinstance(one["q"].get("_id"), str):
            yield f"a delete that names no _id: {one['q']}"
    if name == "findAndModify" and not isinstance(command["query"].get("_id"), str):
        yield f"findAndModify that names no _id: {command['query']}"


@pytest.fixture
def writes() -> Iterator[Seen]:
    monitoring.register(listener := Seen())
    yield listener
    monitoring._LISTENERS.command_listeners.remove(listener)


@pytest.fixture
def database(mongo_url: str) -> Iterator[Database[dict[str, Any]]]:
    """Of a client whose writes are not looked at."""
    with pymongo.MongoClient[dict[str, Any]](mongo_url, tz_aware=True) as client:
        client.drop_database(DATABASE)
        yield client[DATABASE]


def sample(project: str, issue: str, number: int) -> Event:
    body = orjson.dumps({"user": {"id": "joe"}, "awaits": ["x"]})
    return Event(f"{number:032x}", project, 1_790_000_000_000, "named", body, {"issue": issue})


def test_every_write_names_its_document_by_the_shard_key(
    database: Database[dict[str, Any]], writes: Seen, mongo_url: str
) -> None:
    with closing(MongoWriter(mongo_url, Retention())) as writer:
        writer.prepare()
        writer._sharded = True
        sink(writer)
        people(writer, mongo_url)
    notifier(database, mongo_url)
    background(mongo_url)
    erasure(mongo_url)
    assert writes.wrong == []
    assert places() - writes.at_work == NOT_SHARDED
    assert set(OF_MANY) <= places()


def sink(writer: MongoWriter) -> None:
    about = {"release": "shop@1", "tags": {"uid": "joe"}}
    tallies = [
        tally(one, 3, NOW - timedelta(hours=1), users=("joe",), **about) for one in (A, B, C)
    ]
    first = sample("1", A, 1)
    tallies.append(tally(C, 1, NOW - timedelta(days=10)))
    store_in(writer, [*tallies, first, sample("1", B, 2)])
    store_in(writer, [replace(first, project="2", facts={"issue": "2:v1:a"})])


def people(writer: MongoWriter, url: str) -> None:
    with closing(IssueStore(url)) as store:
        store.set_state(store.named([A]), lambda _: states.resolved(NOW - timedelta(hours=1)))
        store.note(store.named([A]), NOW, "text")
        store.merge(store.named([B]), C, NOW)
        store_in(writer, [tally(A, 4, NOW), tally(B, 4, NOW)])
        assert "regressed" in store.named([A])[0]
        store.reopen(store.named([B]))
        assert store.continue_as(B, "1:v1:d", {"type": "E", "message": "m"}, NOW)
    with closing(ReleaseStore(url)) as releases:
        releases.mark("1", "shop@1", "production", NOW)


def notifier(database: Database[dict[str, Any]], url: str) -> None:
    with closing(NoticeStore(url, timedelta(minutes=1))) as notices:
        notices.prepare()
        notices.since("1", NOW)
        notices.told([{"_id": A, "untold": {"new": True}}])
        notices.forget_others(["1"])
        of = {"project": "1", "channel": "c", "state": "waiting", "at": NOW, "due": NOW}
        notices.add([{"_id": name, **of} for name in "xyz"])
        claimed = notices.claim(database.notices.find_one({"_id": "x"}) or {}, NOW)
        assert claimed
        notices.finish(claimed, state="sent")
        notices.group([{"_id": name} for name in "yz"], NOW)


def background(url: str) -> None:
    with closing(TrendStore(url)) as trends:
        trends.update_all(datetime.now(UTC))
        trends.fold_days(datetime.now(UTC))
    with closing(WaitingSamples(url)) as waiting:
        waiting.put(f"{1:032x}", SecondLook({}, issue=C), NOW)
        waiting.wait_no_more([f"{1:032x}"])
    with closing(SampleStore(url)) as samples:
        samples.remove_probe(PROBES)


def erasure(url: str) -> None:
    with closing(Eraser(url)) as eraser:
        assert eraser.samples_of("joe") == 3
        for issue, month, tags in list(eraser.tags_naming("joe")):
            eraser.untag("joe", issue, month, tags)
        eraser.unfacet("joe")
        eraser.issue(A)
        eraser.project("1")


@pytest.mark.parametrize(
    ("name", "command", "says"),
    [
        ("update", {"updates": [{"q": {"state": "x"}, "multi": False}]}, "names no _id"),
        ("update", {"updates": [{"q": {"_id": {"$in": []}}, "upsert": True}]}, "names no _id"),
        ("update", {"updates": [{"q": {"_id": "a"}, "multi": True}]}, "of many"),
        ("insert", {"documents": [{"_id": 5}]}, "without an id of ours"),
        ("delete", {"deletes": [{"q": {"issue": "a"}, "limit": 1}]}, "names no _id"),
        ("findAndModify", {"query": {"issue": "a"}}, "names no _id"),
    ],
)
def test_what_a_mongos_would_refuse_is_seen(name: str, command: Any, says: str) -> None:
    (problem,) = _problems(name, command)
    assert says in problem


def test_issues_of_a_sharded_cluster_are_derived_as_elsewhere(
    database: Database[dict[str, Any]], mongo_url: str
) -> None:
    shown = []
    for sharded in (False, True):
        database.issues.delete_many({})
        with closing(MongoWriter(mongo_url, Retention())) as writer:
            writer.prepare()
            writer._sharded = sharded
            sink(writer)
        shown.append(list(database.issues.find().sort("_id", 1)))
    assert shown[0] == shown[1] != []
