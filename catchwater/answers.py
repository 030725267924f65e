"""What a stage may answer for an event.

A stage declares state; the commit does it (see commit.lua).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from catchwater.event import Event, Json

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


@dataclass(frozen=True, slots=True)
class Tally:
    """Count this event under `issue`, absolutely, per hour and month of `received`.

    `n` is how many occurrences the event stands for (at least 1). `tags` are counted by value, with
    a bound on distinct values. `user` identifies who was affected, hashed into a HyperLogLog
    register. `about` is what the issue's page needs and does not change from event to event
    (message, culprit, level); what every issue has, such as its `count`, is left out of it. `names`
    is what else the issue is called; it remembers all it was ever called.
    """

    issue: str
    n: int = 1
    user: str = ""
    tags: Mapping[str, str] = field(default_factory=dict)
    about: Json = field(default_factory=dict)
    names: Sequence[str] = ()

    @classmethod
    def from_facts(cls, facts: Json) -> Tally:
        """The tally in an event's facts. Raises TypeError without an `issue`.

        What this version does not know is left out: a stage of the next version may have added it.
        """
        return cls(**{name: value for name, value in facts.items() if name in cls.__slots__})


@dataclass(frozen=True, slots=True)
class Emit:
    """Pass `event` on.

    With `once`, only if that mark was not met within the stage's `once_for`. With `tally`, it is
    counted, and the event itself goes on only while the stage's limit on samples allows.
    """

    event: Event
    once: str = ""
    tally: Tally | None = None


@dataclass(frozen=True, slots=True)
class Drop:
    """Finished here, on purpose; counted under `reason` (a short name from a bounded set).

    `client_reports` is for an event that is a client report: how many errors the client discarded
    itself, by reason. With `once`, it is a duplicate if that mark was met within the stage's
    `once_for`.
    """

    reason: str
    client_reports: Mapping[str, int] = field(default_factory=dict)
    once: str = ""


@dataclass(frozen=True, slots=True)
class Reject:
    """Never will work: goes to the dead letters with `why`, a sentence for whoever reads them."""

    why: str


@dataclass(frozen=True, slots=True)
class Skip:
    """Not this stage's event: acknowledged, and nothing else happens.

    The loop uses it for an event that was replayed for another stage that reads the same stream.
    From a stage's own function it counts as dropped, with the reason `skipped`: the audit must
    account for every event that ends.
    """


@dataclass(frozen=True, slots=True)
class Stored:
    """Written to MongoDB for good. Only the sink uses it."""


@dataclass(frozen=True, slots=True)
class Move:
    """Goes to the partition that its id belongs to, where its mark is. Only the loop uses it."""

    event: Event


Answer = Emit | Drop | Reject | Skip | Stored | Move
StageFunction = Callable[[Event], Answer]
