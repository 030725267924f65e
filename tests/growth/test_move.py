"""Events that are in the partition where they belonged once go to the one that has their marks."""

from __future__ import annotations

import pytest

from catchwater.answers import Move
from catchwater.event import encode
from catchwater.monitoring import snapshot as snapshots
from catchwater.streams import keys, moving
from catchwater.streams.commit import CommitTotals
from tests.streams.test_full_redis import full

MONTH = "202511"


@pytest.fixture
def before(of):
    """What a process adds that knows 8 partitions, to data that has 16."""
    of(16).use("sink")
    return of(8)


def marking(one):
    return next(name for name, stage in one.defs.stages.items() if stage.once_for)


def test_what_is_elsewhere_is_counted_where_its_mark_is(before, of, event):
    after = of(16)
    before.add("raw", *map(event, range(60)))
    after.drain()
    after.add("raw", *map(event, range(60)))
    after.drain()
    audit = after.audit
    assert (audit.accepted, audit.counted, audit.duplicates) == (120, 60, 60)
    assert (audit.missing, audit.depth, audit.dead) == (0, 0, 0)
    assert after.stored() == 60


def test_only_what_is_elsewhere_is_moved(before, of, event):
    after = of(16)
    before.add("raw", *map(event, range(60)))
    elsewhere = [n for n in range(60) if after.defs.partition_of(event(n).id) >= 8]
    after.drain()
    fields = [("HGET", keys.ledger(tag), f"{marking(after)}:moved") for tag in after.defs.tags]
    assert sum(int(n or 0) for n in after.connection.calls(fields)) == len(elsewhere) > 10


def test_an_event_that_two_move_is_counted_once(before, of, event):
    """The copy that is left over is a duplicate, as if it had been sent twice."""
    after = of(16)
    before.add("raw", *map(event, range(60)))
    stage = marking(after)
    for name in [] if stage == "count" else ["name"]:
        while after.turn(name).won:
            pass
    first, second = after.use(stage, "first"), after.use(stage, "second")
    batch = first.read()
    answered = after.answers(first, batch)
    done, too_late = second.commit(answered), first.commit(answered)
    assert (done.won, done.moved > 0) == (len(batch), True)
    assert too_late == CommitTotals(stale=len(batch))
    after.drain()
    audit = after.audit
    assert (audit.counted, audit.duplicates) == (60, done.moved)
    assert (audit.accepted, audit.missing) == (60 + done.moved, 0)


def test_the_audit_adds_up_between_the_copy_and_the_acknowledgement(before, of, event):
    after = of(16)
    before.add("raw", *map(event, range(60)))
    stage = marking(after)
    for name in [] if stage == "count" else ["name"]:
        after.turn(name)
    consumer = after.use(stage)
    answered = after.answers(consumer, consumer.read())
    assert any(isinstance(answer, Move) for _, answer in answered)
    moving.forward(after.connection, after.defs, stage, answered)
    assert after.audit.missing == 0
    consumer.commit(answered)
    assert after.audit.missing == 0


def test_what_is_lost_where_it_went_is_missing(before, of, event):
    """On a cluster one partition's node may fall back, after another had done its part."""
    after = of(16)
    before.add("raw", *map(event, range(60)))
    stage = marking(after)
    for name in [] if stage == "count" else ["name"]:
        after.turn(name)
    moved = after.turn(stage).moved
    for tag in after.defs.tags[8:]:
        reads = keys.stream(tag, after.defs.stages[stage].reads)
        after.connection.calls([("DEL", reads), ("HDEL", keys.ledger(tag), f"{stage}:arrived")])
        after.connection.call("HSET", keys.ledger(tag), f"{stage}:base", 0)
    after.drain()
    assert (after.audit.missing, after.audit.adds_up) == (moved, False)


def test_another_stage_that_reads_the_stream_does_not_work_on_a_copy(before, of, event):
    after = of(16)
    stage = marking(after)
    dropping = {"run": ["tests.growth.stages:dropping"], "once_for": None, "emits": None}
    other = after.defs.stages[stage].model_copy(update=dropping)
    both = {**after.defs.stages, "other": other}
    after.defs = after.defs.model_copy(update={"stages": both})
    before.add("raw", *map(event, range(60)))
    after.drain()
    fields = [("HGET", keys.ledger(tag), "other:dropped:aside") for tag in after.defs.tags]
    assert sum(int(n or 0) for n in after.connection.calls(fields)) == 60


def test_when_it_was_received_is_believed_or_not_where_it_was_added(before, of, event):
    """A copy is added later: what ingest's wrong clock said is not to be compared with that."""
    after = of(16)
    numbers = [n for n in range(60) if after.defs.partition_of(event(n).id) >= 8]
    for n in numbers:
        tag = before.defs.tags[before.defs.partition_of(event(n).id)]
        fields = [part for item in encode(event(n, received=5)).items() for part in item]
        added = f"{1_763_900_000_000 + n}-0"
        before.connection.call("XADD", keys.stream(tag, "raw"), added, *fields)
    after.drain()
    counted = snapshots.take(after.connection, after.defs).counted
    assert sum(counted.values()) == len(numbers)
    if marking(after) == "count":  # else it is long ago for the next stage, too, copy or not
        assert counted == {MONTH: len(numbers)}


def test_they_are_moved_above_the_memory_limit(before, of, event):
    after = of(16)
    before.add("raw", *map(event, range(60)))
    for name in after.defs.stages:
        after.use(name)
    with full(after.connection):
        after.drain()
    assert (after.audit.counted, after.audit.missing) == (60, 0)
