"""Absolute counters for each issue; a bounded share of its events rides on as samples.

Client reports, the errors that pages discarded themselves, end here: behind dedupe, so each is
counted once.
"""

from __future__ import annotations

from catchwater import Drop, Emit, Event, Tally, stage
from catchwater.event import CLIENT_REPORT


@stage(handles_client_reports=True, reads_body=False)
def count(event: Event) -> Emit | Drop:
    """Count the event under the issue that the fingerprint stage named."""
    if event.kind == CLIENT_REPORT:
        return Drop("client_report", event.facts)
    return Emit(event, tally=Tally.from_facts(event.facts))
