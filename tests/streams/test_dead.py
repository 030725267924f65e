from __future__ import annotations

import time

from catchwater.answers import Emit, Reject, Stored
from catchwater.event import decode
from catchwater.monitoring import snapshot as snapshots
from catchwater.monitoring.audit import make_audit
from catchwater.streams import dead_letters
from catchwater.streams.consumer import Consumer
from catchwater.streams.keys import stream


def rejected(pipeline, *events, stage="name", stream="raw"):
    pipeline.add(stream, *events)
    consumer = pipeline.consumer(stage)
    while batch := consumer.read():
        consumer.commit([(entry, Reject("it is purple")) for entry in batch])
    return list(dead_letters.letters(pipeline.connection, pipeline.defs))


def audit(pipeline):
    return make_audit(snapshots.take(pipeline.connection, pipeline.defs))


def test_dead_letters_are_listed_with_their_stage_and_why(pipeline, event):
    letters = rejected(pipeline, *[event(n) for n in range(250)])
    assert len(letters) == 250
    assert {(letter.stage, letter.why, letter.tries) for letter in letters} == {
        ("name", "it is purple", 1)
    }
    assert {letter.event.id for letter in letters} == {event(n).id for n in range(250)}
    assert all(abs(letter.died - time.time()) < 60 for letter in letters)


def test_one_is_found_by_its_id(pipeline, event):
    (letter,) = rejected(pipeline, event(1))
    assert dead_letters.find(pipeline.connection, pipeline.defs, letter.id) == letter
    for wrong in ("", "p0", "nowhere/1-1", f"{letter.id}9", "p0/*", "p0/- +"):
        assert dead_letters.find(pipeline.connection, pipeline.defs, wrong) is None


def test_a_replayed_letter_is_worked_on_again_and_counted_once(pipeline, event):
    (letter,) = rejected(pipeline, event(1, received=int(time.time() * 1000)))
    assert dead_letters.replay(pipeline.connection, pipeline.defs, letter)
    assert not dead_letters.replay(pipeline.connection, pipeline.defs, letter)
    consumer = pipeline.consumer("name")
    consumer.commit([(entry, Emit(decode(entry.fields))) for entry in consumer.read()])
    assert [decode(fields) for fields in pipeline.inside("named")] == [letter.event]
    assert (audit(pipeline).accepted, audit(pipeline).dead, audit(pipeline).missing) == (1, 0, 0)


def test_an_old_letter_counts_as_received_now(pipeline, event):
    """The counters of its own hour have expired: new ones would start below those in MongoDB."""
    (letter,) = rejected(pipeline, event(1, received=1_500_000_000_000))
    dead_letters.replay(pipeline.connection, pipeline.defs, letter)
    (entry,) = pipeline.consumer("name").read()
    assert abs(decode(entry.fields).received / 1000 - time.time()) < 60


def test_a_dropped_letter_is_in_the_audit_as_dropped(pipeline, event):
    (letter,) = rejected(pipeline, event(1))
    assert audit(pipeline).dead == 1
    assert dead_letters.drop(pipeline.connection, letter)
    assert not dead_letters.drop(pipeline.connection, letter)
    assert (audit(pipeline).dropped, audit(pipeline).dead, audit(pipeline).missing) == (
        {"operator": 1},
        0,
        0,
    )


def test_a_foreign_entry_can_be_replayed_and_dropped_too(pipeline, event):
    pipeline.connection.call("XADD", stream(pipeline.defs.tags[0], "raw"), "*", "foreign", "field")
    consumer = pipeline.consumer("name")
    consumer.commit([(entry, Reject("no event")) for entry in consumer.read()])
    (letter,) = dead_letters.letters(pipeline.connection, pipeline.defs)
    assert letter.event is None
    assert dead_letters.replay(pipeline.connection, pipeline.defs, letter)


def test_a_letter_of_the_sink_goes_back_to_the_sink(pipeline, event):
    (letter,) = rejected(
        pipeline, event(1, received=int(time.time() * 1000)), stage="sink", stream="counted"
    )
    dead_letters.replay(pipeline.connection, pipeline.defs, letter)
    sink: Consumer = pipeline.consumer("sink")
    assert sink.commit([(entry, Stored()) for entry in sink.read()]).stored == 1
