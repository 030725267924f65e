"""A master of a Redis Cluster that is frozen, refuses or has moved partitions away stops nothing
but its own partitions.
"""

from __future__ import annotations

import os
import signal
from collections import Counter
from contextlib import ExitStack, contextmanager

import pytest

from catchwater.config import hash_slots
from catchwater.config.streamdefs import load
from catchwater.redis_client import Connection
from catchwater.streams import keys
from catchwater.streams.consumer import prepare
from catchwater.streams.runner import not_ready_reason
from tests.ingest.conftest import made
from tests.servers.cluster import cluster
from tests.servers.replicated import post, settled, stages
from tests.servers.test_cluster_faults import EIGHT
from tests.waiting import wait_until

WAIT_S = 90
WITH_META = 0
"""The master that has what is fixed of the pipeline."""

AVAILABLE = ("--cluster-require-full-coverage", "no")


@pytest.fixture
def masters(tmp_path):
    with cluster(tmp_path / "c", 3, 0, *AVAILABLE) as one:
        yield one


@pytest.fixture
def defs(tmp_path, masters):
    (tmp_path / "defs.yaml").write_text(EIGHT)
    defs = load(tmp_path / "defs.yaml")
    prepare(Connection(masters.url), defs)
    return defs


def master_of(tag):
    """Which of three masters has a partition, in a cluster whose slots have not moved."""
    return hash_slots.slot(tag) * 3 // hash_slots.SLOTS


class Healthy:
    """What the masters say that are not sick."""

    def __init__(self, url, defs, sick):
        self._connection, self._defs = Connection(url), defs
        self._tags = [tag for tag in defs.tags if master_of(tag) != sick]

    def add(self, tag):
        self._tags.append(tag)

    def has(self, number):
        tag = self._defs.tags[self._defs.partition_of(f"{number:032x}")]
        return tag in self._tags

    def done(self):
        """How many entries each stage has committed."""
        found = Counter()
        for tag in self._tags:
            flat = self._connection.call("HGETALL", keys.ledger(tag))
            for name, n in zip(flat[::2], flat[1::2], strict=True):
                stage, _, what = name.decode().partition(":")
                found[stage] += int(n) if what == "done" else 0
        return found

    def waiting(self):
        """How many entries are in the sink's stream: what it has committed is trimmed."""
        streams = [keys.stream(tag, "counted") for tag in self._tags]
        return sum(self._connection.calls([("XLEN", stream) for stream in streams]))

    def close(self):
        self._connection.close()


@contextmanager
def frozen(node):
    os.kill(node.pid, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(node.pid, signal.SIGCONT)


@contextmanager
def refusing(node):
    node.call("CONFIG", "SET", "min-replicas-to-write", "3")
    try:
        yield
    finally:
        node.call("CONFIG", "SET", "min-replicas-to-write", "0")


@contextmanager
def gone(node):
    node.kill()
    try:
        yield
    finally:
        node.start()


@pytest.mark.chaos
@pytest.mark.timeout(400)
@pytest.mark.parametrize("sick", [frozen, refusing, gone])
@pytest.mark.parametrize("started", ["before", "meanwhile"])
def test_a_sick_master_stops_only_its_own_partitions(masters, defs, tmp_path, sick, started):
    """From the post to the sink, for stages that are at work or are started meanwhile."""
    number = WITH_META if started == "before" else 1
    healthy, node = Healthy(masters.url, defs, number), masters.masters[number]
    with made(masters.url, tmp_path, pipeline=EIGHT) as ingest, ExitStack() as running:
        begin = lambda: running.enter_context(stages(masters.url, defs))  # noqa: E731 - called once
        assert sent(ingest, range(60)) == 60
        if started == "before":
            at_work = begin()
            wait_until(lambda: settled(ingest, masters.url, defs, 60), "these", WAIT_S)
        with sick(node):
            assert sent(ingest, range(60, 300)) == 240
            at_work = begin() if started == "meanwhile" else at_work
            mine = sum(map(healthy.has, range(300)))
            wait_until(lambda: healthy.done()["count"] == mine, "the others' are counted", WAIT_S)
            wait_until(lambda: healthy.waiting() == 0, "and through the sink", WAIT_S)
            assert ingest.metric("catchwater_spool_depth") <= 300 - mine
            said = lambda: str(node.port) in not_ready_reason(at_work)  # noqa: E731 - waited for
            wait_until(said, "it is said who is sick", WAIT_S)
        found = wait_until(lambda: settled(ingest, masters.url, defs, 300), "all", WAIT_S)
        wait_until(lambda: not_ready_reason(at_work) == "", "all are at work", WAIT_S)
    healthy.close()
    assert found.counted == 300
    assert found.dead == found.lost_by_redis == found.missing == 0


@pytest.mark.chaos
@pytest.mark.timeout(400)
def test_a_partition_that_has_moved_is_stopped_by_its_new_master_only(masters, defs, tmp_path):
    """Stages begin anew meanwhile, and do not ask the frozen one what they agreed with before."""
    healthy, node = Healthy(masters.url, defs, WITH_META), masters.masters[WITH_META]
    moved = next(tag for tag in defs.tags if master_of(tag) == WITH_META)
    with made(masters.url, tmp_path, pipeline=EIGHT) as ingest, stages(masters.url, defs):
        assert sent(ingest, range(60)) == 60
        wait_until(lambda: settled(ingest, masters.url, defs, 60), "these", WAIT_S)
        masters.move(hash_slots.slot(moved), masters.masters[1])
        healthy.add(moved)
        with frozen(node):
            assert sent(ingest, range(60, 200)) == 140
            mine = sum(map(healthy.has, range(200)))
            wait_until(lambda: healthy.done()["count"] == mine, "the others' are counted", WAIT_S)
        found = wait_until(lambda: settled(ingest, masters.url, defs, 200), "all", WAIT_S)
    healthy.close()
    assert (found.counted, found.dead, found.missing) == (200, 0, 0)


def sent(ingest, numbers):
    """How many were accepted."""
    return sum(post(ingest, number) for number in numbers)
