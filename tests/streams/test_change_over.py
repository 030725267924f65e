"""A change to the next version of grouping: an issue keeps its id and remembers both names."""

from __future__ import annotations

import contextlib
import hashlib
import itertools
import time
from dataclasses import replace
from typing import NamedTuple

import orjson
import pymongo
import pytest

from catchwater.answers import Emit
from catchwater.errors import UnavailableError
from catchwater.event import Event, decode
from catchwater.mongo_client import DATABASE
from catchwater.stage import SamplesWanted
from sink.work import store_in
from sink.writer import MongoWriter
from stages import fingerprint as stage
from stages.count import count
from stages.existing_issues import ExistingIssues
from stages.grouping import v1, versions
from stages.grouping.result import GroupingResult
from stages.sample_quota import SampleQuota

NUMBERS = itertools.count(1)


def by_type(details, rules=()):
    """A version that brings together whatever has one type."""
    return GroupingResult(hashlib.md5(details.thrown.type.encode()).hexdigest())


def by_message(details, rules=()):
    """A version that tells apart whatever has two messages."""
    return GroupingResult(hashlib.md5(details.thrown.message.encode()).hexdigest())


def report(function, type_="TypeError", message="x"):
    return {"type": type_, "message": message, "stack": f"{function}@https://shop.example/a.js:1:2"}


@pytest.fixture
def database(mongo_url):
    with pymongo.MongoClient(mongo_url) as client:
        client.drop_database(DATABASE)
        yield client[DATABASE]


@pytest.fixture
def issues(database, mongo_url, pipeline, change):
    """Sends one report through to MongoDB. Returns count and names of all issues there, by id."""
    sink, counter = pipeline.consumer("sink"), pipeline.consumer("count")
    store = MongoWriter(mongo_url, pipeline.defs.retention)

    def go(sent):
        now = time.time_ns() // 1_000_000
        answer = stage.fingerprint(
            Event(f"{next(NUMBERS):032x}", "1", now, "snippet", orjson.dumps(sent)),
            change.resources,
        )
        assert isinstance(answer, Emit)
        pipeline.add("unique", answer.event)
        counter.commit([(entry, count(decode(entry.fields))) for entry in counter.read()])
        batch = sink.read()
        sink.commit(
            zip(batch, store_in(store, [decode(entry.fields) for entry in batch]), strict=True)
        )
        return {
            doc["_id"]: Counted(doc["count"], doc.get("names", []))
            for doc in database.issues.find()
        }

    yield go
    store.close()


class Counted(NamedTuple):
    """An issue in MongoDB."""

    count: int
    names: list[str]


class ChangeOver:
    """Restarts the stage with a second version, as a deployment does."""

    def __init__(self, monkeypatch, mongo_url):
        self.resources = stage.NOTHING_OPENED
        self._monkeypatch = monkeypatch
        self._mongo_url = mongo_url

    def __call__(self, second):
        self._monkeypatch.setattr(versions, "VERSIONS", {"v1": v1.group, "v2": second})
        self.resources = stage.Resources(existing_issues=ExistingIssues(self._mongo_url))

    def close(self):
        if self.resources.existing_issues:
            self.resources.existing_issues.close()


@pytest.fixture
def change(monkeypatch, mongo_url):
    with contextlib.closing(ChangeOver(monkeypatch, mongo_url)) as started:
        yield started


def counts(found):
    return {issue: counted.count for issue, counted in found.items()}


def test_an_issue_goes_on_under_its_id_and_remembers_both_names(issues, change):
    (old,) = issues(report("pay"))
    change(by_type)
    found = issues(report("pay"))
    assert set(found) == {old}
    assert found[old].count == 2
    assert [name.partition(":")[2][:3] for name in found[old].names] == ["v2:"]


def test_an_error_that_the_older_version_would_split_follows_the_newer_name(issues, change):
    (old,) = issues(report("pay"))
    change(by_type)
    issues(report("pay"))
    assert counts(issues(report("minified_anew"))) == {old: 3}


def test_two_issues_that_become_one_go_on_as_the_one_that_was_seen_first(issues, change):
    (first,) = issues(report("pay"))
    (second,) = set(issues(report("ship"))) - {first}
    change(by_type)
    issues(report("pay"))
    assert issues(report("new_place"))[first].count == 3
    assert counts(issues(report("ship"))) == {first: 4, second: 1}


def test_an_issue_that_the_newer_version_would_split_stays_whole(issues, change):
    (old,) = issues(report("pay", message="one"))
    change(by_message)
    issues(report("pay", message="one"))
    found = issues(report("pay", message="two"))
    assert set(found) == {old}
    assert found[old].count == 3
    assert len(found[old].names) == 2


def test_a_new_error_is_grouped_by_the_newest_version(issues, change):
    change(by_type)
    (one,) = issues(report("pay"))
    assert one.startswith("1:v2:")
    assert set(issues(report("pay"))) == {one}


def test_each_issue_has_its_samples_where_two_have_one_newest_name(issues, change):
    reports = [report("pay"), report("ship")]
    for one in reports:
        old = issues(one)
    change(by_type)
    quota = SampleQuota(SamplesWanted(1, 1, lambda _: 0))
    using = replace(change.resources, quota=quota)
    events = [Event(f"{n:032x}", "1", 0, "snippet", orjson.dumps(reports[n % 2])) for n in range(6)]
    found = [stage.fingerprint(one, using).event for one in events]
    assert {one.facts["issue"] for one in found} == set(old)
    assert [bool(one.body) for one in found] == [True, True, False, False, False, False]


def test_while_mongodb_is_away_events_wait(change):
    change(by_type)
    away = ExistingIssues("mongodb://127.0.0.1:1")
    with pytest.raises(UnavailableError, match="which issues there are"):
        stage.fingerprint(
            Event("0" * 32, "1", 1_763_900_000_000, "snippet", orjson.dumps(report("pay"))),
            stage.Resources(existing_issues=away),
        )
    away.close()
