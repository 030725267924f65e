"""The pipeline's state in a few sentences: whether all is well, and if not, what to do. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from dashboard.moments import lasting

if TYPE_CHECKING:
    from catchwater.event import Json

OLD = 60.0
"""Seconds an event may wait before the page worries."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """`mood` is well, busy or wrong; `headline` says why; `advice` is what to look at, one sentence each."""

    mood: str
    headline: str
    advice: list[str]


def verdict(found: Json) -> Verdict:
    stages, audit = found["stages"], found["audit"]
    advice = [sentence for stage in stages for sentence in _troubles(stage)]
    advice += _doubts(audit)
    waiting = sum(stage["depth"] for stage in stages)
    oldest = max((stage["oldest_age_s"] for stage in stages), default=0.0)
    if advice:
        return Verdict("wrong", "Something needs a look.", advice)
    if waiting:
        what = "1 event is" if waiting == 1 else f"{waiting:,} events are"
        return Verdict("busy", f"{what} on the way, the oldest for {lasting(oldest)}.", [])
    return Verdict("well", "Nothing waits: every event that came is done with.", [])


def _troubles(stage: Json) -> list[str]:
    name, found = stage["stage"], []
    if not stage["consumers"]:
        found.append(f"Nobody works at {name}: start it ({_start(name)}).")
    elif stage["oldest_age_s"] > OLD:
        waited = lasting(stage["oldest_age_s"])
        found.append(f"An event has waited {waited} for {name}: start more of it, or read its log.")
    if stage["dead"]:
        found.append(f"{name} gave up on {stage['dead']:,}: see catchwater dead list.")
    return found


def _start(stage: str) -> str:
    return "catchwater sink" if stage == "sink" else f"catchwater stage {stage}"


def _doubts(audit: Json) -> list[str]:
    if audit["stored"] is None:
        return ["MongoDB does not answer: what is counted waits in Redis until it does."]
    if audit["adds_up"]:
        return []
    if audit["missing"]:
        return [f"The audit is off by {audit['missing']:,}: run catchwater audit, and please report what it says."]
    return [f"MongoDB holds {held(audit)}, and none is on the way: was it restored from a backup?"]


def held(audit: Json) -> str:
    """What MongoDB has of what was counted: of the events, or where these agree, of the occurrences."""
    if audit["stored"] != audit["counted"]:
        return f"{audit['stored']:,} of {audit['counted']:,} counted events"
    return f"{audit['occurrences_stored']:,} of {audit['occurrences']:,} counted occurrences"
