"""The chaos test must be able to fail: with the gate taken out, or with counters that are added up, it does.

Each mutation is a copy of the source with one line changed; the line must be there, or the test fails.
"""

from __future__ import annotations

import asyncio
import shutil
from pathlib import Path
from random import Random

import pytest

from tests.chaos.box import Box
from tests.chaos.havoc import Havoc
from tests.chaos.storm import Storm
from tests.chaos.verdict import judge
from tests.waiting import wait_until

ROOT = Path(__file__).parents[2]
PACKAGES = ("catchwater", "ingest", "stages", "sink", "dashboard")

NO_GATE = (
    "catchwater/commit.lua",
    "if redis.call('XACK', KEYS[1], stage, entry.id) == 1 then",
    "redis.call('XACK', KEYS[1], stage, entry.id) if true then",
)
ADDED_UP = (
    "sink/store.py",
    '"$max": update.highest,',
    """"$inc": {k: v for k, v in update.highest.items() if isinstance(v, int)},
             "$max": {k: v for k, v in update.highest.items() if not isinstance(v, int)},""",
)


def mutated(folder: Path, mutation: tuple[str, str, str] | None) -> Path:
    """A copy of the source with that one change."""
    for package in PACKAGES:
        shutil.copytree(ROOT / package, folder / package, ignore=shutil.ignore_patterns("__pycache__"))
    if mutation:
        name, old, new = mutation
        text = (folder / name).read_text()
        assert text.count(old) == 1, f"{name} has changed: this mutation no longer fits"
        (folder / name).write_text(text.replace(old, new))
    return folder


async def sleepless(storm: Storm, havoc: Havoc) -> None:
    """Each counting process is stopped again and again in the midst of its work, for longer than that is its own."""
    blowing = asyncio.create_task(storm.blow())
    turn = 0
    while not blowing.done():
        havoc.sleep(f"count-{turn % 2 + 1}")
        turn += 1
        await asyncio.sleep(0.9)
    await blowing


@pytest.mark.chaos
@pytest.mark.timeout(600)
@pytest.mark.parametrize(
    ("mutation", "exact"), [(None, True), (NO_GATE, False), (ADDED_UP, False)], ids=["as it is", "no gate", "$inc"]
)
def test_counts_are_exact_only_with_the_gate_and_absolute_counters(tmp_path, mutation, exact):
    (source := tmp_path / "source").mkdir()
    box = Box(tmp_path, mutated(source, mutation))
    box.start()
    storm = Storm(box.ports["ingest"], box.key, 6000, random := Random(1))
    havoc = Havoc(box, random)
    asyncio.run(sleepless(storm, havoc))
    wait_until(box.drained, "everything that was accepted has reached its end", timeout=120)
    verdict = judge(box, storm.ledger)
    box.stop()
    assert havoc.stopped["count"] >= 2
    assert verdict.exact is exact, verdict
