"""What a Redis that fell back lost is told to the digit."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from catchwater.streams.added_log import AddedLog


@given(st.lists(st.integers(1, 50), min_size=1, max_size=40), st.data())
def test_what_was_confirmed_after_the_state_that_redis_fell_back_to_is_lost(batches, data):
    log, counts, count = AddedLog(), [0], 0
    for events in batches:
        count += events
        log.add(count, events)
        counts.append(count)
    back_to = data.draw(st.sampled_from(counts))
    assert log.lost(back_to, log.last) == count - back_to
    assert log.lost(back_to, log.last) == 0
    log.add(back_to + 7, 7)
    assert log.lost(back_to, log.last) == 7


def test_what_redis_never_confirmed_is_not_lost():
    """Events whose reply was lost are in the spool: they are added again."""
    log = AddedLog()
    log.add(10, 10)
    log.add(25, 5)  # ten in between were not confirmed
    assert log.lost(10, log.last) == 5


def test_what_is_confirmed_while_redis_is_asked_is_not_lost():
    log = AddedLog()
    log.add(10, 10)
    expected = log.last
    log.add(20, 10)
    assert log.lost(10, expected) == 0
    assert log.lost(10, log.last) == 10
