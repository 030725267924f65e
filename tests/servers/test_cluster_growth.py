"""Partitions are doubled on a real Redis Cluster, where each is on one of several masters."""

from __future__ import annotations

import os
import signal

import pytest

from catchwater.answers import Drop
from catchwater.cluster_slots import every_key
from catchwater.config import hash_slots
from catchwater.config.streamdefs import load
from catchwater.errors import GrownError, NotReplicatedError, UnavailableError
from catchwater.redis_client import Connection
from catchwater.streams.commit import Entry
from catchwater.streams.growing import Growth
from tests.growth.partitions import KINDS, Sized, write
from tests.servers.cluster import cluster
from tests.waiting import wait_until


@pytest.fixture(scope="module")
def replicated(tmp_path_factory):
    with cluster(tmp_path_factory.mktemp("cluster")) as one:
        yield one


@pytest.fixture(params=KINDS)
def of(request, replicated, tmp_path):
    """The pipeline as processes see it that know so many partitions."""
    for node in replicated.masters:
        node.call("FLUSHALL")
    connection, made = Connection(replicated.url), {}

    def make(partitions):
        if partitions not in made:
            defs = load(write(tmp_path, request.param, partitions))
            made[partitions] = Sized(replicated.url, defs, connection)
        return made[partitions]

    yield make
    for each in (connection, *(one for sized in made.values() for one in sized.opened)):
        each.close()


def grow(one, replicas=1):
    return [*Growth(one.connection, one.defs, replicas).steps()]


def assert_exact(one, event, numbers):
    one.add("raw", *map(event, numbers))
    one.drain()
    audit = one.audit
    assert (audit.counted, one.stored()) == (len(numbers), len(numbers))
    assert audit.duplicates == audit.accepted - len(numbers)
    assert (audit.missing, audit.depth, audit.dead) == (0, 0, 0)


@pytest.mark.timeout(300)
def test_they_grow_on_several_masters(of, event):
    before = of(8)
    before.add("raw", *map(event, range(100)))
    before.drain()
    late, entries = before.use("count", "late"), [Entry(one, "1-1", {}) for one in range(8)]
    for partitions in (16, 64):
        assert grow(of(partitions))[-1] == ("grown", partitions, partitions, 0)
        before.add("raw", *map(event, range(100, 100 + partitions)))
        of(partitions).drain()
    with pytest.raises(GrownError, match="to 64 partitions"):
        late.commit([(entry, Drop("late")) for entry in entries])
    assert_exact(of(64), event, range(164))


@pytest.mark.timeout(300)
def test_no_step_is_done_before_the_replicas_have_the_last(of, replicated):
    of(8).drain()
    for replica in replicated.replicas:
        os.kill(replica.pid, signal.SIGSTOP)
    try:
        with pytest.raises(NotReplicatedError, match="0 of 1 replicas"):
            grow(of(16))
    finally:
        for replica in replicated.replicas:
            os.kill(replica.pid, signal.SIGCONT)
    wait_until(lambda: _grown(of(16)), "it is done", 60)


def _grown(one):
    try:
        return grow(one)
    except UnavailableError:
        return None


@pytest.mark.timeout(300)
def test_marks_are_not_looked_for_while_slots_move(of, event, replicated):
    before, after = of(8), of(16)
    before.add("raw", *map(event, range(60)))
    before.drain()
    slot = hash_slots.slot(before.defs.tags[0])
    with replicated.moving(slot, replicated.next_to(slot)):
        with pytest.raises(UnavailableError, match="slots of the cluster move"):
            list(every_key(after.connection, "*"))
        with pytest.raises(UnavailableError):
            grow(after)
    wait_until(lambda: _grown(after), "it is done", 60)
    assert_exact(after, event, range(60))
