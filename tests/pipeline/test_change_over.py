"""A change-over from one version of naming to the next: an issue keeps its id and remembers both names."""

from __future__ import annotations

import hashlib
import itertools
import time

import orjson
import pymongo
import pytest

from catchwater.answers import Emit
from catchwater.connection import Unavailable
from catchwater.event import Event, decode
from sink.store import DATABASE, Store
from sink.work import store_in
from stages import fingerprint as stage
from stages.count import count
from stages.known import KnownIssues
from stages.naming import v1, versions
from stages.naming.name import Name

NUMBERS = itertools.count(1)


def by_type(details, rules=()):
    """A version that brings together whatever has one type."""
    return Name(hashlib.md5(details.thrown.type.encode()).hexdigest())


def by_message(details, rules=()):
    """A version that tells apart whatever has two messages."""
    return Name(hashlib.md5(details.thrown.message.encode()).hexdigest())


def report(function, type_="TypeError", message="x"):
    return {"type": type_, "message": message, "stack": f"{function}@https://shop.example/a.js:1:2"}


@pytest.fixture
def database(mongo_url):
    with pymongo.MongoClient(mongo_url) as client:
        client.drop_database(DATABASE)
        yield client[DATABASE]


@pytest.fixture
def issues(database, mongo_url, pipeline):
    """Lets one report go all the way to MongoDB, and answers all issues there: counts by id, and names."""
    sink, counter = pipeline.consumer("sink"), pipeline.consumer("count")
    store = Store(mongo_url, pipeline.defs.retention)

    def go(told):
        now = time.time_ns() // 1_000_000
        answer = stage.fingerprint(Event(f"{next(NUMBERS):032x}", "1", now, "snippet", orjson.dumps(told)))
        assert isinstance(answer, Emit)
        pipeline.add("unique", answer.event)
        counter.commit([(entry, count(decode(entry.fields))) for entry in counter.read()])
        batch = sink.read()
        sink.commit(zip(batch, store_in(store, [decode(entry.fields) for entry in batch]), strict=True))
        return {one["_id"]: (one["count"], one.get("names", [])) for one in database.issues.find()}

    yield go
    store.close()


@pytest.fixture
def change(monkeypatch, mongo_url):
    """Restarts the stage with a second version, as a deployment does."""
    opened = []

    def to(second):
        monkeypatch.setattr(versions, "VERSIONS", {"v1": v1.name, "v2": second})
        opened.append(KnownIssues(mongo_url))
        monkeypatch.setitem(stage.KNOWN, "issues", opened[-1])

    yield to
    for one in opened:
        one.close()


def test_an_issue_goes_on_under_its_id_and_remembers_both_names(issues, change):
    (old,) = issues(report("pay"))
    change(by_type)
    found = issues(report("pay"))
    assert set(found) == {old}
    counted, names = found[old]
    assert counted == 2
    assert [name.partition(":")[2][:3] for name in names] == ["v2:"]


def test_an_error_that_the_older_version_would_split_follows_the_newer_name(issues, change):
    (old,) = issues(report("pay"))
    change(by_type)
    issues(report("pay"))
    assert {one: n for one, (n, _) in issues(report("minified_anew")).items()} == {old: 3}


def test_two_issues_that_become_one_go_on_as_the_one_that_was_seen_first(issues, change):
    (first,) = issues(report("pay"))
    (second,) = set(issues(report("ship"))) - {first}
    change(by_type)
    issues(report("pay"))
    assert issues(report("new_place"))[first][0] == 3
    assert {one: n for one, (n, _) in issues(report("ship")).items()} == {first: 4, second: 1}


def test_an_issue_that_the_newer_version_would_split_stays_whole(issues, change):
    (old,) = issues(report("pay", message="one"))
    change(by_message)
    issues(report("pay", message="one"))
    found = issues(report("pay", message="two"))
    assert set(found) == {old}
    assert found[old][0] == 3
    assert len(found[old][1]) == 2


def test_an_error_that_nobody_has_seen_is_named_by_the_newest_version(issues, change):
    change(by_type)
    (one,) = issues(report("pay"))
    assert one.startswith("1:v2:")
    assert set(issues(report("pay"))) == {one}


def test_while_mongodb_is_away_events_wait(change, monkeypatch):
    change(by_type)
    monkeypatch.setitem(stage.KNOWN, "issues", away := KnownIssues("mongodb://127.0.0.1:1"))
    with pytest.raises(Unavailable, match="which issues there are"):
        stage.fingerprint(Event("0" * 32, "1", 1_763_900_000_000, "snippet", orjson.dumps(report("pay"))))
    away.close()
