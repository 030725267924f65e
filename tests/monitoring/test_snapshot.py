"""A snapshot costs the same for any number of entries, and shows what vanished."""

from __future__ import annotations

import pytest

from catchwater.answers import Drop
from catchwater.monitoring import snapshot as snapshots
from catchwater.monitoring.audit import make_audit
from catchwater.streams import keys
from catchwater.streams.consumer import prepare


def status(pipeline, stage="name"):
    snapshot = snapshots.take(pipeline.connection, pipeline.defs)
    return next(one for one in snapshot.stages if one.stage == stage)


def missing(pipeline):
    return make_audit(snapshots.take(pipeline.connection, pipeline.defs)).missing


def commit_all(consumer):
    done = 0
    while batch := consumer.read():
        consumer.commit([(entry, Drop("x")) for entry in batch])
        done += len(batch)
    return done


def bodies_read(pipeline):
    """How often Redis was asked for entries with their bodies."""
    stats = pipeline.connection.info("commandstats")
    calls = 0
    for command in ("xrange", "xrevrange", "xread", "xreadgroup"):
        if text := stats.get(f"cmdstat_{command}"):
            calls += int(text.partition("calls=")[2].partition(",")[0])
    return calls


@pytest.mark.parametrize("pending", [False, True], ids=["unread", "pending"])
def test_a_snapshot_reads_no_more_bodies_for_more_entries(pipeline, event, pending):
    """600 events of 1 MB blocked Redis for 5 s at each look: it read them to count them."""
    pipeline.add("raw", *[event(n) for n in range(900)])
    consumer = pipeline.consumer("name")
    if pending:
        while consumer.read():
            pass
    pipeline.connection.call("CONFIG RESETSTAT")
    assert status(pipeline).depth == 900
    stages_and_partitions = len(pipeline.defs.stages) * pipeline.defs.partitions
    assert bodies_read(pipeline) <= stages_and_partitions


def test_the_depth_is_right_half_way_and_after_a_trim(pipeline, event):
    pipeline.add("raw", *[event(n) for n in range(600)])
    consumer = pipeline.consumer("name")
    batch = consumer.read()
    consumer.commit([(entry, Drop("x")) for entry in batch])
    held = consumer.read()
    now = status(pipeline)
    assert (now.pending, now.unread) == (len(held), 600 - len(batch) - len(held))
    consumer.commit([(entry, Drop("x")) for entry in held])
    commit_all(consumer)
    assert consumer.trim() > 0
    assert (status(pipeline).depth, missing(pipeline)) == (0, 0)


@pytest.mark.parametrize("how", ["unread", "pending", "trimmed by hand"])
def test_entries_that_vanish_are_missing_and_no_depth(pipeline, event, how):
    pipeline.add("raw", *[event(n) for n in range(40)])
    consumer = pipeline.consumer("name")
    tag, raw = pipeline.defs.tags[0], keys.stream(pipeline.defs.tags[0], "raw")
    entries = [id_ for id_, _ in pipeline.connection.call("XRANGE", raw, "-", "+")]
    batch = consumer.read() if how == "pending" else []
    if how == "trimmed by hand":
        pipeline.connection.call("XTRIM", raw, "MAXLEN", len(entries) - 2)
    else:
        pipeline.connection.call("XDEL", raw, *entries[:2])
    # An entry of the other partition may have the same id: it is a time.
    gone = {(0, id_.decode()) for id_ in entries[:2]}
    left = [entry for entry in batch if (entry.partition, entry.id) not in gone]
    consumer.commit([(entry, Drop("x")) for entry in left])
    commit_all(consumer)
    if how == "pending":
        pipeline.connection.call("XACK", raw, "name", *entries[:2])
    assert tag in pipeline.defs.tags
    assert (status(pipeline).depth, missing(pipeline)) == (0, 2)


def test_a_stage_that_is_declared_later_has_what_the_stream_still_holds(pipeline, event):
    """Its group begins with the entries that are in the stream, not with those that ever were."""
    pipeline.add("raw", *[event(n) for n in range(300)])
    consumer = pipeline.consumer("name")
    commit_all(consumer)
    consumer.trim()
    pipeline.add("raw", *[event(n) for n in range(300, 310)])
    left = len(pipeline.inside("raw"))
    for tag in pipeline.defs.tags:
        pipeline.connection.call("XGROUP DESTROY", keys.stream(tag, "raw"), "name")
    prepare(pipeline.connection, pipeline.defs)
    assert status(pipeline).depth == left
    assert commit_all(consumer) == left
    assert status(pipeline).depth == 0
