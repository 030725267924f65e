"""Wait for a condition, never for a time."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable

T = TypeVar("T")


def wait_until(condition: Callable[[], T], description: str, timeout: float = 20.0) -> T:
    """Returns what `condition` returns, as soon as that is true.

    Fails with `description` after `timeout` seconds.
    """
    deadline = time.monotonic() + timeout
    while not (found := condition()):
        assert time.monotonic() < deadline, f"waited {timeout:g} s in vain until {description}"
        time.sleep(0.01)  # the one place where a test sleeps
    return found
