"""catchwater.testing, the harness for stages of one's own."""

from __future__ import annotations

from catchwater import Drop, Emit, Skip
from catchwater.event import Event
from catchwater.testing import CRASH, DUPLICATE, run

EVENT = Event("0" * 32, "1", 0, "snippet", b"{}")


def test_a_skipped_event_is_dropped_as_skipped_as_in_a_real_pipeline():
    result = run(lambda event: Skip(), [EVENT])
    assert result.dropped == [(EVENT, "skipped")]
    assert result.emitted == result.rejected == []


def test_client_reports_are_added_up_by_reason():
    result = run(lambda event: Drop("client_report", {"cap": 3}), [EVENT, EVENT])
    assert result.client_reports == {"cap": 6}


def test_an_event_is_emitted_once_whatever_crashes_and_the_second_answer_is_stale():
    result = run(Emit, [EVENT, CRASH, DUPLICATE])
    assert result.emitted == [EVENT]
    assert result.stale == 1


def test_an_event_that_makes_the_stage_raise_is_rejected():
    result = run(lambda event: 1 / 0, [EVENT])
    assert result.rejected == [(EVENT, "ZeroDivisionError('division by zero')")]
