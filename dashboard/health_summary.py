"""The pipeline's state in a few sentences: whether all is well, and if not, what to do. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from catchwater.monitoring import stuck
from dashboard.times import lasting

if TYPE_CHECKING:
    from catchwater.event import Json


@dataclass(frozen=True, slots=True)
class HealthSummary:
    """`state` is well, busy or wrong; `headline` says why; `advice` is what to look at, one
    sentence each.
    """

    state: str
    headline: str
    advice: list[str]


def summarise(found: Json) -> HealthSummary:
    stages, audit = found["stages"], found["audit"]
    advice = [_of_node(node, n) for node, n in found["away"].items()]
    advice += [sentence for stage in stages for sentence in _problems(stage)]
    advice += _audit_problems(audit)
    waiting = sum(stage["depth"] for stage in stages)
    oldest = max((stage["oldest_age_s"] for stage in stages), default=0.0)
    if advice:
        return HealthSummary("wrong", "Something needs a look.", advice)
    if waiting:
        what = "1 event is" if waiting == 1 else f"{waiting:,} events are"
        return HealthSummary("busy", f"{what} on the way, the oldest for {lasting(oldest)}.", [])
    return HealthSummary("well", "Nothing waits: every event that came is done with.", [])


def _of_node(node: str, partitions: int) -> str:
    return f"{partitions} partitions of {node} cannot be read: what is in them is not shown here."


def _problems(stage: Json) -> list[str]:
    name, found = stage["stage"], []
    why = stuck.reason(stage["oldest_age_s"], stage["consumers"], stage["rate"])
    if why == stuck.NO_CONSUMER:
        found.append(f"No consumer reads for {name}: start it ({_start(name)}).")
    elif why:
        waited = lasting(stage["oldest_age_s"])
        found.append(f"An event has waited {waited} for {name}: start more of it, or read its log.")
    if stage["dead"]:
        found.append(f"{name} gave up on {stage['dead']:,}: see catchwater dead list.")
    return found


def _start(stage: str) -> str:
    return "catchwater sink" if stage == "sink" else f"catchwater stage {stage}"


def _audit_problems(audit: Json) -> list[str]:
    if audit["stored"] is None:
        return ["MongoDB does not answer: what is counted waits in Redis until it does."]
    if audit["adds_up"]:
        return []
    if audit["missing"]:
        return [
            (
                f"The audit is off by {audit['missing']:,}: run catchwater audit, and please "
                f"report "
                f"what it says."
            )
        ]
    stored = stored_part(audit)
    return [f"MongoDB holds {stored}, and none is on the way: was it restored from a backup?"]


def stored_part(audit: Json) -> str:
    """What MongoDB has of what was counted: of the events, or where these agree, of the
    occurrences.
    """
    if audit["stored"] != audit["counted"]:
        return f"{audit['stored']:,} of {audit['counted']:,} counted events"
    return f"{audit['occurrences_stored']:,} of {audit['occurrences']:,} counted occurrences"
