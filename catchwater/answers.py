"""What a stage may answer for an event. A stage declares state; the commit does it (see commit.lua)."""

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

    `n` is how many occurrences the event stands for (at least 1). `tags` are counted by value, with a
    bound on distinct values. `user` identifies who was affected, hashed into a HyperLogLog register.
    `about` is what the issue's page needs and does not change from event to event (title, culprit, level).
    `names` is what else the issue is called; it remembers all it was ever called.
    """

    issue: str
    n: int = 1
    user: str = ""
    tags: Mapping[str, str] = field(default_factory=dict)
    about: Json = field(default_factory=dict)
    names: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class Emit:
    """Pass `event` on. With `once`, only if that mark was not met within the stage's `once_for`; with
    `tally`, count it, and let it ride on whole only while the stage's bound on samples allows.
    """

    event: Event
    once: str = ""
    tally: Tally | None = None


@dataclass(frozen=True, slots=True)
class Drop:
    """Finished here, on purpose; counted under `reason` (a short name of a bounded set).

    `losses` is what a client says in this event that it left out itself, by reason (of a bounded set, too).
    """

    reason: str
    losses: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Reject:
    """Never will work: to the dead letters, with `why` (a sentence for the person who reads them)."""

    why: str


@dataclass(frozen=True, slots=True)
class Stored:
    """Written where it belongs, for good. The sink's answer."""


Answer = Emit | Drop | Reject | Stored
Stage = Callable[[Event], Answer]
