"""Asks another process which functions a source has.

A source may take its parser quadratic time, or crash it. So the parser has a process of its own,
which is killed when it does not answer in time.
"""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import weakref
from typing import TYPE_CHECKING, Any

import orjson

from catchwater.errors import SourceUnreadableError
from catchwater.sourcemaps.function_index import FunctionTable

if TYPE_CHECKING:
    from io import BufferedReader

PATIENCE_S = 30.0
"""Seconds for one source by the clock. The process itself ends after far fewer seconds of CPU, by
how long the source is; this is for a process that stands still.
"""

START_S = 10.0
"""Seconds until a new process answers for the first time."""

LONGEST_ANSWER = 64 * 2**20


class ScopeReader:
    """Its process is started at the first question. To be used by one thread, and closed."""

    def __init__(self, patience_s: float = PATIENCE_S) -> None:
        self._patience_s = patience_s
        self._line: socket.socket | None = None
        self._answers: BufferedReader | None = None
        self._end: weakref.finalize[Any, ScopeReader] | None = None

    def read(self, source: bytes, file: str) -> FunctionTable | None:
        """As `scopes.read_functions` says it.

        Raises SourceUnreadableError when the process dies of it, or takes too long.
        """
        if self._line is None:
            self._start()
        found = self._asked(source, file, self._patience_s)
        return None if found is None else FunctionTable.from_json(found)

    def close(self) -> None:
        """End the process. The next question starts another one."""
        if self._end:
            self._end()
        if self._answers:
            self._answers.close()
        if self._line:
            self._line.close()
        self._line = self._answers = None

    def _start(self) -> None:
        self._line, theirs = socket.socketpair()
        self._answers = self._line.makefile("rb")
        try:
            with theirs:
                process = _started(theirs.fileno())
            self._end = weakref.finalize(self, _ended, process, self._line)
            self._asked(b"", "", START_S)
        except (OSError, SourceUnreadableError) as error:
            self.close()
            why = f"the parser cannot be started: {error}"
            raise SourceUnreadableError(why, of_source=False) from error

    def _asked(self, source: bytes, file: str, seconds: float) -> dict[str, Any] | None:
        assert self._line is not None
        assert self._answers is not None
        self._line.settimeout(seconds)
        try:
            self._line.sendall(orjson.dumps({"file": file, "length": len(source)}) + b"\n" + source)
            answer = self._answers.readline(LONGEST_ANSWER)
            if not answer.endswith(b"\n"):
                raise ConnectionError("the parser's process has ended")
            found: dict[str, Any] | None = orjson.loads(answer)
        except (OSError, orjson.JSONDecodeError) as error:
            self.close()
            raise SourceUnreadableError(str(error) or type(error).__name__) from error
        return found


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
