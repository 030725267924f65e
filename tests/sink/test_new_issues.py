"""An issue that is new is written once: what it shows is in its first write already."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import replace
from typing import Any

import orjson
import pymongo
import pytest

from catchwater.config.streamdefs import Retention
from catchwater.event import Event
from catchwater.issues import facets
from catchwater.issues.derived import derived
from catchwater.mongo_client import DATABASE
from catchwater.streams import counters
from catchwater.streams.hyperloglog import register
from sink.fold import Writes, fold
from sink.known_documents import MOST, KnownDocuments
from sink.writer import MongoWriter

SHOWN = ("count", "users", "first_release", "facets")
USERS = (0, 1, 2, 30, 900, 2_500, 6_000)
"""Few are counted by the empty registers, many by the ranks of the others."""


@pytest.fixture
def database(mongo_url: str) -> Iterator[Any]:
    with pymongo.MongoClient[dict[str, Any]](mongo_url) as client:
        client.drop_database(DATABASE)
        yield client[DATABASE]


def tally(chance: random.Random, issue: str, values: int = 3, month: str = "202611") -> Event:
    first = chance.randrange(1_790_000_000_000, 1_796_000_000_000)
    users = map(register, (f"{issue}{n}" for n in range(chance.choice(USERS))))
    releases = chance.sample(["", "1.2", "shop@10.3.1", "Über@2"], 2)
    tags = [counters.tag("release", one) for one in releases if one]
    tags += [counters.tag("path", str(n)) for n in range(values)]
    counts = {counters.events_field(issue): chance.randint(1, 10**6)}
    if chance.random() < 0.5:
        counts[counters.more_field(issue)] = chance.randint(1, 10**12)
    tagged = {counters.tag_field(issue, one): 1 for one in tags}
    seen = {"first": first, "last": first + 5, "about": '{"type":"E","message":"m"}'}
    seen["users"] = {str(index): rank for index, rank in users}
    body = {
        "tag": chance.choice(["p0", "p1"]),
        "life": "life",
        "issues": {issue: seen},
        "buckets": [
            {"name": f"{month}2810", "generation": "1", "values": counts},
            {"name": month, "generation": "1", "values": counts | tagged},
        ],
    }
    return Event("-", "", 0, "tally", orjson.dumps(body))


def write(url: str, tallies: list[Event]) -> None:
    writes = Writes()
    for one in tallies:
        fold(writes, one)
    with closing(MongoWriter(url, Retention())) as writer:
        writer.write(writes)


def shown(database: Any) -> dict[str, dict[str, Any]]:
    found = database.issues.find({}, dict.fromkeys(SHOWN, True))
    return {one.pop("_id"): one for one in found}


@pytest.mark.parametrize("seed", range(3))
def test_it_shows_what_mongodb_would_derive(database: Any, mongo_url: str, seed: int):
    chance = random.Random(seed)
    ids = [f"1:v1:{number}" for number in range(60)]
    write(mongo_url, [tally(chance, one) for one in (*ids, *chance.sample(ids, 30))])
    at_first = shown(database)
    assert len(at_first) == len(ids)
    assert len({one["users"] for one in at_first.values()}) >= len(USERS)
    database.issues.update_many({}, derived())
    assert shown(database) == at_first


def test_what_is_seen_again_is_derived_again(database: Any, mongo_url: str):
    chance = random.Random(9)
    write(mongo_url, [tally(chance, "1:v1:a")])
    before = shown(database)["1:v1:a"]
    write(mongo_url, [tally(chance, "1:v1:a"), tally(chance, "1:v1:b")])
    after = shown(database)
    assert after["1:v1:a"]["count"] > before["count"]
    database.issues.update_many({}, derived())
    assert shown(database) == after


def test_more_facets_than_one_may_have_are_cut_at_once(database: Any, mongo_url: str):
    write(mongo_url, [tally(random.Random(1), "1:v1:a", values=facets.MOST + 20)])
    assert len(shown(database)["1:v1:a"]["facets"]) == facets.MOST


def test_months_that_are_over_are_closed_at_once(database: Any, mongo_url: str):
    """As where a sink begins with what had waited, or MongoDB was emptied."""
    months = ["202401", "202402", "202611"]
    write(mongo_url, [tally(random.Random(3), "1:v1:a", month=month) for month in months])
    (found,) = database.issues.find()
    assert found["closed"] > "202402"
    assert {part[:6] for part in found["parts"]} == {"202611", "closed"}
    write(mongo_url, [tally(random.Random(3), "1:v1:b", month="202611")])
    assert "closed" not in database.issues.find_one("1:v1:b")


def test_new_ones_are_written_once_and_others_twice(database: Any, mongo_url: str):
    def updated() -> int:
        found = database.client.admin.command("serverStatus")["metrics"]["document"]
        return int(found["updated"])

    chance, before = random.Random(2), updated()
    write(mongo_url, [tally(chance, f"1:v1:{number}") for number in range(10)])
    assert updated() == before
    write(mongo_url, [tally(chance, f"1:v1:{number}") for number in range(10)])
    assert updated() > before


COLLECTIONS = ("issues", "hours", "tags", "releases")


def stored(database: Any) -> dict[str, list[dict[str, Any]]]:
    return {name: list(database[name].find().sort("_id", 1)) for name in COLLECTIONS}


def folded(chance: random.Random, ids: list[str]) -> Writes:
    writes = Writes()
    for one in ids:
        fold(writes, tally(chance, one))
    return writes


@pytest.mark.parametrize("seed", range(3))
def test_it_is_inserted_as_an_upsert_would_write_it(database: Any, mongo_url: str, seed: int):
    ids = [f"1:v1:{number}" for number in range(40)]
    writes = folded(random.Random(seed), ids + ids[:20])
    with closing(MongoWriter(mongo_url, Retention())) as writer:
        writer.write(writes)
        database.issues.update_many({}, derived())  # it puts facets in another order
        inserted = stored(database)
        for name in COLLECTIONS:
            database[name].delete_many({})
        writer.write(writes)
    assert stored(database) == inserted
    assert [len(inserted[name]) for name in COLLECTIONS[:3]] == [40, 40, 40]


def test_what_another_sink_inserts_meanwhile_is_updated(database: Any, mongo_url: str):
    chance, ids = random.Random(4), ["1:v1:a", "1:v1:b", "1:v1:c"]
    first, second = folded(chance, ids[:2]), folded(chance, ids)
    with (
        closing(MongoWriter(mongo_url, Retention())) as one,
        closing(MongoWriter(mongo_url, Retention())) as two,
    ):
        two._missing = looks_too_soon(two._missing, lambda: one.write(first))
        two.write(second)
        in_turn = stored(database)
        for name in COLLECTIONS:
            database[name].delete_many({})
        one.write(first)
        one.write(second)
    assert in_turn == stored(database)


@pytest.mark.parametrize(
    "about",
    [
        {"": 1, ".a": 1, "a..b": 1, "a\0b": 1},
        {"$set": {"count": 1}, "$x": 1},
        {"a": 1, "a.b": 2},
        {"_id": "1:v1:other", "project": "2"},
        {"first_seen": 1, "birth": 1, "names": 1, "facets": 1, "words": 1},
        {"u": 1, "parts": 1, "more.x": 1, "count": 9, "closed": "203012"},
        {"state": "merged", "trend": "x", "absorbed": {"x": 9}},
        {"nul": {"\0": 1}},
        {"large": 2**64 - 1},
        {"deep": orjson.loads("[" * 200 + "]" * 200)},
    ],
)
def test_a_stage_of_ones_own_may_say_anything_of_an_issue(
    database: Any, mongo_url: str, about: dict[str, Any]
):
    """It was inserted and each update refused, or it ended the whole batch."""
    one = tally(random.Random(5), "1:v1:a")
    write(mongo_url, [one])
    wanted = database.issues.find_one()
    body = one.json
    body["issues"]["1:v1:a"]["about"] = orjson.dumps({"message": "m", "type": "E"} | about).decode()
    odd = replace(one, body=orjson.dumps(body))
    for _ in range(2):
        database.issues.delete_many({})
        for _ in range(2):
            write(mongo_url, [odd])
            found = database.issues.find_one()
            assert {name: found[name] for name in wanted} == wanted
            assert found.keys().isdisjoint({"", "state", "trend", "absorbed"})


def looks_too_soon(look: Callable[..., list[str]], meanwhile: Callable[[], None]) -> Any:
    """Another sink writes between its look and what is done then."""

    def looked(collection: Any, ids: list[str]) -> list[str]:
        found = look(collection, ids)
        meanwhile()
        return found

    return looked


def test_what_was_written_a_moment_ago_is_not_looked_for_again():
    known = KnownDocuments()
    assert known.unknown("hours", ["a", "b"]) == ["a", "b"]
    assert known.unknown("tags", ["a"]) == ["a"]
    assert known.unknown("hours", ["a", "b", "c"]) == ["c"]


def test_only_so_many_are_remembered():
    known = KnownDocuments()
    for first in range(0, 3 * MOST, MOST // 4):
        known.unknown("hours", [str(first + more) for more in range(MOST // 4)])
        assert len(known._ids["hours"]) <= MOST
