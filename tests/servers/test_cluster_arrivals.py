"""A consumer on a cluster waits without asking again and again, and misses nothing."""

from __future__ import annotations

import os
import signal
import threading
from datetime import timedelta

import pytest

from catchwater import redis_arrivals
from catchwater.config import hash_slots
from catchwater.config.streamdefs import load
from catchwater.redis_client import Connection
from catchwater.streams import keys
from catchwater.streams.consumer import prepare
from catchwater.streams.new_entries import new_entries
from tests.servers.cluster import cluster
from tests.servers.test_cluster import EIGHT
from tests.waiting import wait_until

WAIT_S = 60
LONG = timedelta(hours=1)
"""Longer than the test may take: what ends it is what has come."""

pytestmark = pytest.mark.timeout(240)


@pytest.fixture(scope="module")
def masters(tmp_path_factory):
    with cluster(tmp_path_factory.mktemp("cluster"), replicas=0) as one:
        yield one


@pytest.fixture(autouse=True)
def nothing_else_ends_a_wait(monkeypatch):
    monkeypatch.setattr(redis_arrivals, "BLOCK_S", LONG.total_seconds())


@pytest.fixture
def connection(masters, tmp_path):
    (tmp_path / "streamdefs.yaml").write_text(EIGHT)
    one = Connection(masters.url)
    one.each("FLUSHALL")
    prepare(one, load(tmp_path / "streamdefs.yaml"))
    yield one
    one.close()


@pytest.fixture
def streams():
    return [keys.stream(tag, "raw") for tag in hash_slots.tags(8)]


@pytest.fixture
def reader(connection, streams):
    return new_entries(connection, "name", "a", streams)


class Reading:
    """A read in a thread, which waits for entries; what it found."""

    def __init__(self, reader, wait=LONG):
        self.found = []
        read = lambda: self.found.extend(reader.read(10, wait).streams)  # noqa: E731 - one line
        self._thread = threading.Thread(target=read, daemon=True)
        self._thread.start()

    def ended(self):
        self._thread.join(WAIT_S)
        assert not self._thread.is_alive(), "it still waits for what has come"
        return [stream.decode() for stream, _ in self.found]


def blocked(masters):
    return sum(int(info_of(node, "clients")["blocked_clients"]) for node in masters.masters)


def info_of(node, section):
    lines = node.call("INFO", section).decode().splitlines()
    return dict(line.split(":", 1) for line in lines if ":" in line)


def looks(masters):
    """How often a stream was asked for what is new."""
    found = [info_of(node, "commandstats").get("cmdstat_xreadgroup") for node in masters.masters]
    return sum(int(one.partition("calls=")[2].partition(",")[0]) for one in found if one)


def is_waiting(masters):
    return lambda: blocked(masters) == 8


def test_an_entry_of_any_stream_ends_the_wait(masters, connection, streams, reader):
    for stream in streams:
        reading = Reading(reader)
        wait_until(is_waiting(masters), "it waits for all streams", WAIT_S)
        connection.call("XADD", stream, "*", "id", "1")
        assert reading.ended() == [stream]


def test_who_waits_does_not_ask_again_and_again(masters, streams, reader):
    reader.read(10, timedelta(seconds=2))  # it looks often at first, as something often comes soon
    before = looks(masters)
    reader.read(10, timedelta(seconds=2))
    assert looks(masters) - before <= 3 * len(streams)


def test_what_comes_as_the_wait_begins_is_found(connection, streams, reader):
    """It came after the look, and before the streams were watched."""
    arrivals, reader._pause_s = reader._arrivals, 1.0
    watch = arrivals.watch

    def late():
        connection.call("XADD", streams[3], "*", "id", "1")
        return watch()

    arrivals.watch = late
    assert Reading(reader).ended() == [streams[3]]


def test_of_several_consumers_each_sees_what_the_others_leave(masters, connection, streams, reader):
    """None is given entries while it works on others."""
    reading = Reading(reader)
    wait_until(is_waiting(masters), "it waits", WAIT_S)
    connection.call("XADD", streams[0], "*", "id", "1")
    assert reading.ended() == [streams[0]]
    wait_until(lambda: blocked(masters) == 7, "the others are still watched", WAIT_S)
    connection.call("XADD", streams[1], "*", "id", "2")
    other = Connection(masters.url)
    assert len(new_entries(other, "name", "b", streams).read(10, LONG).streams) == 1
    other.close()


def test_a_stream_whose_slot_moves_is_waited_for_at_its_new_master(
    masters, connection, streams, reader
):
    slot = hash_slots.slot(hash_slots.tags(8)[0])
    old, new = masters.master_of(slot), masters.next_to(slot)
    reading = Reading(reader)
    wait_until(is_waiting(masters), "it waits", WAIT_S)
    masters.move(slot, new)
    try:
        connection.call("XADD", streams[0], "*", "id", "1")
        assert reading.ended() == [streams[0]]
    finally:
        masters.move(slot, old)


def test_a_consumer_that_may_not_watch_asks_again_and_again(masters, connection, streams):
    """The rights that were given before an update are enough."""
    rights = ("on", "nopass", "~*", "+@all", "-xread")
    for node in masters.masters:
        node.call("ACL", "SETUSER", "old", *rights)
    one = Connection(masters.url.replace("://", "://old:any@"))
    reading = Reading(new_entries(one, "name", "a", streams))
    before = looks(masters)
    wait_until(lambda: looks(masters) > before + 20 * len(streams), "it looks often", WAIT_S)
    connection.call("XADD", streams[0], "*", "id", "1")
    assert reading.ended() == [streams[0]]
    one.close()


def test_streams_are_watched_however_many_connections_were_lost_before(connection, streams):
    """A pool of redis-py makes 100 at most, those that are gone included."""
    arrivals = connection.arrivals(streams)
    for _ in range(60):
        assert arrivals.watch()
        arrivals.close()


def test_who_cannot_watch_all_streams_takes_no_connection_from_others(masters, connection, streams):
    """Where `maxclients` is reached, ingest and other stages need them."""
    arrivals = connection.arrivals(streams)
    for node in masters.masters:
        node.call("CONFIG SET", "maxclients", clients(node) + 1)
    try:
        wait_until(lambda: not arrivals.watch(), "there is no room for all", WAIT_S)
        there = lambda: all(node.answers() for node in masters.masters)  # noqa: E731 - one line
        wait_until(there, "others are let in", WAIT_S)
    finally:
        connection.each("CONFIG SET", "maxclients", 10_000)


def clients(node):
    found = info_of(node, "clients")
    return int(found["connected_clients"]) + int(found["cluster_connections"])


def test_a_connection_without_a_sign_of_life_is_given_up(masters, connection, streams, monkeypatch):
    monkeypatch.setattr(redis_arrivals, "BLOCK_S", 0.1)
    monkeypatch.setattr(redis_arrivals, "OVERDUE_S", 0.1)
    arrivals, frozen = connection.arrivals(streams), masters.masters[0]
    assert arrivals.watch()
    os.kill(frozen.pid, signal.SIGSTOP)
    try:
        # Later the other masters would refuse, as one is away.
        wait_until(lambda: arrivals.wait(0.2) or not arrivals.watch(), "it is given up", 20)
    finally:
        os.kill(frozen.pid, signal.SIGCONT)
    wait_until(arrivals.watch, "it is tried again", WAIT_S)
