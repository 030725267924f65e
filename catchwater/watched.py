"""A file that is read again when it changes: its readers never restart for it."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Generic, TypeVar

import structlog

from catchwater.mistakes import Mistaken

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

log = structlog.get_logger()

T = TypeVar("T")

LOOK_EVERY = 2.0
"""Seconds between looks at a file's time."""


class Watched(Generic[T]):
    """What is in a file, read again when the file changes. A mistake in it keeps what was read before."""

    def __init__(self, path: Path, load: Callable[[Path], T]) -> None:
        """Raises Mistaken when the file is wrong from the beginning."""
        self._path = path
        self._load = load
        self._stamp = self._look()
        self._value = load(path)
        self._next = time.monotonic() + LOOK_EVERY

    def get(self) -> T:
        if time.monotonic() >= self._next:
            self._next = time.monotonic() + LOOK_EVERY
            self._refresh()
        return self._value

    def _refresh(self) -> None:
        stamp = self._look()
        if stamp == self._stamp:
            return
        self._stamp = stamp
        try:
            self._value = self._load(self._path)
            log.info("read again", file=str(self._path))
        except Mistaken as error:
            log.warning("a changed file is wrong; what was read before stays in force", why=str(error))

    def _look(self) -> tuple[int, int]:
        try:
            found = self._path.stat()
        except OSError:
            return 0, 0
        return found.st_mtime_ns, found.st_ino
