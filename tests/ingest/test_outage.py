"""Redis is away: what is accepted meanwhile is spooled, and nothing that was answered with 2xx is lost."""

from __future__ import annotations

import asyncio
import json
import signal
import socket
from dataclasses import replace

import pytest

from catchwater.connection import Connection, Unavailable
from catchwater.embedded import RedisServer, free_port
from catchwater.event import Event
from ingest.group_commit import GroupCommit
from ingest.spool import Spool, SpoolFull
from tests.ingest.conftest import KEY, made
from tests.waiting import wait_until

E = f"/e/{KEY}"


@pytest.fixture
def own_redis(tmp_path):
    server = RedisServer(tmp_path / "redis")
    server.start()
    yield server
    server.stop()


def post_many(ingest, numbers):
    """The ids that were answered with 2xx."""
    accepted = set()
    for n in numbers:
        if ingest.post(E, json.dumps({"id": f"{n:032x}", "message": "x"})).status == 204:
            accepted.add(f"{n:032x}")
    return accepted


def ids(ingest):
    return {event.id for event in ingest.events()}


def test_posts_are_taken_while_redis_is_dead_and_reach_it_when_it_is_back(own_redis, tmp_path):
    with made(own_redis.url, tmp_path) as ingest:
        accepted = post_many(ingest, range(10))
        own_redis.kill()
        accepted |= post_many(ingest, range(10, 40))
        own_redis.start()
        accepted |= post_many(ingest, range(40, 50))
        assert len(accepted) == 50
        wait_until(lambda: ids(ingest) == accepted, "all that was accepted is in Redis")


def test_what_a_dead_ingest_left_in_the_spool_is_drained_by_the_next_one(own_redis, tmp_path):
    with made(own_redis.url, tmp_path) as ingest:
        own_redis.kill()
        accepted = post_many(ingest, range(20))
        ingest.stop(signal.SIGKILL)
        own_redis.start()
        ingest.start()
        assert len(accepted) == 20
        wait_until(lambda: ids(ingest) == accepted, "the spool was drained")


def test_a_graceful_stop_answers_what_is_in_hand_and_exits_with_0(own_redis, tmp_path):
    with made(own_redis.url, tmp_path) as ingest:
        accepted = post_many(ingest, range(5))
        assert ingest.stop() == 0
        assert ids(ingest) == accepted


def test_two_processes_share_one_port(own_redis, tmp_path):
    """One can be stopped, deployed anew, while the other goes on."""
    with made(own_redis.url, tmp_path) as first:
        second = replace(first, ops_port=free_port())
        second.start()
        wait_until(lambda: opened(second.ops_port), "the second one is there, too")
        accepted = post_many(first, range(40))
        first.stop()
        accepted |= post_many(second, range(40, 60))
        assert len(accepted) == 60
        wait_until(lambda: ids(second) == accepted, "all are in Redis")
        second.stop()


def opened(port):
    try:
        socket.create_connection(("127.0.0.1", port), timeout=1).close()
    except OSError:
        return False
    return True


def test_over_the_limit_of_a_stream_ingest_says_when_to_come_again(own_redis, tmp_path):
    pipeline = "streams: {raw: {limit: 5}, counted: {}}\nstages:\n"
    pipeline += (
        "  count: {run: 'stages.count:count', reads: raw, emits: counted}\n  sink: {run: sink, reads: counted}\n"
    )
    with made(own_redis.url, tmp_path, pipeline=pipeline) as ingest:
        post_many(ingest, range(8))
        wait_until(lambda: ingest.post(E, "{}").status == 429, "the stream is over its limit")
        answer = ingest.post(E, "{}")
        assert int(answer.headers["retry-after"]) > 0
        assert answer.headers["access-control-allow-origin"] == "*"
        wait_until(lambda: ingest.losses().get("refused:stream_full", 0) >= 2, "it is counted")


def test_over_the_memory_watermark_ingest_refuses_before_redis_does(own_redis, tmp_path):
    with made(own_redis.url, tmp_path, "--memory-watermark", "0.5") as ingest:
        connection = Connection(own_redis.url)
        connection.call("CONFIG SET", "maxmemory", "1mb")
        connection.close()
        wait_until(lambda: ingest.post(E, "{}").status == 503, "memory is short")


def events(*numbers):
    return [Event(f"{n:032x}", "1", 1, "snippet", b"{}") for n in numbers]


class Recorder:
    """A door that notes what comes through together. `away` makes it fail after doing it: the reply is lost."""

    def __init__(self):
        self.flushes = []
        self.away = False

    async def add(self, events):
        self.flushes.append([event.id for event in events])
        await asyncio.sleep(0)
        if self.away:
            raise Unavailable("the reply was lost")


def test_concurrent_requests_share_a_flush(tmp_path):
    async def run():
        door, spool = Recorder(), Spool(tmp_path, 10_000_000)
        commit = GroupCommit(door, spool)
        await asyncio.gather(*[commit.add(events(n)) for n in range(100)])
        spool.close()
        return door.flushes

    flushes = asyncio.run(run())
    assert sorted(one for flush in flushes for one in flush) == sorted(event.id for event in events(*range(100)))
    assert len(flushes) <= 3


def test_a_lost_reply_sends_the_events_to_the_spool_too(tmp_path):
    """They may be in Redis or not: adding them again is safe, losing them is not."""

    async def run():
        door, spool = Recorder(), Spool(tmp_path, 10_000_000)
        commit = GroupCommit(door, spool)
        door.away = True
        await commit.add(events(1, 2))
        waiting = spool.depth()
        door.away = False
        await commit.drain()
        left = spool.depth()
        spool.close()
        return waiting, left, door.flushes

    waiting, left, flushes = asyncio.run(run())
    assert (waiting, left) == (2, 0)
    assert flushes == [[one.id for one in events(1, 2)]] * 2


def test_a_full_spool_is_told_and_takes_again_once_it_is_drained(tmp_path):
    spool = Spool(tmp_path, 60_000)
    big = [Event("a" * 32, "1", 1, "snippet", b'"' + b"x" * 50_000 + b'"')]
    spool.put(big)
    spool.put(big)
    with pytest.raises(SpoolFull):
        spool.put(big)
    spool.forget([number for number, _ in spool.page()])
    spool.put(big)
    assert spool.depth() == 1
    spool.close()


def test_only_one_process_drains(tmp_path):
    first, second = Spool(tmp_path, 1_000_000), Spool(tmp_path, 1_000_000)
    with first.draining() as mine, second.draining() as yours:
        assert (mine, yours) == (True, False)
    with second.draining() as yours:
        assert yours
    first.close()
    second.close()
