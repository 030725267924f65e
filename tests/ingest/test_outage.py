"""Redis is away: what is accepted meanwhile is spooled, and nothing that was answered with 2xx
is lost.
"""

from __future__ import annotations

import json
import os
import signal
import socket
import time
from dataclasses import replace

import pytest

from catchwater.config.streamdefs import load
from catchwater.local.servers import RedisServer, free_port
from catchwater.redis_client import Connection
from ingest.batching import PATIENCE_S
from tests.ingest.conftest import KEY, made
from tests.waiting import wait_until

E = f"/e/{KEY}"


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
        "  count: {run: 'stages.count:count', reads: raw, emits: counted}\n  sink: {run: "
        "sink, reads: counted}\n"
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


def test_an_ingest_that_spools_is_ready_and_so_is_one_that_starts_meanwhile(own_redis, tmp_path):
    """Else a balancer that asks /readyz sends nobody to any ingest just when spools are needed."""
    with made(own_redis.url, tmp_path) as ingest:
        own_redis.kill()
        assert len(post_many(ingest, range(5))) == 5
        assert ingest.ready() == ""
        ingest.stop()
        ingest.start()
        assert len(post_many(ingest, range(5, 10))) == 5
        assert ingest.ready() == ""


def test_the_gauge_of_the_spool_is_true_while_redis_is_away(own_redis, tmp_path):
    """It said 0 as long as Redis was away, so the alert on it could not fire."""
    with made(own_redis.url, tmp_path) as ingest:
        own_redis.kill()
        assert len(post_many(ingest, range(25))) == 25
        wait_until(lambda: ingest.metric("catchwater_spool_depth") == 25, "the gauge says so")
        own_redis.start()
        wait_until(lambda: ingest.metric("catchwater_spool_depth") == 0, "it is drained")
        assert len(ids(ingest)) == 25


def test_a_redis_that_hangs_delays_no_post_for_long(own_redis, tmp_path):
    """Each post waited for up to 5 s, again and again."""
    with made(own_redis.url, tmp_path) as ingest:
        post_many(ingest, range(3))
        os.kill(own_redis.pid, signal.SIGSTOP)
        try:
            waits = []
            for n in range(3, 60):
                started = time.monotonic()
                assert n in {int(one, 16) for one in post_many(ingest, [n])}
                waits.append(time.monotonic() - started)
        finally:
            os.kill(own_redis.pid, signal.SIGCONT)
        wait_until(lambda: len(ids(ingest)) == 60, "all are in Redis")
    assert sum(one > PATIENCE_S for one in waits) <= len(waits) / 10
    assert max(waits) < 2, waits


@pytest.mark.parametrize(
    ("commands", "reason"),
    [
        (["CONFIG SET requirepass secret"], "Authentication required"),
        (["ACL SETUSER default on nopass ~* +@all -xadd"], "no permissions to run the 'xadd'"),
        (["SET cw:{p0}:stream:raw text"], "is no stream"),
        (["CONFIG SET appendfsync everysec"], "appendfsync is 'everysec'"),
        (["CONFIG SET appendonly no"], "appendonly is off"),
        (["ACL SETUSER default on nopass ~* +@all -config"], "CONFIG is forbidden"),
    ],
    ids=["password", "permission", "type", "everysec", "no file", "no CONFIG"],
)
def test_a_redis_that_will_never_take_events_is_named_at_the_start(
    own_redis, tmp_path, commands, reason
):
    connection = Connection(own_redis.url)
    tag = load(None).tags[0]
    for command in commands:
        connection.call(*command.replace("{p0}", f"{{{tag}}}").split())
    connection.close()
    said = made(own_redis.url, tmp_path).ingest.refused()
    assert "Redis cannot be used" in said
    assert reason in said


def test_events_that_redis_refuses_for_good_are_not_answered_with_2xx(own_redis, tmp_path):
    """They were spooled, answered with 204, and never counted."""
    with made(own_redis.url, tmp_path) as ingest:
        assert len(post_many(ingest, range(3))) == 3
        connection = Connection(own_redis.url)
        connection.call("ACL", "SETUSER", "default", "-xadd")
        answer = ingest.post(E, json.dumps({"message": "x"}))
        assert answer.status == 503
        assert int(answer.headers["retry-after"]) > 0
        assert answer.headers["access-control-allow-origin"] == "*"
        assert "Redis refuses events" in ingest.ready()
        assert ingest.metric("catchwater_spool_depth") == 0
        connection.call("ACL", "SETUSER", "default", "+xadd")
        assert len(post_many(ingest, range(3, 6))) == 3
        assert ingest.ready() == ""
        connection.close()


def test_ingest_does_not_start_on_a_redis_cluster(tmp_path):
    """It answered 2xx for ever, and all that it took stood in the spool."""
    server = ClusterNode(tmp_path / "redis")
    server.start()
    try:
        said = made(server.url, tmp_path).ingest.refused()
        assert "write its address as redis+cluster://" in said
    finally:
        server.stop()


class ClusterNode(RedisServer):
    """Its bus gets a port of its own: by default it is 10,000 above, where the system finds ports
    for outgoing connections, and one of these had it once.
    """

    def command(self):
        bus = str(free_port())
        return [*super().command(), "--cluster-enabled", "yes", "--cluster-port", bus]


def test_ingest_starts_with_a_damaged_spool_and_moves_it_aside(own_redis, tmp_path):
    """It did not start, although Redis was well."""
    (tmp_path / "spool").mkdir()
    damaged = tmp_path / "spool/spool.sqlite"
    damaged.write_bytes(b"no database, but somebody's events may be in it" * 1000)
    with made(own_redis.url, tmp_path) as ingest:
        own_redis.kill()
        accepted = post_many(ingest, range(5))
        own_redis.start()
        wait_until(lambda: ids(ingest) == accepted, "the new spool was drained")
        assert "moved aside" in ingest.log()
    moved = list((tmp_path / "spool").glob("damaged-*/spool.sqlite"))
    assert [file.read_bytes()[:11] for file in moved] == [b"no database"]


def test_a_redis_that_may_lose_events_is_used_only_if_that_is_allowed(own_redis, tmp_path):
    connection = Connection(own_redis.url)
    connection.call("CONFIG SET", "appendfsync", "everysec")
    with made(own_redis.url, tmp_path, "--allow-loss") as ingest:
        assert ingest.metric("catchwater_durable") == 0
        assert len(post_many(ingest, range(2))) == 2
        assert ingest.ready() == ""
    connection.call("CONFIG SET", "appendfsync", "always")
    connection.close()
    with made(own_redis.url, tmp_path) as ingest:
        assert ingest.metric("catchwater_durable") == 1
