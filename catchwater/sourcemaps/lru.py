"""A cache in memory with a bound on the weight of what is in it."""

from __future__ import annotations

from collections import OrderedDict
from typing import TYPE_CHECKING, Generic, TypeVar

if TYPE_CHECKING:
    from collections.abc import Hashable

T = TypeVar("T")


class LruCache(Generic[T]):
    """The values that were used last, within a bound on their weight.

    A value that is heavier than the bound is not stored.
    """

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

    def put(self, key: Hashable, value: T, weight: int = 1) -> None:
        """Hold `value`; what was not used for longest goes."""
        self._drop(key)
        if weight > self.bound:
            return
        self.make_room(weight)
        self._held[key] = (value, weight)
        self.weight += weight

    def make_room(self, weight: int) -> None:
        """Drop values until so much fits in."""
        while self._held and self.weight + weight > self.bound:
            self._drop(next(iter(self._held)))

    def clear(self) -> None:
        self._held.clear()
        self.weight = 0

    def _drop(self, key: Hashable) -> None:
        if key in self._held:
            self.weight -= self._held.pop(key)[1]
