"""A spool whose events belong to several nodes of Redis, some of which are away: without a
server.
"""

from __future__ import annotations

import asyncio

import pytest

from catchwater.errors import NotReplicatedError, PartlyAddedError, SpoolFullError, UnavailableError
from ingest.draining import SpoolDrain
from ingest.spool import DELETED_AT_ONCE, PAGE
from tests.ingest.recorder import Recorder, events
from tests.ingest.test_spool import full_disk, room_again


class Nodes(Recorder):
    """A cluster of `a`, `b` and `c`: an event's number says whose it is."""

    def __init__(self, *away):
        super().__init__()
        self.away = set(away)
        self.ids = {}
        self.short_of_replicas = False

    def node_of(self, event):
        return "abc"[int(event.id, 16) % 3]

    async def takes(self, event):
        return self.node_of(event) not in self.away

    async def add(self, events):
        took = [one for one in events if await self.takes(one)]
        self.flushes.append([one.id for one in took])
        if len(took) < len(events):
            raise PartlyAddedError("Redis is away", [one.id for one in took])
        if self.short_of_replicas:
            raise NotReplicatedError("0 of 1 replicas have it")

    async def histories(self):
        return {node: "" if node in self.away else name for node, name in self.ids.items()}

    async def replicated_since(self, histories):
        return not self.short_of_replicas and histories.items() <= (await self.histories()).items()


def of(node, numbers):
    return [one.id for one in events(*numbers) if Nodes().node_of(one) == node]


def drained(drain):
    """Whether nothing waits for a node that is away."""
    try:
        asyncio.run(drain.drain())
    except UnavailableError:
        return False
    return True


MANY = range(3 * PAGE)


def test_the_others_get_theirs_and_what_is_left_follows_in_order(spool):
    producer = Nodes("b")
    drain = SpoolDrain(producer, spool)
    spool.put(events(*MANY))
    assert not drained(drain)
    assert sorted(producer.added) == sorted([*of("a", MANY), *of("c", MANY)])
    assert spool.depth() == len(of("b", MANY))
    spool.put(events(*range(9000, 9300)))
    assert not drained(drain)
    producer.away.clear()
    producer.flushes.clear()
    assert drained(drain)
    assert producer.added == [*of("b", MANY), *of("b", range(9000, 9300))], "each once, in order"
    assert spool.depth() == 0


def test_what_is_left_is_not_read_at_each_look(spool, monkeypatch):
    """All of it, every five seconds, for as long as a node is away."""
    drain = SpoolDrain(Nodes("b"), spool)
    spool.put(events(*MANY))
    assert not drained(drain)
    pages, page = [], spool.page
    monkeypatch.setattr(spool, "page", lambda: pages.append(page()) or pages[-1])
    assert not drained(drain)
    spool.put(events(9000))
    assert not drained(drain)
    assert [found and len(found.events) for found in pages] == [None, 1, None]


def test_of_two_nodes_one_comes_back(spool):
    producer = Nodes("a", "b")
    drain = SpoolDrain(producer, spool)
    spool.put(events(*MANY))
    assert not drained(drain)
    producer.away.remove("b")
    assert not drained(drain)
    assert producer.added == [*of("c", MANY), *of("b", MANY)]
    assert spool.depth() == len(of("a", MANY))


def test_while_nothing_can_be_deleted_each_is_added_once(spool):
    producer = Nodes("b")
    drain = SpoolDrain(producer, spool)
    spool.put(events(*MANY))
    full_disk(spool)
    for _ in range(3):
        with pytest.raises(SpoolFullError):
            asyncio.run(drain.drain())
    producer.away.clear()
    room_again(spool)
    while not drained(drain) or spool.depth():
        pass
    assert sorted(producer.added) == sorted(one.id for one in events(*MANY))


@pytest.mark.parametrize("left", [1, DELETED_AT_ONCE, 2 * DELETED_AT_ONCE + 1])
def test_what_comes_after_a_deletion_is_not_passed_over(spool, left):
    """SQLite gives the numbers of deleted rows again."""
    producer = Nodes("b")
    drain = SpoolDrain(producer, spool)
    spool.put([*events(*range(1, 3 * left, 3)), *events(*range(0, 1500, 3))])
    assert not drained(drain)
    assert spool.depth() == left
    spool.put(events(6000))
    assert not drained(drain)
    assert producer.added[-1:] == [one.id for one in events(6000)]
    assert spool.depth() == left


def test_another_process_does_not_drain_what_is_left(spool, tmp_path):
    """It would take the numbers of the rows away that this one remembers."""
    drain = SpoolDrain(Nodes("b"), spool)
    spool.put(events(1))
    assert not drained(drain)
    other = type(spool)(tmp_path, 10_000_000)
    assert not other.lock_drain()
    drain._producer.away.clear()
    assert drained(drain)
    assert other.lock_drain()
    other.close()


def test_a_node_that_is_away_does_not_keep_the_others_from_being_confirmed(spool):
    """Where replicas are waited for, all nodes were asked for their histories, and none added to
    before the last had answered.
    """
    producer = Nodes("b")
    producer.ids = dict.fromkeys("abc", "first")
    drain = SpoolDrain(producer, spool)
    spool.put(events(*range(30)))
    producer.short_of_replicas = True
    assert not drained(drain)
    rows = lambda: spool._database.execute("SELECT count(*) FROM events").fetchone()[0]  # noqa: E731 - waited for
    assert rows() == 30, "kept until replicas have them"
    assert sorted(producer.added) == sorted([*of("a", range(30)), *of("c", range(30))])
    producer.short_of_replicas = False
    assert not drained(drain)
    assert (rows(), spool.depth()) == (10, 10)
    assert len(producer.added) == 20
    producer.away.clear()
    assert drained(drain)
    assert producer.added[20:] == of("b", range(30))


@pytest.mark.parametrize("now", ["second", None], ids=["restarted", "another has its slots"])
def test_after_a_failover_of_one_node_its_own_are_added_again(spool, now):
    producer = Nodes()
    producer.ids = dict.fromkeys("abc", "first")
    drain = SpoolDrain(producer, spool)
    spool.put(events(*range(30)))
    producer.short_of_replicas = True
    assert drained(drain)
    producer.away.add("a")
    assert drained(drain), "the node that may have lost some is away: wait for it"
    assert len(producer.added) == 30
    producer.away.remove("a")
    producer.short_of_replicas = False
    producer.ids = {"a": now, "b": "first", "c": "first"} if now else {"b": "first", "c": "first"}
    before = len(producer.added)
    drained(drain)
    producer.ids["a"] = "second"
    while not drained(drain) or spool.depth():
        pass
    assert set(of("a", range(30))) <= set(producer.added[before:])


def test_a_node_whose_history_is_not_known_gets_nothing_yet(spool):
    """Frozen when it was asked, at work when it was added to: who could say what it lost then?"""
    producer = Nodes()
    producer.ids = {"a": "first", "b": "", "c": "first"}
    drain = SpoolDrain(producer, spool)
    spool.put(events(*range(30)))
    assert not drained(drain)
    assert of("b", range(30))[0] not in producer.added
    producer.ids["b"] = "first"
    assert drained(drain)
    assert len(producer.added) == 30
