"""Consumers of a stage share 64 partitions without asking each other: a slow one holds up its own
batch only, and a partition that has more to do than the others is read by all, in full batches.
"""

from __future__ import annotations

import threading
from contextlib import ExitStack

import pytest

from catchwater.answers import Emit
from catchwater.config.streamdefs import load
from catchwater.errors import MissingGroupError
from catchwater.redis_client import Connection
from catchwater.streams.consumer import prepare
from catchwater.streams.keys import ledger
from tests.pipelines import PIPELINE, Pipeline
from tests.waiting import wait_until

BATCH = 100
WAIT_S = 60


@pytest.fixture
def wide(redis_url, tmp_path):
    """64 partitions."""
    text = PIPELINE
    for old, new in (("partitions: 2", "partitions: 64"), ("batch: 10", "batch: 100")):
        text = text.replace(old, new)
    text = text.replace("claim_after: 300ms", "claim_after: 1h")
    (tmp_path / "wide.yaml").write_text(text)
    one = Pipeline(redis_url, load(tmp_path / "wide.yaml"), Connection(redis_url))
    prepare(one.connection, one.defs)
    yield one
    for each in (one.connection, *one.opened):
        each.close()


def add(wide, events):
    wide.connection.calls([wide.adding("raw", one) for one in events])


def in_one_partition(wide, event, count):
    numbers = (n for n in range(10**6) if wide.defs.partition_of(f"{n:032x}") == 7)
    return [event(next(numbers)) for _ in range(count)]


def test_a_partition_that_alone_has_work_fills_the_batches(wide, event):
    """It gave an entry at a time: its share of a batch for all partitions."""
    add(wide, in_one_partition(wide, event, 1_000))
    consumer = wide.consumer("name")
    sizes = [len(consumer.read()) for _ in range(14)]
    assert sizes[:4] == [16, 32, 64, BATCH]
    assert sum(sizes) == 1_000


def test_a_partition_with_much_work_leaves_the_others_their_shares(wide, event):
    add(wide, in_one_partition(wide, event, 1_000))
    add(wide, [event(n) for n in range(2_000_000, 2_000_200)])
    consumer, found = wide.consumer("name"), []
    while len(found) < 1_200:
        batch = consumer.read()
        assert len(batch) <= BATCH + 64, "each partition's share is rounded up"
        found += batch
        first = {entry.partition for entry in found}
        assert len(first) > 50, "of all that have something, in the first batch"
    assert len({(entry.partition, entry.id) for entry in found}) == 1_200


def test_what_was_read_is_worked_on_though_the_rest_cannot_be_read(wide, event, monkeypatch):
    """Read again, each delivery would count, and an outage would end in dead letters."""
    add(wide, in_one_partition(wide, event, 100))
    consumer = wide.consumer("name")
    more = consumer._new.more
    monkeypatch.setattr(consumer._new, "more", lambda most, _: more(most, ["cw:{none}:raw"]))
    assert len(consumer.read()) == 1
    with pytest.raises(MissingGroupError):
        consumer.raise_deferred()


def test_a_consumer_that_stands_still_holds_up_only_its_batch(wide, event):
    """Ten times slower, or infinitely: the others have the rest of all partitions."""
    add(wide, [event(n) for n in range(2_000)])
    released, held = threading.Event(), []

    def stuck(batch):
        held.append(len(batch))
        released.wait(WAIT_S)
        return [Emit(one) for one in batch]

    def quick(batch):
        return [Emit(one) for one in batch]

    def done():
        counts = [("HGET", ledger(tag), "name:done") for tag in wide.defs.tags]
        return sum(int(one or 0) for one in wide.connection.calls(counts))

    with ExitStack() as running:
        running.enter_context(wide.loop("name", stuck, "stuck"))
        wait_until(lambda: held, "it has its batch", WAIT_S)
        for name in "abc":
            running.enter_context(wide.loop("name", quick, name))
        wait_until(lambda: done() == 2_000 - held[0], "the others have done all else", WAIT_S)
        released.set()
        wait_until(lambda: done() == 2_000, "its own, too", WAIT_S)
