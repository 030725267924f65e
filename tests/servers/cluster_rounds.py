"""What takes minutes on a Redis Cluster: `make cluster` runs it."""

from __future__ import annotations

import os
import signal

import pytest

from catchwater.config import hash_slots
from tests.growth.partitions import KINDS
from tests.growth.under_load import grown_under_load
from tests.servers.cluster import cluster
from tests.servers.replicated import audit, settled
from tests.servers.test_cluster_faults import WAIT_S, at_work, flowing, slot_at
from tests.waiting import wait_until

ROUNDS = int(os.environ.get("CATCHWATER_CLUSTER_ROUNDS", "6"))


@pytest.mark.chaos
@pytest.mark.timeout(1800)
def test_one_master_after_another_dies_or_freezes_under_load(tmp_path):
    with (
        cluster(tmp_path) as one,
        at_work(tmp_path, one.url, "--wait-replicas", "1") as (ingest, defs, send),
    ):
        with flowing(send) as accepted:
            for number in range(ROUNDS):
                slot = slot_at(number % 3)
                one.fail_over(slot, signal.SIGSTOP if number % 2 else signal.SIGKILL)
        found = wait_until(lambda: settled(ingest, one.url, defs, accepted[0]), "all", WAIT_S)
    assert found.counted == accepted[0]
    assert found.dead == found.missing == 0


@pytest.mark.chaos
@pytest.mark.timeout(600)
def test_a_node_is_added_and_takes_a_share_and_another_leaves(tmp_path):
    with cluster(tmp_path, replicas=0) as one, at_work(tmp_path, one.url) as (ingest, defs, send):
        slots = [hash_slots.slot(tag) for tag in defs.tags]
        with flowing(send) as accepted, one.added(tmp_path / "fourth") as fourth:
            for slot in slots[:3]:
                one.move(slot, fourth)
            leaving = one.masters[2]
            for slot in slots:
                if one.master_of(slot) is leaving:
                    one.move(slot, one.masters[0])
            wait_until(lambda: fourth.call("DBSIZE") > 3, "the fourth has some", WAIT_S)
            one.move_empty(leaving, one.masters[0])
            one.forget(leaving)
            leaving.stop()
            before = accepted[0]
            wait_until(lambda: accepted[0] > before + 50, "events go on", WAIT_S)
            total = before + 50
            wait_until(lambda: counted(one.url, defs) > total, "and are counted", WAIT_S)
            for slot in slots[:3]:
                one.move(slot, one.masters[1])
        found = wait_until(lambda: settled(ingest, one.url, defs, accepted[0]), "all", WAIT_S)
    assert found.counted == found.accepted - found.duplicates == accepted[0]
    assert found.dead == found.lost_by_redis == found.missing == 0


@pytest.mark.chaos
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("kind", KINDS)
def test_partitions_grow_while_one_master_after_another_dies_or_freezes(tmp_path, event, kind):
    kills = [number % 10 for number in range(0, 3 * ROUNDS, 3)]
    with cluster(tmp_path / "nodes") as one:
        signals = (signal.SIGKILL, signal.SIGSTOP)
        found, sent = grown_under_load(
            one.url,
            tmp_path,
            kind,
            event,
            kills,
            replicas=1,
            fault=lambda number: one.fail_over(slot_at(number % 3), signals[number % 2]),
        )
        audit = found.audit
        assert (audit.counted, found.stored()) == (sent, sent)
        assert audit.duplicates == audit.accepted - sent
        assert (audit.missing, audit.dead) == (0, 0)


def counted(url, defs):
    return found.counted if (found := audit(url, defs)) else 0
