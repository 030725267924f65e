"""Things that are held in memory as long as they are used and there is room."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Hashable
from typing import Generic, TypeVar

T = TypeVar("T")


class Held(Generic[T]):
    """What was used last, within a bound on weight. What is heavier than the bound alone is not held at all."""

    def __init__(self, bound: int) -> None:
        self.bound = bound
        self.weight = 0
        self._held: OrderedDict[Hashable, tuple[T, int]] = OrderedDict()

    def __len__(self) -> int:
        return len(self._held)

    def get(self, key: Hashable) -> T | None:
        found = self._held.get(key)
        if found is None:
            return None
        self._held.move_to_end(key)
        return found[0]

    def keep(self, key: Hashable, value: T, weight: int = 1) -> None:
        """Hold `value`; what was not used for longest goes."""
        self._drop(key)
        if weight > self.bound:
            return
        self.make_room(weight)
        self._held[key] = (value, weight)
        self.weight += weight

    def make_room(self, weight: int) -> None:
        """Let go until so much fits in."""
        while self._held and self.weight + weight > self.bound:
            self._drop(next(iter(self._held)))

    def clear(self) -> None:
        self._held.clear()
        self.weight = 0

    def _drop(self, key: Hashable) -> None:
        if key in self._held:
            self.weight -= self._held.pop(key)[1]
