"""A process that knows too few partitions adds nothing to what has grown."""

from __future__ import annotations

import threading

import pytest

from catchwater.answers import Emit
from catchwater.errors import GrownError
from catchwater.streams import keys
from catchwater.streams.loop import Loop
from tests.streams.committed import emitted


def fence(pipeline, partitions):
    fences = [keys.fence(tag) for tag in pipeline.defs.tags]
    pipeline.connection.calls([("SET", one, partitions) for one in fences])


def passing(events):
    return [Emit(one) for one in events]


@pytest.mark.parametrize("stage", ["dedupe", "sink"])
def test_a_process_that_knows_too_few_partitions_commits_nothing(pipeline, event, stage):
    reads = pipeline.defs.stages[stage].reads
    pipeline.add(reads, *(event(n) for n in range(8)))
    consumer = pipeline.consumer(stage)
    batch = consumer.read()
    fence(pipeline, 4)
    with pytest.raises(GrownError, match=r"to 4 partitions, and this process knows 2: set"):
        consumer.commit(emitted(batch))
    assert len(consumer.pending()) == 8
    assert pipeline.ids("unique") == []


def test_one_that_knows_them_goes_on(pipeline, event):
    pipeline.add("named", *(event(n) for n in range(8)))
    consumer = pipeline.consumer("dedupe")
    fence(pipeline, 2)
    assert consumer.commit(emitted(consumer.read())).emitted == 8


def test_one_that_has_nothing_to_do_ends_too(pipeline):
    """Else what waits in the new partitions would wait until something comes to the old ones."""
    fence(pipeline, 4)
    stopping = threading.Event()
    too_late = threading.Timer(60, stopping.set)
    too_late.start()
    with pytest.raises(GrownError, match=r"to 4 partitions, and this process knows 2: set"):
        Loop(pipeline.consumer("name", "idle"), passing, stopping).run()
    too_late.cancel()


def test_it_ends_and_hands_over_what_it_has(pipeline, event):
    pipeline.add("raw", *(event(n) for n in range(8)))
    fence(pipeline, 4)
    loop = Loop(pipeline.consumer("name", "old"), passing, threading.Event())
    with pytest.raises(GrownError):
        loop.run()
    streams = [keys.stream(tag, "raw") for tag in pipeline.defs.tags]
    held = pipeline.connection.calls([("XPENDING", one, "name", "-", "+", 9) for one in streams])
    assert [row[1] for rows in held for row in rows] == [b"~released"] * 8, "free at once"
