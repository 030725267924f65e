"""On a real MongoDB: any order, any number of times, comes to the same."""

from __future__ import annotations

import random
import zlib
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import orjson
import pymongo
import pytest
from pymongo.errors import BulkWriteError, OperationFailure

from catchwater.answers import Reject, Stored
from catchwater.config.streamdefs import Retention
from catchwater.errors import RefusedDocumentError, UnavailableError
from catchwater.event import Event
from catchwater.mongo_client import DATABASE, problems
from catchwater.streams.hyperloglog import estimate, register
from sink import writer
from sink.fold import Writes, fold
from sink.work import store_in
from sink.writer import MongoWriter


@pytest.fixture
def database(mongo_url):
    client = pymongo.MongoClient(mongo_url)
    client.drop_database(DATABASE)
    yield client[DATABASE]
    client.close()


@pytest.fixture
def store(mongo_url):
    opened = []

    def make(url=mongo_url, **retention):
        opened.append(MongoWriter(url, Retention(**retention)))
        return opened[-1]

    yield make
    for one in opened:
        one.close()


def tally(issue, n, tag="p0", users=()):
    seen = {
        "first": 1_790_000_000_000 - n,
        "last": 1_790_000_000_000 + n,
        "about": '{"type":"E","message":"m"}',
    }
    seen["users"] = {str(index): rank for index, rank in map(register, users)}
    buckets = [
        {
            "name": "202609",
            "generation": "1",
            "values": {f"events\t{issue}": n, f"more\t{issue}": 2 * n},
        }
    ]
    body = {"tag": tag, "life": "life", "issues": {issue: seen}, "buckets": buckets}
    return Event("-", "", 0, "tally", orjson.dumps(body))


def sample(number, body=b"{}"):
    return Event(f"{number:032x}", "1", 1_790_000_000_000, "named", body, {"issue": "1:v1:a"})


def test_counts_are_exact_in_any_order_and_any_number_of_times(store, database):
    tallies = [
        tally(f"1:v1:{issue}", n, tag)
        for issue in "abc"
        for tag in ("p0", "p1")
        for n in range(1, 11)
    ]
    batches = tallies * 3
    random.Random(7).shuffle(batches)
    stores = [store() for _ in range(4)]
    with ThreadPoolExecutor(4) as pool:
        for _ in pool.map(
            lambda i: retried(stores[i % 4], batches[i : i + 5]), range(0, len(batches), 5)
        ):
            pass
    assert {one["_id"]: one["count"] for one in database.issues.find()} == {
        f"1:v1:{issue}": 60 for issue in "abc"
    }


def test_first_and_last_seen_are_the_earliest_and_the_latest_of_all_batches(store, database):
    for n in (5, 9, 1):  # each further from the middle the larger it is
        store_in(store(), [tally("1:v1:a", n)])
    held = database.issues.find_one()
    seen = [round(held[name].timestamp() * 1000) for name in ("first_seen", "last_seen")]
    assert seen == [1_790_000_000_000 - 9, 1_790_000_000_000 + 9]


@pytest.mark.parametrize(
    ("code", "expected"),
    [(11_600, UnavailableError), (189, UnavailableError), (2, RefusedDocumentError)],
)
def test_only_a_documents_fault_is_held_against_it(code, expected):
    """A server that shuts down or steps down refuses nothing for good."""
    with pytest.raises(expected), writer._translated_errors("mongodb://127.0.0.1"):
        raise OperationFailure("it says no", code)
    lost = BulkWriteError({"writeErrors": [{"code": code, "op": {"q": {}}}]})
    with pytest.raises(expected), writer._translated_errors("mongodb://127.0.0.1"):
        raise lost


def test_the_loser_of_two_upserts_of_one_issue_writes_again():
    duplicate = BulkWriteError({"writeErrors": [{"code": 11_000, "op": {"q": {"_id": "1:v1:a"}}}]})
    with pytest.raises(UnavailableError), writer._translated_errors("mongodb://127.0.0.1"):
        raise duplicate


def retried(target, events):
    """As the loop does it: two sinks may insert one issue at once, and the loser tries again."""
    while True:
        try:
            return store_in(target, events)
        except UnavailableError:
            continue


def test_users_are_estimated_inside_mongodb_as_we_do_it(store, database):
    for users in ([f"u{n}" for n in range(50)], [f"u{n}" for n in range(6000)]):
        store_in(store(), [tally("1:v1:a", 1, users=users)])
        held = database.issues.find_one()
        assert held["users"] == estimate(held["u"].values())


def test_a_sample_that_is_there_already_is_no_news(store, database):
    target = store()
    assert store_in(target, [sample(1, b'{"first":1}')]) == [Stored()]
    assert store_in(target, [sample(1, b'{"second":1}'), sample(2)]) == [Stored(), Stored()]
    held = {one["_id"]: zlib.decompress(one["event"]) for one in database.samples.find()}
    assert held == {f"{1:032x}": b'{"first":1}', f"{2:032x}": b"{}"}


