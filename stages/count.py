"""Absolute counters for each issue; a bounded share of its events rides on as samples. What pages left out themselves
is counted beside them: behind dedupe, so once as well.
"""

from __future__ import annotations

from catchwater.answers import Drop, Emit, Tally
from catchwater.event import LOSSES, Event

TAKES_LOSSES = True


def count(event: Event) -> Emit | Drop:
    """Count the event under the issue that the fingerprint stage named."""
    if event.kind == LOSSES:
        return Drop("told_losses", event.facts)
    return Emit(event, tally=Tally(**event.facts))
