from __future__ import annotations

import pytest

from catchwater.monitoring import stuck
from catchwater.monitoring.history import MINUTES, History, Minute
from catchwater.monitoring.snapshot import StageStatus


def status(depth: int, age: float = 0.0, stage: str = "sink") -> StageStatus:
    return StageStatus(stage, "counted", depth, depth, 0, age, 1, 0, 0)


def test_a_minute_shows_the_most_that_waited_in_it():
    history = History()
    for second, depth, age in ((0, 3, 0.5), (20, 90, 0.1), (59, 0, 0.0), (61, 7, 2.0)):
        history.add(600.0 + second, [status(depth, age)])
    assert history.of("sink", 661.0)[-2:] == [Minute(90, 0.5), Minute(7, 2.0)]


def test_a_minute_in_which_nobody_looked_is_not_known():
    history = History()
    history.add(60.0, [status(1)])
    history.add(180.0, [status(2)])
    assert history.of("sink", 181.0)[-4:] == [None, Minute(1), None, Minute(2)]
    assert history.of("sink", 300.0)[-2:] == [None, None]
    assert history.of("another", 181.0) == [None] * MINUTES


def test_it_holds_an_hour_and_no_more():
    history = History()
    for minute in range(500):
        history.add(minute * 60.0, [status(minute)])
    found = history.of("sink", 499 * 60.0)
    assert [one and one.depth for one in found] == list(range(440, 500))
    assert len(history._steps) == MINUTES


@pytest.mark.parametrize(
    ("age", "consumers", "rate", "why"),
    [
        (0.0, 0, 0.0, ""),
        (4.0, 0, 0.0, ""),
        (6.0, 0, 9.0, stuck.NO_CONSUMER),
        (19.0, 2, 0.0, ""),
        (21.0, 2, 0.0, stuck.NOTHING_DONE),
        (59.0, 2, 0.1, ""),
        (61.0, 2, 0.1, stuck.TOO_SLOW),
    ],
)
def test_a_stage_is_stuck_when_its_oldest_event_waits_too_long(age, consumers, rate, why):
    assert stuck.reason(age, consumers, rate) == why
