"""A master that becomes a replica while somebody waits for its replicas, or for an event."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest

from catchwater.errors import UnavailableError
from catchwater.local.servers import RedisServer
from catchwater.redis_client import Connection
from tests.waiting import wait_until


@pytest.fixture
def server(tmp_path):
    one = RedisServer(tmp_path)
    one.start()
    yield one
    one.stop()


def waits_for_replicas(connection):
    connection.calls([("SET", "a", "b")], replicas=1)


def waits_for_events(connection):
    connection.call("XREADGROUP", "GROUP", "g", "c", "BLOCK", 3000, "STREAMS", "s", ">")


@pytest.mark.parametrize("waiting", [waits_for_replicas, waits_for_events])
def test_a_master_that_becomes_a_replica_is_away(server, waiting, monkeypatch):
    """Ingest answered 500 then, and a stage thought that its group was gone."""
    monkeypatch.setattr("catchwater.redis_client.WAIT_MS", 60_000)
    connection, other = Connection(server.url, timeout_s=90), Connection(server.url)
    other.call("XGROUP CREATE", "s", "g", "0", "MKSTREAM")
    with ThreadPoolExecutor(1) as pool:
        found = pool.submit(waiting, connection)
        wait_until(lambda: other.info("clients")["blocked_clients"] == "1", "it waits", 60)
        other.call("REPLICAOF", "127.0.0.1", "1")
        with pytest.raises(UnavailableError, match="instance state changed"):
            found.result(60)
    for one in (connection, other):
        one.close()


def test_a_replica_is_away_for_who_waits_for_its_replicas(server):
    connection = Connection(server.url)
    connection.call("REPLICAOF", "127.0.0.1", "1")
    with pytest.raises(UnavailableError, match="WAIT cannot be used with replica instances"):
        connection.calls([("PING",)], replicas=1)
    connection.close()
