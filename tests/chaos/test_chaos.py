"""The promise, under fire: an error answered with 2xx is counted exactly once, whatever dies.

Real processes, real servers, real HTTP. Ids are compared, not numbers. CATCHWATER_CHAOS_SEED and
CATCHWATER_CHAOS_EVENTS set the seed and the size; the seed is printed, so that a run can be had again.
"""

from __future__ import annotations

import asyncio
import os
import time
from pathlib import Path
from random import Random, randrange

import pytest

from tests.chaos.box import running
from tests.chaos.havoc import Havoc
from tests.chaos.storm import Storm
from tests.chaos.verdict import judge
from tests.waiting import wait_until

ROOT = Path(__file__).parents[2]
EVENTS = int(os.environ.get("CATCHWATER_CHAOS_EVENTS", "20000"))
KINDS = {"redis", "mongo", "ingest", "fingerprint", "dedupe", "count", "sink", "dashboard"}


@pytest.mark.chaos
@pytest.mark.timeout(1800)
def test_every_accepted_event_is_counted_exactly_once_whatever_dies(tmp_path, capsys):
    seed = int(os.environ.get("CATCHWATER_CHAOS_SEED") or randrange(10**9))
    with capsys.disabled():
        print(f"\nchaos: seed {seed}, {EVENTS} events; again with CATCHWATER_CHAOS_SEED={seed}")
    random = Random(seed)
    with running(tmp_path, ROOT) as box:
        survives(box, random, capsys)
        assert box.stop() == 0


def survives(box, random, capsys):
    started = time.monotonic()
    storm, havoc = Storm(box.ports["ingest"], box.key, EVENTS, random), Havoc(box, random)
    asyncio.run(fight(storm, havoc))
    wait_until(box.drained, "everything that was accepted has reached its end", timeout=300)
    wait_until(lambda: box.send("dashboard-1", 0), "the dashboard is back")
    verdict = wait_until(lambda: judged(box, storm), "the dashboard answers", timeout=60)
    with capsys.disabled():
        ledger = storm.ledger
        print(
            f"chaos: {len(ledger.accepted)} accepted in {ledger.posts} posts, {ledger.resent} sent again, "
            f"{ledger.failed} attempts failed; killed {dict(havoc.killed)}, put to sleep {dict(havoc.stopped)}; "
            f"{time.monotonic() - started:.0f} s\nchaos: {verdict.audit}"
        )
    assert len(storm.ledger.accepted) == EVENTS
    assert set(havoc.killed) >= KINDS, "every kind of process must have died at least once"
    assert (verdict.missing, verdict.unknown, verdict.wrong) == ([], [], {})
    assert (verdict.audit_exit, verdict.audit["missing"], verdict.dead) == (0, 0, 0)
    assert verdict.audit["counted"] == verdict.audit["stored"] == EVENTS
    occurrences = sum(storm.ledger.by_issue.values())
    assert verdict.audit["occurrences"] == verdict.audit["occurrences_stored"] == occurrences > EVENTS
    assert verdict.audit["client_losses"] == {"cap": storm.ledger.left_out}


async def fight(storm: Storm, havoc: Havoc) -> None:
    """Storm and havoc together. Havoc goes on until the storm is over and every kind has died."""
    over = asyncio.Event()
    rage = asyncio.create_task(havoc.rage(over))
    await storm.blow()
    while not set(havoc.killed) >= KINDS:
        await asyncio.sleep(0.1)
    over.set()
    await rage


def judged(box, storm):
    try:
        return judge(box, storm.ledger)
    except OSError:
        return None
