"""A master of a Redis Cluster that is frozen, refuses or has moved partitions away stops nothing
but its own partitions.
"""

from __future__ import annotations

import asyncio
from contextlib import ExitStack

import pytest

from catchwater.config import hash_slots
from catchwater.errors import UnavailableError
from catchwater.redis_client import AsyncConnection
from catchwater.streams import keys
from catchwater.streams.runner import not_ready_reason
from tests.ingest.conftest import made
from tests.servers.replicated import settled, stages
from tests.servers.sick_masters import (
    WAIT_S,
    Healthy,
    frozen,
    gone,
    master_of,
    refusing,
    sent,
)
from tests.servers.test_cluster_faults import EIGHT
from tests.waiting import wait_until

WITH_META = 0
"""The master that has what is fixed of the pipeline."""


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


@pytest.mark.chaos
@pytest.mark.timeout(300)
def test_who_was_asked_with_a_frozen_master_is_not_blamed_for_it(masters, defs):
    """The others' answers were not read yet when the time was over. The one that was blamed is
    asked last which node has what, so the frozen one was asked, and all events waited for that.
    """
    frozen_first = sorted(defs.tags, key=lambda tag: master_of(tag) != 1)

    async def blamed():
        connection = AsyncConnection(masters.url, timeout_s=3.0)
        lengths = [("XLEN", keys.stream(tag, "raw")) for tag in frozen_first]
        await connection.calls(lengths)
        with frozen(masters.masters[1]), pytest.raises(UnavailableError):
            await connection.calls(lengths)
        found = connection._nodes._failed
        await connection.close()
        return found

    assert asyncio.run(blamed()).endswith(f":{masters.masters[1].port}")