def test_two_projects_may_have_had_the_same_event_id(store, database):
    """The second one's sample was taken for the first one's, and its issue showed none."""
    target, other = store(), replace(sample(1, b'{"other":1}'), project="2")
    for batch in (
        [sample(1)],
        [other, sample(1)],
        [other],
        [sample(2), replace(sample(2), project="2")],
    ):
        assert store_in(target, batch) == [Stored()] * len(batch)
    held = {one["_id"]: one["project"] for one in database.samples.find()}
    first, second = f"{1:032x}", f"{2:032x}"
    assert held == {first: "1", f"{first}@2": "2", second: "1", f"{second}@2": "2"}


def test_a_document_that_mongodb_refuses_is_rejected_alone(store, database):
    too_long = tally("1:v1:b", 1, tag="p" * 17_000_000)
    answers = store_in(store(), [tally("1:v1:a", 1), too_long, sample(1)])
    assert [type(one) for one in answers] == [Stored, Reject, Stored]
    assert "MongoDB refuses it" in answers[1].why
    assert database.issues.find_one({"_id": "1:v1:a"})["count"] == 3
    assert database.samples.count_documents({}) == 1


def test_what_is_no_counted_event_is_rejected_alone(store, database):
    answers = store_in(store(), [Event("-", "", 0, "tally", b"{}"), sample(1)])
    assert [type(one) for one in answers] == [Reject, Stored]


@pytest.mark.parametrize("lacks", ["users", "about", "first", "last"])
def test_nothing_is_written_of_what_is_no_counted_event(store, database, lacks):
    """What was read of it before its fault was counted, and it was in the dead letters too."""
    body = tally("1:v1:a", 100, users=["u1"]).json
    body["buckets"].append(body["buckets"][0] | {"name": "2026091200"})
    del body["issues"]["1:v1:a"][lacks]
    broken = replace(tally("1:v1:a", 100), body=orjson.dumps(body))
    assert [type(one) for one in store_in(store(), [broken])] == [Reject]
    assert [database[one].count_documents({}) for one in ("issues", "hours")] == [0, 0]
    answers = store_in(store(), [broken, tally("1:v1:a", 1)])
    assert [type(one) for one in answers] == [Reject, Stored]
    found = database.issues.find_one()
    assert (found["count"], found["type"], "u" in found) == (3, "E", False)


class KillsCursors(pymongo.monitoring.CommandListener):
    """As a mongos or a server does that ends while its answer is read."""

    def __init__(self, database):
        self._database = database

    def succeeded(self, event):
        found = event.reply.get("cursor", {})
        if event.command_name == "find" and found["id"]:
            name = found["ns"].partition(".")[2]
            self._database.command("killCursors", name, cursors=[found["id"]])

    def started(self, event):
        pass

    failed = started


def test_an_answer_that_was_cut_short_is_not_held_against_what_was_asked_for(store, database):
    """A tally of so many issues that MongoDB does not name all of them in one answer."""
    body = tally("1:v1:a", 1).json
    seen = body["issues"]["1:v1:a"]
    body["issues"] = {f"1:v1:{number}": seen for number in range(300)}
    many = replace(tally("1:v1:a", 1), body=orjson.dumps(body))
    assert store_in(store(), [many]) == [Stored()]
    pymongo.monitoring.register(listener := KillsCursors(database))
    try:
        (other := store()).prepare()
        with pytest.raises(UnavailableError):
            store_in(other, [many])
    finally:
        pymongo.monitoring._LISTENERS.command_listeners.remove(listener)
    assert store_in(other, [many]) == [Stored()]


def test_a_mongodb_that_is_away_keeps_the_batch(store):
    with pytest.raises(UnavailableError, match="MongoDB is away"):
        store_in(store("mongodb://127.0.0.1:9"), [sample(1)])


def test_indexes_are_made_and_a_changed_retention_changes_them(store, database):
    store_in(store(), [sample(1)])
    store_in(store(samples="7d"), [sample(2)])
    ttl = {one["name"]: one.get("expireAfterSeconds") for one in database.samples.list_indexes()}
    assert ttl["received_1"] == 7 * 86_400
    assert "issue_1_received_-1" in ttl
    leading = {next(iter(one["key"])) for one in database.issues.list_indexes()}
    assert leading >= {"project", "last_seen", "count"}


def test_writes_of_nothing_write_nothing(store, database):
    store().write(Writes())
    assert database.issues.count_documents({}) == 0


def test_a_live_check_knows_a_good_mongodb_from_none(mongo_url):
    assert problems(mongo_url) == []
    assert "away" in problems("mongodb://127.0.0.1:9")[0]


def test_folding_a_batch_first_makes_one_write_of_many(store, database):
    writes = Writes()
    for n in range(1, 200):
        fold(writes, tally("1:v1:a", n))
    assert len(writes.issues) == 1
    commands, written = [], []

    class Seen(pymongo.monitoring.CommandListener):
        def started(self, event):
            commands.append(event.command_name)

        def succeeded(self, event):
            pass

        failed = succeeded

    pymongo.monitoring.register(listener := Seen())
    try:
        (writer := store()).prepare()
        for _ in range(2):
            commands.clear()
            writer.write(writes)
            written.append([one for one in commands if one in {"insert", "update"}])
    finally:
        pymongo.monitoring._LISTENERS.command_listeners.remove(listener)
    assert written == [["insert"], ["update", "update"]], "a new issue is derived by its insert"
