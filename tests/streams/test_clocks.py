"""Clocks that are wrong: nothing vanishes because of them."""

from __future__ import annotations

import pytest

from catchwater.answers import Emit
from catchwater.event import encode
from catchwater.streams import keys
from catchwater.streams.commit import Entry
from catchwater.streams.processing import Breaker, answer_batch
from tests.waiting import wait_until

NOW = 1_795_000_000_000
"""Redis's clock, in milliseconds since 1970."""
SECOND, DAY = 1000, 86_400_000


def received_by_the_stage(event, added, fields=None):
    entry = Entry(0, f"{added}-0", encode(event) | (fields or {}))
    ((_, answer),) = answer_batch(
        lambda events: [Emit(one) for one in events], [entry], 3, Breaker()
    )
    return answer.event.received


@pytest.mark.parametrize(
    ("offset", "believed"),
    [
        (0, True),
        (-2 * SECOND, True),
        (2 * SECOND, True),
        (-3 * DAY, True),
        (-8 * DAY, False),
        (DAY, False),
        (-NOW, False),
        (40 * 365 * DAY, False),
    ],
    ids=["same", "behind", "ahead", "spooled", "old", "a day ahead", "1970", "2066"],
)
def test_ingests_clock_is_believed_only_near_that_of_redis(event, offset, believed):
    """An ingest in 1970 answered 2xx, and MongoDB expired what it took within a minute."""
    received = received_by_the_stage(event(received=NOW + offset), NOW)
    assert received == (NOW + offset if believed else NOW)


def test_a_redis_without_a_clock_is_not_believed(event):
    assert received_by_the_stage(event(received=NOW), 5 * SECOND) == NOW


def test_a_replayed_event_keeps_its_time(event):
    old = event(received=NOW - 20 * DAY)
    assert received_by_the_stage(old, NOW, {b"for": b"name"}) == old.received


# Redis's clock is set back: what was delivered before was delivered in the future ---------------


def crc64(data):
    """The checksum at the end of what DUMP answers (CRC-64/Jones, reflected)."""
    crc = 0
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = crc >> 1 ^ (0x95AC9329AC4BC9B5 if crc & 1 else 0)
    return crc


def set_clock_back(pipeline, stream_name, by_ms):
    """As if Redis's clock had been ahead by `by_ms` when it delivered what is pending.

    XCLAIM takes no time in the future, so the pending entries of a dump are changed: each has its
    id (16 bytes) and then the time of its delivery (8 bytes).
    """
    call, changed = pipeline.connection.call, 0
    for tag in pipeline.defs.tags:
        name = keys.stream(tag, stream_name)
        dump = bytearray(call("DUMP", name)[:-8])
        for id_, *_ in call("XPENDING", name, "name", "-", "+", 100):
            ms, seq = map(int, id_.split(b"-"))
            at = dump.index(ms.to_bytes(8) + seq.to_bytes(8), dump.index(b"name")) + 16
            delivered = int.from_bytes(dump[at : at + 8], "little") + by_ms
            dump[at : at + 8] = delivered.to_bytes(8, "little")
            changed += 1
        call("RESTORE", name, 0, bytes(dump) + crc64(dump).to_bytes(8, "little"), "REPLACE")
    return changed


def emit_all(events):
    return [Emit(event) for event in events]


def test_what_a_dead_consumer_held_is_claimed_although_redis_clock_was_set_back(pipeline, event):
    pipeline.add("raw", *[event(n) for n in range(8)])
    while pipeline.consumer("name", "dead").read():
        pass
    assert set_clock_back(pipeline, "raw", DAY) == 8
    pipeline.add("raw", event(8))
    with pipeline.loop("name", emit_all, name="living"):
        wait_until(lambda: len(pipeline.ids("named")) == 9, "all 9 have been emitted")
    assert pipeline.ids("named") == sorted(event(n).id for n in range(9))


def test_what_was_delivered_by_a_right_clock_is_not_from_the_future(pipeline, event):
    pipeline.add("raw", *[event(n) for n in range(4)])
    assert len(pipeline.consumer("name", "working").read()) == 4
    other = pipeline.consumer("name", "other")
    wait_until(lambda: not other.held_since_the_future(), "its idle time has grown")
    set_clock_back(pipeline, "raw", DAY)
    assert len(other.held_since_the_future()) == 4
