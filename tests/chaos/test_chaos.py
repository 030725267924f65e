"""The promise, under fire: an error answered with 2xx is counted exactly once, whatever dies.

Real processes, real servers, real HTTP. Ids are compared, not numbers. CATCHWATER_CHAOS_SEED and
CATCHWATER_CHAOS_EVENTS set the seed and the size; the seed is printed, so that a run can be had
again.
"""

from __future__ import annotations

import asyncio
import os
import time
from pathlib import Path
from random import Random, randrange

import pytest

from tests.chaos.kills import Kills
from tests.chaos.load import Load
from tests.chaos.servers import ChosenServers
from tests.chaos.system import ChaosSystem
from tests.chaos.verdict import judge
from tests.waiting import wait_until

ROOT = Path(__file__).parents[2]
EVENTS = int(os.environ.get("CATCHWATER_CHAOS_EVENTS", "20000"))
KINDS = {"redis", "mongo", "ingest", "fingerprint", "dedupe", "count", "sink", "dashboard"}


@pytest.mark.chaos
@pytest.mark.timeout(1800)
def test_every_accepted_event_is_counted_exactly_once_whatever_dies(tmp_path, figures):
    seed = int(os.environ.get("CATCHWATER_CHAOS_SEED") or randrange(10**9))
    figures(f"chaos: seed {seed}, {EVENTS} events; again with CATCHWATER_CHAOS_SEED={seed}")
    random = Random(seed)
    with ChaosSystem(tmp_path, ROOT) as system:
        survives(system, random, figures)
        assert system.stop() == 0


def survives(system, random, figures):
    started = time.monotonic()
    load, kills = Load(system.ports["ingest"], system.key, EVENTS, random), Kills(system, random)
    asyncio.run(fight(load, kills, system.servers))
    wait_until(system.drained, "everything that was accepted has reached its end", timeout=300)
    wait_until(lambda: system.send("dashboard-1", 0), "the dashboard is back")
    verdict = wait_until(lambda: judged(system, load), "the dashboard answers", timeout=60)
    ledger = load.ledger
    figures(
        f"chaos: {len(ledger.accepted)} accepted in {ledger.posts} posts, {ledger.resent} "
        f"sent again, {ledger.failed} attempts failed; killed {dict(kills.killed)}, put to sleep "
        f"{dict(kills.stopped)}; {time.monotonic() - started:.0f} s\nchaos: on "
        f"{sorted(system.servers.names) or 'one of each'}, elections {system.servers.elections()}"
        f"\nchaos: {verdict.audit}"
    )
    assert len(load.ledger.accepted) == EVENTS
    assert set(kills.killed) >= KINDS, "every kind of process must have died at least once"
    assert (verdict.missing, verdict.unknown, verdict.wrong) == ([], [], {})
    assert (verdict.audit_exit, verdict.audit["missing"], verdict.dead) == (0, 0, 0)
    assert verdict.audit["counted"] == verdict.audit["stored"] == EVENTS
    occurrences = sum(load.ledger.by_issue.values())
    assert (
        verdict.audit["occurrences"] == verdict.audit["occurrences_stored"] == occurrences > EVENTS
    )
    assert verdict.audit["client_losses"] == {"cap": load.ledger.left_out}


async def fight(load: Load, kills: Kills, servers: ChosenServers) -> None:
    """Load and kills together. The kills go on until the load is over, every kind has died, and
    every kind of server that can has elected another one.
    """
    over = asyncio.Event()
    killing = asyncio.create_task(kills.run(over))
    await load.run()
    while not set(kills.killed) >= KINDS:
        await asyncio.sleep(0.1)
    while not all((await asyncio.to_thread(servers.elections)).values()):
        await asyncio.sleep(1)
    over.set()
    await killing


def judged(system, load):
    try:
        return judge(system, load.ledger)
    except OSError:
        return None
