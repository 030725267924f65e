"""A real Sentinel promotes a real replica under load: nothing is counted twice, and with
`--wait-replicas 1` nothing is lost.
"""

from __future__ import annotations

import json
import os
import signal
import threading
from contextlib import ExitStack, contextmanager
from itertools import count

import pytest

from catchwater.answers import Emit, Stored, Tally
from catchwater.config.streamdefs import load
from catchwater.errors import CatchwaterError, RefusedError
from catchwater.local.servers import RedisServer
from catchwater.monitoring.audit import make_audit
from catchwater.monitoring.snapshot import take
from catchwater.redis_client import Connection, SentinelAddress
from catchwater.streams.consumer import Consumer, prepare
from catchwater.streams.loop import Loop
from tests.ingest.conftest import KEY, made
from tests.pipelines import PIPELINE
from tests.waiting import wait_until

MASTER = "shop"


class Replica(RedisServer):
    def __init__(self, data, master):
        super().__init__(data)
        self._master = master

    def command(self):
        return [*super().command(), "--replicaof", "127.0.0.1", str(self._master.port)]

    def in_sync(self):
        connection = Connection(self.url)
        try:
            return connection.info("replication").get("master_link_status") == "up"
        finally:
            connection.close()


class Sentinel(RedisServer):
    def __init__(self, data, master):
        super().__init__(data)
        self._master = master

    def command(self):
        config = self._made() / "sentinel.conf"
        config.write_text(
            f"port {self.port}\nbind 127.0.0.1\ndir {config.parent}\n"
            f"sentinel monitor {MASTER} 127.0.0.1 {self._master.port} 1\n"
            f"sentinel down-after-milliseconds {MASTER} 500\n"
            f"sentinel failover-timeout {MASTER} 3000\n"
        )
        return [str(self.find_binary()), str(config), "--sentinel"]


@contextmanager
def replicated(folder):
    """A master, its replica and a Sentinel; the address of all of them, and the master."""
    master = RedisServer(folder / "master")
    with ExitStack() as running:
        for server in (master, Replica(folder / "replica", master), Sentinel(folder / "s", master)):
            server.start()
            running.callback(server.stop)
            if isinstance(server, Replica):
                wait_until(server.in_sync, "the replica is in sync")
        yield f"redis+sentinel://127.0.0.1:{server.port}/{MASTER}/0", master


def counting(events):
    return [Emit(event, tally=Tally("1:v1:a")) for event in events]


WORK = {
    "name": lambda events: [Emit(event, once=event.id) for event in events],
    "dedupe": lambda events: [Emit(event) for event in events],
    "count": counting,
    "sink": lambda events: [Stored() for _ in events],
}


@contextmanager
def stages(url, defs):
    stopping = threading.Event()
    consumers = {name: Consumer(Connection(url), defs, name, "one") for name in WORK}
    loops = [Loop(consumers[name], work, stopping) for name, work in WORK.items()]
    threads = [threading.Thread(target=loop.run) for loop in loops]
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        stopping.set()
        for thread in threads:
            thread.join()


def audit(url, defs):
    """None while Redis fails over."""
    try:
        connection = Connection(url)
        return make_audit(take(connection, defs))
    except CatchwaterError:
        return None
    finally:
        connection.close()


def settled(ingest, url, defs, least):
    """The audit, once nothing is on its way and `least` events are counted."""
    found = audit(url, defs)
    waits = ingest.metric("catchwater_spool_depth")
    return found if found and not (found.depth or waits) and found.counted >= least else None


def post(ingest, number):
    report = json.dumps({"id": f"{number:032x}", "message": "x"})
    return ingest.post(f"/e/{KEY}", report).status == 204


@pytest.mark.chaos
@pytest.mark.timeout(240)
@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGSTOP], ids=["killed", "frozen"])
@pytest.mark.parametrize("replicas", [0, 1])
def test_a_failover_counts_nothing_twice(tmp_path, replicas, how):
    (tmp_path / "defs.yaml").write_text(PIPELINE)
    defs = load(tmp_path / "defs.yaml")
    numbers = count()
    with replicated(tmp_path) as (url, master):
        prepare(Connection(url), defs)
        options = ("--wait-replicas", str(replicas))
        with made(url, tmp_path, *options, pipeline=PIPELINE) as ingest, stages(url, defs):
            accepted = sum(post(ingest, next(numbers)) for _ in range(100))
            os.kill(master.pid, how)
            accepted += sum(post(ingest, next(numbers)) for _ in range(200))
            wait_until(
                lambda: (found := audit(url, defs)) and found.counted > 150 and found.depth == 0,
                "the replica was promoted, and the spool is drained",
                timeout=90,
            )
            accepted += sum(post(ingest, next(numbers)) for _ in range(20))
            least = accepted if replicas else 0
            found = wait_until(lambda: settled(ingest, url, defs, least), "all is counted", 60)
        os.kill(master.pid, signal.SIGCONT)
    assert accepted == 320
    assert found.counted <= accepted
    assert found.missing == 0
    if replicas:
        assert found.counted == accepted, "nothing is lost"


def test_an_address_of_sentinels_is_read():
    at = SentinelAddress.parse("redis+sentinel://me:p%40ss@a:1,b,[::1]:3/shop/2")
    assert at.sentinels == [("a", 1), ("b", 26_379), ("::1", 3)]
    assert (at.name, at.db, at.login) == ("shop", 2, {"username": "me", "password": "p@ss"})


@pytest.mark.parametrize(
    "url",
    [
        "http://here",
        "redis+sentinel://a:1",
        "redis+sentinel:///shop",
        "redis+sentinel://a:x/shop",
        "redis://user:secret@host:port",
        "",
    ],
)
def test_a_wrong_address_gets_one_sentence_without_its_password(url):
    """It was a traceback: `ValueError: Redis URL must specify ...`."""
    with pytest.raises(RefusedError, match=r"^the Redis address '.*' cannot be used: write") as one:
        Connection(url)
    assert "secret" not in str(one.value)
