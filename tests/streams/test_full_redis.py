"""A Redis over its memory limit refuses writes, but not the work that frees its memory."""

from __future__ import annotations

from contextlib import ExitStack, contextmanager

import pytest
from prometheus_client import REGISTRY

from catchwater.answers import Emit, Stored, Tally
from catchwater.errors import UnavailableError
from catchwater.monitoring.audit import make_audit
from catchwater.monitoring.snapshot import take
from catchwater.streams import keys
from tests.waiting import wait_until


@contextmanager
def full(connection):
    """Redis is over its limit as long as this lasts."""
    connection.call("CONFIG SET", "maxmemory", "1")
    try:
        yield
    finally:
        connection.call("CONFIG SET", "maxmemory", "0")


@pytest.fixture
def pipeline(pipeline):
    yield pipeline
    pipeline.connection.call("CONFIG SET", "maxmemory", "0")


def passing(events):
    return [Emit(event) for event in events]


def counting(events):
    return [Emit(event, tally=Tally(**event.facts)) for event in events]


WORK = {
    "name": passing,
    "dedupe": passing,
    "count": counting,
    "sink": lambda events: [Stored() for _ in events],
}


def waited():
    labels = {"stage": "name", "why": "Memory"}
    return REGISTRY.get_sample_value("catchwater_trouble_total", labels) or 0


def waits(pipeline, stage):
    """Entries that the stage has still to do."""
    groups = [
        group
        for tag in pipeline.defs.tags
        for group in pipeline.connection.call(
            "XINFO GROUPS", keys.stream(tag, pipeline.defs.stages[stage].reads)
        )
    ]
    found = [dict(zip(flat[::2], flat[1::2], strict=True)) for flat in groups]
    return sum(one[b"lag"] + one[b"pending"] for one in found)


def test_every_stage_can_start_and_drain_above_the_limit(pipeline, event):
    """Stages that were started while Redis was full said "Redis is away" for ever."""
    pipeline.add("raw", *[event(n) for n in range(100)])
    with full(pipeline.connection), ExitStack() as running:
        with pytest.raises(UnavailableError):
            pipeline.add("raw", event(1000))
        for stage, work in WORK.items():
            running.enter_context(pipeline.loop(stage, work))
        wait_until(lambda: not any(waits(pipeline, stage) for stage in WORK), "all is done")
    audit = make_audit(take(pipeline.connection, pipeline.defs))
    assert (audit.counted, audit.missing) == (100, 0)


def test_a_stage_recovers_above_the_limit(pipeline, event):
    """An outage of anything, while Redis was full, stopped stages that had been running."""
    pipeline.add("raw", *[event(n) for n in range(20)])
    tries = []

    def shaken(events):
        tries.append(events)
        if len(tries) == 1:
            raise UnavailableError("MongoDB is away")
        return passing(events)

    with full(pipeline.connection), ExitStack() as running:
        for stage, work in (WORK | {"name": shaken}).items():
            running.enter_context(pipeline.loop(stage, work))
        wait_until(lambda: not any(waits(pipeline, stage) for stage in WORK), "all is done")


def test_a_stage_does_not_fill_redis_further_while_the_next_one_is_away(pipeline, event):
    """fingerprint alone took Redis to 2.2 times its limit: what it emits is larger."""
    pipeline.add("raw", *[event(n) for n in range(200)])
    with full(pipeline.connection), ExitStack() as running:
        before = waited()
        running.enter_context(pipeline.loop("name", passing))
        wait_until(lambda: waited() > before + 2, "it waits")
        batch = pipeline.defs.stages["name"].batch
        assert 0 < len(pipeline.inside("named")) <= batch
        assert waits(pipeline, "name") >= 200 - batch
        for stage in ("dedupe", "count", "sink"):
            running.enter_context(pipeline.loop(stage, WORK[stage]))
        wait_until(lambda: not any(waits(pipeline, stage) for stage in WORK), "all is done")


def test_a_group_that_was_made_anew_on_an_empty_stream_keeps_nobody_waiting(pipeline, event):
    """It stands at the beginning, so it looked as if it had everything still to read."""
    dedupe, call = pipeline.consumer("dedupe"), pipeline.connection.call
    for tag in pipeline.defs.tags:
        name = keys.stream(tag, "unique")
        call("XADD", name, "*", "id", "x")
        assert dedupe.emitted_waits()
        call("XTRIM", name, "MAXLEN", "0")
        call("XGROUP", "DESTROY", name, "count")
    dedupe.prepare()
    assert not dedupe.emitted_waits()


def test_a_stream_that_could_not_be_made_yet_keeps_nobody_waiting(pipeline):
    dedupe = pipeline.consumer("dedupe")
    pipeline.connection.call("DEL", *[keys.stream(tag, "unique") for tag in pipeline.defs.tags])
    assert not dedupe.emitted_waits()


def test_a_new_stage_that_cannot_have_its_group_yet_stops_no_other(pipeline, event):
    """Each stage made the groups of all: with one missing, Redis full, none started."""
    pipeline.add("raw", *[event(n) for n in range(50)])
    both = {**pipeline.defs.stages, "new": pipeline.defs.stages["name"]}
    pipeline.defs = pipeline.defs.model_copy(update={"stages": both})
    with ExitStack() as running:
        with full(pipeline.connection):
            for stage, work in (WORK | {"new": lambda events: [Stored() for _ in events]}).items():
                running.enter_context(pipeline.loop(stage, work))
            wait_until(lambda: not any(waits(pipeline, stage) for stage in WORK), "all is done")
        wait_until(lambda: committed(pipeline, "new") == 50, "the new stage has its group, and all")


def committed(pipeline, stage):
    ledgers = [keys.ledger(tag) for tag in pipeline.defs.tags]
    done = [pipeline.connection.call("HGET", ledger, f"{stage}:done") for ledger in ledgers]
    return sum(int(n or 0) for n in done)
