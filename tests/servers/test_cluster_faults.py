"""Masters of a real Redis Cluster are killed and frozen under load, and slots move: nothing is
counted twice, and with `--wait-replicas 1` nothing is lost.
"""

from __future__ import annotations

import os
import signal
import threading
from contextlib import ExitStack, contextmanager
from itertools import count

import pytest

from catchwater import metrics
from catchwater.config import hash_slots
from catchwater.config.streamdefs import load
from catchwater.errors import UnavailableError
from catchwater.redis_client import Connection
from catchwater.streams.consumer import prepare
from tests.ingest.conftest import made
from tests.pipelines import PIPELINE
from tests.servers.cluster import cluster
from tests.servers.replicated import post, settled, stages
from tests.waiting import wait_until

EIGHT = PIPELINE.replace("partitions: 2", "partitions: 8")
WAIT_S = 90
WAYS = [
    pytest.param(signal.SIGKILL, 1, id="killed-1"),
    pytest.param(signal.SIGSTOP, 0, id="frozen-0"),
    pytest.param(signal.SIGKILL, 0, id="killed-0"),
    pytest.param(signal.SIGSTOP, 1, id="frozen-1"),
]
TRIED = WAYS if os.environ.get("CATCHWATER_CLUSTER") == "all" else WAYS[:1]
"""`make cluster` tries all."""


@contextmanager
def at_work(folder, url, *options):
    """Ingest and all stages on the cluster; its settings, and what sends so many events."""
    (folder / "defs.yaml").write_text(EIGHT)
    defs, numbers = load(folder / "defs.yaml"), count()
    prepare(Connection(url), defs)
    with made(url, folder, *options, pipeline=EIGHT) as ingest, stages(url, defs):
        yield ingest, defs, lambda events: sum(post(ingest, next(numbers)) for _ in range(events))


@pytest.mark.chaos
@pytest.mark.timeout(300)
@pytest.mark.parametrize(("how", "replicas"), TRIED)
def test_a_failover_counts_nothing_twice_and_names_what_is_lost(tmp_path, replicas, how):
    options = ("--wait-replicas", str(replicas))
    with cluster(tmp_path) as one, at_work(tmp_path, one.url, *options) as (ingest, defs, send):
        accepted = send(100)
        old = one.masters[1]
        os.kill(old.pid, how)
        accepted += send(200)
        wait_until(lambda: one.master_of(slot_at(1)) is one.replicas[1], "it is promoted", WAIT_S)
        accepted += send(20)
        found = wait_until(lambda: settled(ingest, one.url, defs, accepted), "all", WAIT_S)
        os.kill(old.pid, signal.SIGCONT)
        assert accepted == 320
        assert found.missing == 0
        assert found.counted + found.lost_by_redis == accepted, "what is lost is named"
        if replicas:
            assert found.counted == accepted, "nothing is lost"


@pytest.mark.chaos
@pytest.mark.timeout(300)
def test_slots_move_while_events_flow(tmp_path):
    """Every partition goes to another master, key by key, and some of it back."""
    with cluster(tmp_path, replicas=0) as one, at_work(tmp_path, one.url) as (ingest, defs, send):
        accepted, moved = send(50), threading.Event()

        def move():
            for _ in range(2):
                for tag in defs.tags:
                    one.move(hash_slots.slot(tag), one.next_to(hash_slots.slot(tag)))
            moved.set()

        mover = threading.Thread(target=move)
        mover.start()
        while not moved.is_set():
            accepted += send(10)
        mover.join()
        accepted += send(50)
        found = wait_until(lambda: settled(ingest, one.url, defs, accepted), "all", WAIT_S)
        assert found.counted == found.accepted - found.duplicates == accepted
        assert found.dead == found.lost_by_redis == found.missing == 0


HALF = """
redis.call('INCR', KEYS[1])
redis.call('SET', KEYS[1] .. ':new', '1')
return 1
"""


def test_a_script_does_all_or_nothing_while_its_slot_moves(tmp_path):
    """It ended half done at the first key that it made: what was acknowledged would be lost."""
    (tmp_path / "half.lua").write_text(HALF)
    with cluster(tmp_path, replicas=0) as one:
        connection, key = Connection(one.url), "cw:{p1}:count"
        connection.call("SET", key, 0)
        slot = hash_slots.slot("p1")
        connection.call("SET", "cw:{p1}:moves_first", 0)
        with one.moving(slot, one.next_to(slot), b"cw:{p1}:moves_first"):
            with pytest.raises(UnavailableError, match="during rehashing of slot"):
                connection.scripts(tmp_path / "half.lua", [([key], [])])
            assert connection.call("GET", key) == b"0"
            assert connection.call("GET", "cw:{p1}:moves_first") == b"0", "it has moved"
        assert connection.scripts(tmp_path / "half.lua", [([key], [])]) == [1]
        assert connection.calls([("GET", key), ("GET", f"{key}:new")]) == [b"1", b"1"]
        connection.close()


@pytest.mark.chaos
@pytest.mark.timeout(300)
def test_all_stages_wait_while_their_slots_move(tmp_path):
    with cluster(tmp_path, replicas=0) as one, at_work(tmp_path, one.url) as (ingest, defs, send):
        accepted = send(20)
        wait_until(lambda: settled(ingest, one.url, defs, accepted), "these", WAIT_S)
        with ExitStack() as moving:
            for tag in defs.tags:
                slot = hash_slots.slot(tag)
                moving.enter_context(one.moving(slot, one.next_to(slot)))
            accepted += send(40)
            waits = metrics.TROUBLE.labels("name", "Unavailable")._value
            before = waits.get()
            wait_until(lambda: waits.get() > before + 3, "the stage waits", WAIT_S)
        found = wait_until(lambda: settled(ingest, one.url, defs, accepted), "all", WAIT_S)
    assert found.counted == found.accepted - found.duplicates == accepted
    assert found.dead == found.lost_by_redis == found.missing == 0


@contextmanager
def flowing(send):
    """Events all the time; what comes out is how many were accepted, once the block has ended."""
    accepted, ended = [0], threading.Event()

    def flow():
        while not ended.is_set():
            accepted[0] += send(10)

    thread = threading.Thread(target=flow)
    thread.start()
    try:
        yield accepted
    finally:
        ended.set()
        thread.join()


def slot_at(master: int) -> int:
    """One of the slots of a master of three."""
    return hash_slots.SLOTS * master // 3 + 100
