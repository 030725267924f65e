"""Events that a stage skips, and dead letters that are replayed for one stage of several."""

from __future__ import annotations

from catchwater.answers import Drop, Emit, Reject, Skip, Stored
from catchwater.event import decode, encode
from catchwater.monitoring.audit import make_audit
from catchwater.monitoring.snapshot import take
from catchwater.redis_client import as_mapping
from catchwater.streams import dead_letters, keys
from catchwater.streams.commit import CommitTotals
from catchwater.streams.processing import split_replayed


def test_an_event_that_a_stage_skips_is_dropped_as_skipped_and_the_audit_adds_up(pipeline, event):
    pipeline.add("raw", event(1))
    consumer = pipeline.consumer("name")
    totals = consumer.commit([(entry, Skip()) for entry in consumer.read()])
    assert (totals.won, totals.dropped, totals.skipped) == (1, 1, 0)
    snapshot = take(pipeline.connection, pipeline.defs)
    assert snapshot.dropped == {"skipped": 1}
    assert make_audit(snapshot).adds_up


def test_a_replayed_event_is_skipped_by_the_other_stages_and_counted_nowhere_again(pipeline, event):
    """The metrics once counted such an event as stored, though nothing was written to MongoDB."""
    tag = pipeline.defs.tags[pipeline.defs.partition_of(event(1).id)]
    flat = [part for item in encode(event(1)).items() for part in item]
    stream = keys.stream(tag, "raw")
    pipeline.connection.call("XADD", stream, "*", *flat, "for", "another")
    consumer = pipeline.consumer("name")
    own, skipped = split_replayed("name", consumer.read())
    totals = consumer.commit(skipped)
    assert own == []
    assert totals == CommitTotals(won=1, skipped=1)
    assert consumer.pending() == []
    assert pipeline.inside("named") == []
    ledger = as_mapping(pipeline.connection.call("HGETALL", keys.ledger(tag)))
    assert {name: n for name, n in ledger.items() if n != b"0"} == {b"name:done": b"1"}
    assert take(pipeline.connection, pipeline.defs).dropped == {}


def test_the_stage_that_an_event_was_replayed_for_is_not_handed_on(pipeline, event):
    """Or the next stage would take it for another's, and skip it."""
    tag = pipeline.defs.tags[pipeline.defs.partition_of(event(1).id)]
    flat = [part for item in encode(event(1)).items() for part in item]
    pipeline.connection.call("XADD", keys.stream(tag, "raw"), "*", *flat, "for", "name")
    consumer = pipeline.consumer("name")
    consumer.commit([(entry, Emit(decode(entry.fields))) for entry in consumer.read()])
    (fields,) = pipeline.inside("named")
    assert (decode(fields), b"for" in fields) == (event(1), False)


def test_an_event_replayed_for_one_of_two_stages_leaves_the_audit_adding_up(pipeline, event):
    """Two stages read `raw`, one rejects an event: its replay must not count it twice."""
    both = {**pipeline.defs.stages, "other": pipeline.defs.stages["name"]}
    pipeline.defs = pipeline.defs.model_copy(update={"stages": both})
    name, other = pipeline.consumer("name"), pipeline.consumer("other")
    name.prepare()
    pipeline.add("raw", event(1))
    name.commit([(entry, Reject("it is purple")) for entry in name.read()])
    other.commit([(entry, Stored()) for entry in other.read()])
    (letter,) = dead_letters.letters(pipeline.connection, pipeline.defs)
    assert dead_letters.replay(pipeline.connection, pipeline.defs, letter)
    name.commit([(entry, Drop("crawler")) for entry in name.read()])
    _, skipped = split_replayed("other", other.read())
    assert other.commit(skipped) == CommitTotals(won=1, skipped=1)
    snapshot = take(pipeline.connection, pipeline.defs)
    assert (snapshot.accepted, snapshot.dropped) == (1, {"crawler": 1})
    assert make_audit(snapshot).adds_up
