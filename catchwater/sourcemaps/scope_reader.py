"""Asks another process which function a place of a source stands in.

A source may take its parser quadratic time, or crash it. So the parser has a process of its own,
which is killed when it does not answer in time.
"""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import threading
import weakref
from typing import TYPE_CHECKING, Any

import orjson

from catchwater.errors import SourceUnreadableError

if TYPE_CHECKING:
    from collections.abc import Callable

PATIENCE_S = 5.0
"""Seconds for one source by the clock. The process itself ends after far fewer seconds of CPU, by
how long the source is; this is for a process that stands still.
"""

START_S = 10.0
"""Seconds until a new process answers for the first time."""

LONGEST_ANSWER = 4096

MOST_SENT = 10_000
"""Keys of sources that are remembered as sent."""


class ScopeReader:
    """One per process; threads take turns. Its process is started at the first question."""

    def __init__(self, patience_s: float = PATIENCE_S) -> None:
        self._patience_s = patience_s
        self._line: socket.socket | None = None
        self._end: weakref.finalize[Any, ScopeReader] | None = None
        self._sent: set[str] = set()
        self._lock = threading.Lock()

    def function_at(
        self, key: str, source: Callable[[], bytes], row: int, column: int, *, typescript: bool
    ) -> str:
        """As `Scopes.function_at` says it. `key` names the source, whose bytes are fetched only
        when the process does not know it.

        Raises SourceUnreadableError when the process dies of it, or takes too long.
        """
        question = {"key": key, "row": row, "column": column, "typescript": typescript}
        with self._lock:
            if self._line is None:
                self._start()
            found = self._asked(question, None) if key in self._sent else None
            if found is None:
                found = self._asked(question, source())
                self._remember(key)
            return str(found)

    def close(self) -> None:
        """End the process. The next question starts another one."""
        if self._end:
            self._end()
        if self._line:
            self._line.close()
        self._line = None
        self._sent.clear()

    def _remember(self, key: str) -> None:
        if len(self._sent) >= MOST_SENT:  # the process says so itself where it does not know one
            self._sent.clear()
        self._sent.add(key)

    def _start(self) -> None:
        self._line, theirs = socket.socketpair()
        question = {"key": "", "row": 0, "column": 0, "typescript": False}
        try:
            with theirs:
                process = _started(theirs.fileno())
            self._end = weakref.finalize(self, _ended, process, self._line)
            self._asked(question, b"", START_S)
        except (OSError, SourceUnreadableError) as error:
            self.close()
            why = f"the parser cannot be started: {error}"
            raise SourceUnreadableError(why, of_source=False) from error

    def _asked(
        self, question: dict[str, Any], source: bytes | None, seconds: float | None = None
    ) -> str | None:
        assert self._line is not None
        length = None if source is None else len(source)
        self._line.settimeout(seconds or self._patience_s)
        try:
            self._line.sendall(orjson.dumps(question | {"length": length}) + b"\n")
            if source is not None:
                self._line.sendall(source)
            answer: str | None = orjson.loads(self._answer())
        except (OSError, orjson.JSONDecodeError) as error:
            self.close()
            raise SourceUnreadableError(str(error) or type(error).__name__) from error
        return answer

    def _answer(self) -> bytes:
        assert self._line is not None
        answer = b""
        while not answer.endswith(b"\n"):
            part = self._line.recv(LONGEST_ANSWER)
            if not part or len(answer) > LONGEST_ANSWER:
                raise ConnectionError("the parser's process has ended")
            answer += part
        return answer


def _started(line: int) -> subprocess.Popen[bytes]:
    """Without our settings: it needs no password, and what it reads may be hostile."""
    environment = {name: text for name, text in os.environ.items() if name[:11] != "CATCHWATER_"}
    return subprocess.Popen(
        [sys.executable, "-m", "catchwater.sourcemaps.scope_process"],
        stdin=line,
        stdout=line,
        stderr=subprocess.DEVNULL,
        env=environment,
    )


def _ended(process: subprocess.Popen[bytes], line: socket.socket) -> None:
    line.close()
    process.kill()
    process.wait()
