"""What a stage needs: events, answers, and the decorator that declares what else a stage has."""

from catchwater.answers import Answer, Drop, Emit, Reject, Skip, Tally
from catchwater.event import Event
from catchwater.stage import StageEnvironment, stage

__all__ = [
    "Answer",
    "Drop",
    "Emit",
    "Event",
    "Reject",
    "Skip",
    "StageEnvironment",
    "Tally",
    "stage",
]
