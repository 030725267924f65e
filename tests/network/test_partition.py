"""A master of Redis that is cut off from its replica while some still write to it."""

from __future__ import annotations

from contextlib import ExitStack
from itertools import count
from random import Random

import pytest

from catchwater.config.streamdefs import load
from catchwater.local.servers import RedisServer
from catchwater.redis_client import Connection
from catchwater.streams.consumer import prepare
from tests.ingest.conftest import made
from tests.network.link import Link
from tests.pipelines import PIPELINE
from tests.servers.replicated import Replica, audit, post, settled, stages
from tests.waiting import wait_until


class Partitioned:
    """Master and replica, and three links: ingest's, the stages' and the replica's."""

    def __init__(self, folder, running):
        self.master = RedisServer(folder / "master")
        self.master.start()
        running.callback(self.master.stop)
        self.ingest, self.stages, self.replication = (
            running.enter_context(Link(self.master.port, Random(1))) for _ in range(3)
        )
        self.replica = Replica(folder / "replica", self.replication.port)
        self.replica.start()
        running.callback(self.replica.stop)
        wait_until(self.replica.in_sync, "the replica is in sync")

    def promote(self):
        """The replica becomes master. The stages see that at once, ingest does not."""
        connection = Connection(self.replica.url)
        connection.call("REPLICAOF", "NO", "ONE")
        connection.close()
        self.stages.lead_to(self.replica.port)

    def heal(self):
        self.ingest.lead_to(self.replica.port)


@pytest.mark.chaos
@pytest.mark.timeout(180)
@pytest.mark.parametrize("replicas", [0, 1])
def test_what_is_written_to_a_master_that_is_cut_off_is_not_counted_twice(tmp_path, replicas):
    """With `--wait-replicas 1` it is not lost, as it stays in the spool; without, it is named."""
    (tmp_path / "defs.yaml").write_text(PIPELINE)
    defs, numbers, options = (
        load(tmp_path / "defs.yaml"),
        count(),
        ("--wait-replicas", str(replicas)),
    )
    with ExitStack() as running:
        servers = Partitioned(tmp_path, running)
        prepare(Connection(servers.master.url), defs)
        url = f"redis://127.0.0.1:{servers.ingest.port}/0"
        ingest = running.enter_context(made(url, tmp_path, *options, pipeline=PIPELINE))
        running.enter_context(stages(f"redis://127.0.0.1:{servers.stages.port}/0", defs))
        before = sum(post(ingest, next(numbers)) for _ in range(50))
        wait_until(lambda: counted(servers.replica.url, defs) == before, "the replica has it all")
        running.enter_context(servers.replication.cut())
        servers.promote()
        apart = sum(post(ingest, next(numbers)) for _ in range(30))
        servers.heal()
        after = sum(post(ingest, next(numbers)) for _ in range(20))
        found = wait_until(
            lambda: settled(ingest, servers.replica.url, defs, 100), "all is counted", 60
        )
    assert (before, apart, after) == (50, 30, 20)
    lost = 0 if replicas else apart
    assert (found.counted, found.lost_by_redis, found.missing) == (100 - lost, lost, 0)


def counted(url, defs):
    found = audit(url, defs)
    return found and found.counted
