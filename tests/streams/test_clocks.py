"""Clocks that are wrong: nothing vanishes because of them."""

from __future__ import annotations

import pytest

from catchwater.answers import Emit
from catchwater.event import encode
from catchwater.streams.commit import Entry
from catchwater.streams.processing import Breaker, answer_batch

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
