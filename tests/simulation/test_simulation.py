"""Thousands of runs in an order that a seed decides, with faults at every call and every wait.

A run that fails says its seed: `python -m tests.simulation --seed K` has it again.
"""

from __future__ import annotations

import asyncio
import logging
import os
from collections.abc import Iterator
from random import Random, SystemRandom
from unittest.mock import patch

import pytest
import structlog

from catchwater.errors import UnavailableError
from catchwater.event import Event
from catchwater.local.servers import RedisServer
from catchwater.redis_client import as_mapping
from catchwater.streams import commit
from catchwater.streams.growing import Growth
from ingest import batching, draining
from tests.mutations.guards import guard_that_keeps, without
from tests.simulation import servers
from tests.simulation.processes import VirtualSelector
from tests.simulation.runs import Simulation, run_everywhere
from tests.simulation.scheduler import Scheduler

SEEDS = int(os.environ.get("CATCHWATER_SIMULATE_SEEDS", "2000"))
"""Seeds that are new in each run of the tests. `make simulate` runs more."""
GROWING_SEEDS = max(50, SEEDS // 40)
"""Those in which partitions grow: with more of them a run takes ten times as long."""
ENOUGH = 500
"""Seeds in which each mistake is found."""

MUTATIONS = [
    "an answer has its effect only for the one whose XACK returned 1",
    "counters that had expired start a new part",
    "counters that a fall-back undid start in the part that they had",
    "a mark is looked for where it may be",
]
"""What guards of tests/mutations keep."""


@pytest.fixture(scope="module")
def simulation(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Simulation]:
    folder = tmp_path_factory.mktemp("simulation")
    server = RedisServer(folder / "redis")
    server.start()
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
    one = Simulation(server.url, folder)
    yield one
    one.close()
    structlog.reset_defaults()
    server.stop()


@pytest.mark.timeout(900)
def test_every_run_counts_exactly_what_was_accepted(figures):
    first = SystemRandom().randrange(10**9)
    wrong, seen = run_everywhere(range(first, first + SEEDS))
    figures(f"simulation: {SEEDS} runs from seed {first} on; faults: {dict(sorted(seen.items()))}")
    assert wrong == ""
    kinds = {"refused", "cut", "reply lost", "client gone", "long pause", "kill", "stop"}
    assert set(seen) == kinds | {"kill of ingest", "expiry", "fall-back"}


@pytest.mark.timeout(900)
def test_every_run_is_exact_while_partitions_grow(figures):
    first = SystemRandom().randrange(10**9)
    wrong, seen = run_everywhere(range(first, first + GROWING_SEEDS), grows=True)
    figures(f"growth: {GROWING_SEEDS} runs from seed {first} on; {dict(sorted(seen.items()))}")
    assert wrong == ""
    assert set(seen) >= {"growth", "kill of growth", "refused to go on", "fall-back"}


def test_marks_that_are_not_copied_are_found(tmp_path, monkeypatch):
    monkeypatch.setattr(Growth, "_copy", lambda *_: 0)
    server = RedisServer(tmp_path / "redis")
    server.start()
    grows = Simulation(server.url, tmp_path, grows=True)
    assert finds(grows)
    grows.close()
    server.stop()


def test_what_sleeps_in_a_dead_process_wakes_up_and_ends():
    """A flush that had to wait for its turn waited for ever, and the run with it."""
    selector = VirtualSelector(Scheduler(Random(1)))
    loop = asyncio.SelectorEventLoop(selector)
    loop.time = selector.now_s
    selector.dead = True
    loop.run_until_complete(asyncio.sleep(3600))
    loop.close()


def test_a_seed_runs_the_same_way_again(simulation):
    first, again, other = (simulation.run(seed) for seed in (7, 7, 8))
    assert first == again
    assert first.trace != other.trace


def told(command, answer):
    """What of an answer must not differ: what processes decide by."""
    if command[0] == "XPENDING":
        return [[id_, consumer, tries] for id_, consumer, _, tries in answer]
    if command[0] == "XINFO GROUPS":
        groups = map(as_mapping, answer)
        return [
            [one[name] for name in (b"name", b"pending", b"last-delivered-id")] for one in groups
        ]
    return None if command[0] == "INFO" else answer


def test_what_is_answered_from_memory_is_what_redis_would_say(simulation, monkeypatch):
    looked_at = 0

    def remembered(self, commands, known=servers.Wire._remembered):
        nonlocal looked_at
        if answers := known(self, commands):
            looked_at += len(answers)
            assert list(map(told, commands, answers)) == [
                *map(told, commands, self.answers(commands))
            ]
        return answers

    monkeypatch.setattr(servers.Wire, "_remembered", remembered)
    assert not any(simulation.wrong(seed) for seed in range(20))
    assert looked_at > 1000


def finds(simulation):
    """Whether a run of some seed is wrong."""
    return any(simulation.wrong(seed) for seed in range(ENOUGH))


@pytest.mark.parametrize("mutation", MUTATIONS)
def test_a_guard_of_the_commit_that_is_taken_out_is_found(simulation, tmp_path, mutation):
    guard = guard_that_keeps(mutation)
    (changed := tmp_path / "commit.lua").write_text(without(guard, commit.SCRIPT.read_text()))
    with patch.object(commit, "SCRIPT", changed):
        assert finds(simulation)


async def add_once(self: batching.EventBatcher, events: list[Event]) -> None:
    """What a batcher without a spool would do."""
    try:
        await self._producer.add(events)
    except UnavailableError:
        return


async def skip(self: draining.SpoolDrain, page: object) -> None:
    """A drain that marks as added what it has not added."""
    await self._in_thread(self._spool.mark_added, page)


def add_up(document, operator, path, value, *, fresh, update=servers._update):
    if operator == "$max" and path.startswith("parts."):
        parts = document.setdefault("parts", {})
        parts[path[6:]] = parts.get(path[6:], 0) + value
    else:
        update(document, operator, path, value, fresh=fresh)


@pytest.mark.parametrize(
    ("place", "name", "wrong"),
    [
        (batching.EventBatcher, "_store", add_once),
        (draining.SpoolDrain, "_add", skip),
        (servers, "_update", add_up),
    ],
    ids=["nothing is spooled", "the spool is deleted unread", "$inc instead of $max"],
)
def test_a_mistake_of_ingest_or_the_sink_is_found(simulation, place, name, wrong):
    with patch.object(place, name, wrong):
        assert finds(simulation)
