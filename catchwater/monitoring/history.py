"""What waited for each stage in the last hour, minute by minute, in memory: bounded. Pure."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from catchwater.monitoring.snapshot import StageStatus

MINUTES = 60


@dataclass(frozen=True, slots=True)
class Minute:
    """The most that waited for a stage in one minute, and for how long at most, in seconds."""

    depth: int = 0
    oldest_age_s: float = 0.0

    def most(self, other: Minute) -> Minute:
        return Minute(max(self.depth, other.depth), max(self.oldest_age_s, other.oldest_age_s))


NOTHING = Minute()


@dataclass(slots=True)
class History:
    """The last `length` steps of `step_s` seconds; `MINUTES` minutes unless said otherwise."""

    length: int = MINUTES
    step_s: float = 60.0
    _steps: deque[tuple[int, dict[str, Minute]]] = field(default_factory=deque)

    def add(self, at: float, stages: Iterable[StageStatus]) -> None:
        """A look at the time `at`, in seconds of a clock that only goes forward."""
        step = int(at // self.step_s)
        seen = {one.stage: Minute(one.depth, one.oldest_age_s) for one in stages}
        if self._steps and self._steps[-1][0] == step:
            before = self._steps.pop()[1]
            seen = {name: one.most(before.get(name, NOTHING)) for name, one in seen.items()}
        self._steps.append((step, seen))
        while self._steps[0][0] <= step - self.length:
            self._steps.popleft()

    def of(self, stage: str, at: float) -> list[Minute | None]:
        """Its steps until now, oldest first. None: nobody looked, or Redis was away."""
        known = {step: seen.get(stage) for step, seen in self._steps}
        now = int(at // self.step_s)
        return [known.get(step) for step in range(now - self.length + 1, now + 1)]
