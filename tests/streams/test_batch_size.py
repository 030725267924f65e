"""A batch is bounded in bytes, whatever the size of its events."""

from __future__ import annotations

import pytest

from catchwater.streams.batch_size import BATCH_BYTES, FIRST, BatchSize

MB = 1_000_000


def after(batches, most=500):
    """The size of the next batch after batches of these numbers of events of these bytes."""
    size = BatchSize(most)
    for count, event_bytes in batches:
        size.record([event_bytes] * count)
    return size.entries


def full(event_bytes, turns, most=500):
    """The same when each batch is full."""
    size = BatchSize(most)
    for _ in range(turns):
        size.record([event_bytes] * size.entries)
    return size.entries


def test_it_starts_small_and_doubles_up_to_the_most():
    assert [full(1000, turns) for turns in range(7)] == [FIRST, 32, 64, 128, 256, 500, 500]


@pytest.mark.parametrize("event_bytes", [20_000, 200_000, MB, 5 * MB])
def test_full_batches_of_large_events_stay_within_the_bytes(event_bytes):
    assert full(event_bytes, 20) * event_bytes <= max(BATCH_BYTES, event_bytes)


def test_it_does_not_grow_while_few_events_come():
    assert after([(1, 1000)] * 50) == FIRST


def test_it_shrinks_at_once_and_grows_again():
    assert after([(16, 1000), (32, 1000), (64, MB)]) == 4
    assert after([(16, MB), (4, 1000), (8, 1000), (16, 1000), (32, 1000)]) == 64


def test_a_stage_with_a_small_batch_keeps_it():
    assert full(1000, 10, most=10) == 10


def test_a_backlog_of_large_events_is_read_a_few_at_a_time(pipeline, event):
    """500 events of 1 MB were read at once: 600 MB in the fingerprint process."""
    big = b'"' + b"x" * MB + b'"'
    for n in range(40):
        one = event(n)
        pipeline.add("raw", type(one)(one.id, "1", one.received, "named", big))
    consumer = pipeline.consumer("name")
    sizes = []
    while batch := consumer.read():
        sizes.append(sum(entry.size for entry in batch))
    assert sum(sizes) > 40 * MB
    assert max(sizes[1:]) <= BATCH_BYTES + 2 * MB
