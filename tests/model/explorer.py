"""A small explicit-state model checker: it visits every state that atomic steps can reach."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Hashable, Iterable
from typing import TypeVar

S = TypeVar("S", bound=Hashable)


def explore(
    start: S, steps: Callable[[S], Iterable[S]], at_rest: Callable[[S], bool]
) -> tuple[int, set[S]]:
    """Returns how many states there are, and the final ones, in which nothing is left to do."""
    seen, ahead, final = {start}, deque([start]), set()
    while ahead:
        state = ahead.popleft()
        if at_rest(state):
            final.add(state)
        for following in steps(state):
            if following not in seen:
                seen.add(following)
                ahead.append(following)
    return len(seen), final
