"""A file that is read again when it changes: its readers never restart for it."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Generic, TypeVar

import structlog

from catchwater.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

log = structlog.get_logger()

T = TypeVar("T")

LOOK_EVERY_S = 2.0
"""Seconds between two looks at a file's time."""


class Reloading(Generic[T]):
    """What is in a file, read again when the file changes.

    While the file is wrong or missing, what was read before stays in force.
    """

    def __init__(
        self,
        path: Path,
        load: Callable[[Path], T],
        *,
        initial: T | None = None,
        look_every_s: float | None = None,
    ) -> None:
        """Raises ConfigError when the file is wrong from the beginning.

        With `initial` it does not: that is in force until the file can be read.
        """
        self._path = path
        self._load = load
        self._every_s = look_every_s
        self._stamp = self._look()
        self._value = load(path) if initial is None else self._loaded(initial)
        self._look_at = self._next_look()

    def get(self) -> T:
        """What the file said when it could be read last."""
        if time.monotonic() >= self._look_at:
            self._look_at = self._next_look()
            self._refresh()
        return self._value

    def _refresh(self) -> None:
        stamp = self._look()
        if stamp != self._stamp:
            self._stamp = stamp
            self._value = self._loaded(self._value)

    def _loaded(self, otherwise: T) -> T:
        try:
            value = self._load(self._path)
        except ConfigError as error:
            log.warning("a file is wrong; what was read before stays in force", why=str(error))
            return otherwise
        log.info("read a file", file=str(self._path))
        return value

    def _next_look(self) -> float:
        return time.monotonic() + (LOOK_EVERY_S if self._every_s is None else self._every_s)

    def _look(self) -> tuple[int, int]:
        try:
            found = self._path.stat()
        except OSError:
            return 0, 0
        return found.st_mtime_ns, found.st_ino
