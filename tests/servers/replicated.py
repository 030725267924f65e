"""A master of Redis, its replica and a Sentinel, and stages and ingest on them."""

from __future__ import annotations

import json
import threading
from contextlib import ExitStack, contextmanager

from catchwater.answers import Emit, Stored, Tally
from catchwater.errors import CatchwaterError
from catchwater.local.servers import RedisServer
from catchwater.monitoring.audit import make_audit
from catchwater.monitoring.snapshot import take
from catchwater.redis_client import Connection
from catchwater.streams.runner import StageLoops
from catchwater.streams.stage_loader import LoadedStage
from tests.ingest.conftest import KEY
from tests.waiting import wait_until

MASTER = "shop"


class Replica(RedisServer):
    def __init__(self, data, master_port):
        super().__init__(data)
        self._master_port = master_port

    def command(self):
        return [*super().command(), "--replicaof", "127.0.0.1", str(self._master_port)]

    def in_sync(self):
        connection = Connection(self.url)
        try:
            return connection.info("replication").get("master_link_status") == "up"
        finally:
            connection.close()


class Sentinel(RedisServer):
    def __init__(self, data, master, password=""):
        super().__init__(data)
        self._master = master
        self._password = password

    def command(self):
        config = self._made() / "sentinel.conf"
        config.write_text(
            f"port {self.port}\nbind 127.0.0.1\ndir {config.parent}\n"
            f"sentinel monitor {MASTER} 127.0.0.1 {self._master.port} 1\n"
            f"sentinel down-after-milliseconds {MASTER} 500\n"
            f"sentinel failover-timeout {MASTER} 3000\n"
            + (f'requirepass "{self._password}"\n' if self._password else "")
        )
        return [str(self.find_binary()), str(config), "--sentinel"]

    def answers(self):
        """With a password it answers, too."""
        return self._said(b"PING").startswith((b"+PONG", b"-NOAUTH"))


@contextmanager
def replicated(folder, sentinel_password=""):
    """A master, its replica and a Sentinel; the address of all of them, and the master."""
    master = RedisServer(folder / "master")
    replica, sentinel = (
        Replica(folder / "replica", master.port),
        Sentinel(folder / "s", master, sentinel_password),
    )
    with ExitStack() as running:
        for server in (master, replica, sentinel):
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
def stages(url, defs, sink=WORK["sink"], only=frozenset(WORK)):
    """All stages at work, or some; the stages."""
    stopping = threading.Event()
    at_work = [
        StageLoops(url, defs, name, LoadedStage(work, lambda: None), "one", stopping)
        for name, work in (WORK | {"sink": sink}).items()
        if name in only
    ]
    threads = [threading.Thread(target=stage.run) for stage in at_work]
    for thread in threads:
        thread.start()
    try:
        yield at_work
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


def settled(ingest, url, defs, accepted):
    """The audit, once nothing is on its way and each event is counted, or named as lost."""
    found = audit(url, defs)
    waits = ingest.metric("catchwater_spool_depth")
    done = found and not (found.depth or waits)
    return found if done and found.counted + found.lost_by_redis >= accepted else None


def post(ingest, number):
    report = json.dumps({"id": f"{number:032x}", "message": "x"})
    return ingest.post(f"/e/{KEY}", report).status == 204
