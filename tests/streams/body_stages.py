"""A stage of the tests that looks into bodies, as a plain function does until it says otherwise."""

from __future__ import annotations

from catchwater import Emit, Event


def reads(event: Event) -> Emit:
    return Emit(event)
