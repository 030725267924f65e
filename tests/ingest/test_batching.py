"""Flushes to Redis, and what happens when Redis is away, hangs or refuses."""

from __future__ import annotations

import asyncio

import pytest

from catchwater.errors import (
    NotStoredError,
    RefusedError,
    UnavailableError,
)
from ingest import batching
from ingest.batching import EventBatcher
from ingest.draining import SpoolDrain
from tests.ingest.recorder import Recorder, big_events, events


def test_concurrent_requests_share_a_flush(spool):
    async def run():
        producer = Recorder()
        batcher = EventBatcher(producer, spool)
        await asyncio.gather(*[batcher.add(events(n)) for n in range(100)])
        return producer

    producer = asyncio.run(run())
    assert sorted(producer.added) == sorted(event.id for event in events(*range(100)))
    assert len(producer.flushes) <= 3


def test_posts_do_not_wait_for_more_than_came_together_lately(spool, monkeypatch):
    """Eight connections that each wait for their answer had 250 flushes a second, and no more."""
    monkeypatch.setattr(batching, "GATHER_S", 5.0)

    async def client(batcher, number):
        for _ in range(50):
            await batcher.add(events(number))

    async def run():
        producer = Recorder()
        batcher = EventBatcher(producer, spool)
        async with asyncio.timeout(60):
            await asyncio.gather(*[client(batcher, number) for number in range(8)])
        return producer

    producer = asyncio.run(run())
    assert len(producer.added) == 400
    assert len(producer.flushes) < 120, "they still go together"


def test_a_flush_is_bounded_in_bytes(spool):
    async def run():
        producer = Recorder()
        batcher = EventBatcher(producer, spool)
        await asyncio.gather(*[batcher.add([one]) for one in big_events(40, 1_000_000)])
        return producer

    producer = asyncio.run(run())
    assert len(producer.added) == 40
    assert max(len(flush) for flush in producer.flushes) <= batching.MOST_BYTES / 1_000_000


def test_a_lost_reply_sends_the_events_to_the_spool_too(spool):
    """They may be in Redis or not: adding them again is safe, losing them is not."""

    async def run():
        producer = Recorder()
        batcher, drain = EventBatcher(producer, spool), SpoolDrain(producer, spool)
        producer.error = UnavailableError("the reply was lost")
        await batcher.add(events(1, 2))
        waiting = spool.depth()
        producer.error = None
        await drain.drain()
        return producer, waiting

    producer, waiting = asyncio.run(run())
    assert (waiting, spool.depth()) == (2, 0)
    assert producer.flushes == [[one.id for one in events(1, 2)]] * 2


def test_what_redis_refuses_for_good_is_neither_taken_nor_spooled(spool):
    async def run():
        producer = Recorder()
        batcher = EventBatcher(producer, spool)
        producer.error = RefusedError("NOPERM")
        with pytest.raises(NotStoredError):
            await batcher.add(events(1))
        reason = batcher.not_ready_reason
        producer.error = None
        await batcher.add(events(2))
        return reason, batcher.not_ready_reason

    assert asyncio.run(run()) == ("Redis refuses events: NOPERM", "")
    assert spool.depth() == 0


def test_a_redis_that_hangs_is_asked_once_and_its_late_success_is_no_loss(spool):
    async def run():
        producer = Recorder()
        batcher, drain = EventBatcher(producer, spool), SpoolDrain(producer, spool)
        producer.hang.clear()
        for n in range(5):
            await batcher.add(events(n))
        spooled = spool.depth()
        producer.hang.set()
        await asyncio.wait([batcher._hanging])
        await drain.drain()
        return producer, spooled

    producer, spooled = asyncio.run(run())
    assert spooled == 5
    assert sorted(set(producer.added)) == [one.id for one in events(*range(5))]
    assert len(producer.added) == 6, "the event that hung is there twice; no other"


def test_with_a_full_spool_a_slow_redis_is_waited_for(spool):
    spool._limit = 1

    async def run():
        producer = Recorder()
        batcher = EventBatcher(producer, spool)
        producer.hang.clear()
        adding = asyncio.create_task(batcher.add(events(1)))
        while batcher._hanging is None:
            await asyncio.sleep(0)
        producer.hang.set()
        await adding
        return producer.added

    assert asyncio.run(run()) == [events(1)[0].id]
