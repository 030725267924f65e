"""A master of a Redis Cluster that is slow, but there: the others' events do not wait for it."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest

from catchwater.config.streamdefs import load
from catchwater.local.servers import free_port
from catchwater.redis_client import Connection
from catchwater.streams import keys
from catchwater.streams.consumer import prepare
from tests.ingest.conftest import made
from tests.servers.cluster import Cluster, started
from tests.servers.replicated import settled, stages
from tests.servers.sick_masters import WAIT_S, Healthy, master_of, sent
from tests.servers.slow_answers import slow_answers
from tests.servers.test_cluster_faults import EIGHT
from tests.waiting import wait_until

SLOW = 1
PIPELINE = EIGHT.replace("batch: 10, wait: 50ms, claim_after: 300ms", "claim_after: 30s")
"""With the batches that ship: ten events a round trip would take minutes there."""


@pytest.mark.chaos
@pytest.mark.timeout(400)
def test_the_others_events_do_not_wait_for_a_slow_master(tmp_path):
    """Each of its answers takes longer than ingest's patience, or about as long."""
    one, place = Cluster(tmp_path / "c", 3, 0), free_port()
    slow = one.masters[SLOW]
    slow.options += ("--cluster-announce-port", str(place))
    (tmp_path / "defs.yaml").write_text(PIPELINE)
    defs = load(tmp_path / "defs.yaml")
    with started(one), slow_answers(place, slow.port) as answers:
        prepare(Connection(one.url), defs)
        others = Healthy(one.url, defs, SLOW)
        with made(one.url, tmp_path, pipeline=PIPELINE) as ingest, stages(one.url, defs):
            assert sent(ingest, range(60)) == 60
            wait_until(lambda: settled(ingest, one.url, defs, 60), "these", WAIT_S)
            answers.delays_s = (0.3, 0.8)
            with ThreadPoolExecutor(6) as pool:
                parts = [range(first, 660, 6) for first in range(60, 66)]
                assert sum(pool.map(lambda part: sent(ingest, part), parts)) == 600
            mine = sum(map(others.has, range(660)))
            wait_until(lambda: others.done()["count"] == mine, "the others' are counted", WAIT_S)
            wait_until(lambda: others.waiting() == 0, "and through the sink", WAIT_S)
            assert counted(slow, defs) < 660 - mine, "its own are still on the way"
            found = wait_until(lambda: settled(ingest, one.url, defs, 660), "all", WAIT_S)
        others.close()
    assert (found.counted, found.dead, found.missing, found.lost_by_redis) == (660, 0, 0, 0)


def counted(slow, defs):
    """By the stage `count`, without the proxy."""
    tags = [tag for tag in defs.tags if master_of(tag) == SLOW]
    done = slow.calls([("HGET", keys.ledger(tag), "count:done") for tag in tags])
    return sum(int(n or 0) for n in done)
