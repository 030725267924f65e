"""The same event sent or delivered again ends here."""

from __future__ import annotations

from catchwater import Emit, Event, stage


@stage(handles_client_reports=True, reads_body=False)
def dedupe(event: Event) -> Emit:
    """Pass each event id of a project on once within the stage's `once_for`.

    The first copy wins.
    """
    return Emit(event, once=event.mark)
