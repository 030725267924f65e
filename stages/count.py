"""Absolute counters for each issue; a bounded share of its events rides on as samples."""

from __future__ import annotations

from catchwater.answers import Emit, Tally
from catchwater.event import Event


def count(event: Event) -> Emit:
    """Count the event under the issue that the fingerprint stage named."""
    return Emit(event, tally=Tally(**event.facts))
