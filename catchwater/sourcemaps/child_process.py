"""A process of its own for what a hostile file may do to its parser: take it all the time or memory
there is, or crash it. Its memory and its time of CPU are limited, and nothing else dies of it.

A question is a line of JSON and `length` bytes behind it; so is an answer.
"""

from __future__ import annotations

import os
import resource
import signal
import socket
import subprocess
import sys
import time
import weakref
from typing import TYPE_CHECKING, Any

import orjson

from catchwater.errors import SourceUnreadableError

if TYPE_CHECKING:
    from collections.abc import Callable
    from io import BufferedReader
    from typing import BinaryIO

    Answer = tuple[dict[str, Any], bytes]

START_S = 10.0
"""Seconds until a new process answers for the first time."""

LONGEST_LINE = 64 * 2**20

MEMORY = 1200 * 2**20
"""Bytes of address space: Python and the parsers take 150 MB of it; the tree of a source of 1.5 MB
24 MB, and what is found in one that is all functions 600 MB; a real map of 64 MB takes 600 MB.
"""


class Child:
    """Started at the first question. To be used by one thread, and closed.

    `spent`: seconds of CPU that its answers have taken, and those of its own children. One that
    died of a question has taken all that it may.
    """

    def __init__(self, module: str, patience_s: float) -> None:
        """`patience_s`: seconds by the clock that an answer may take. The process itself ends
        after far fewer seconds of CPU; this is for one that stands still.
        """
        self._module = module
        self._patience_s = patience_s
        self._line: socket.socket | None = None
        self._answers: BufferedReader | None = None
        self._end: weakref.finalize[Any, Child] | None = None
        self.spent = 0.0

    def ask(self, question: dict[str, Any], body: bytes = b"", limit_s: float = 0.0) -> Answer:
        """`limit_s`: seconds of CPU that the answer may take.

        Raises SourceUnreadableError when the process dies of it, or takes too long.
        """
        if self._line is None:
            self._start()
        try:
            told, found = self._asked(question | {"limit": limit_s}, body, self._patience_s)
        except SourceUnreadableError:
            self.spent += limit_s
            raise
        self.spent += told.get("cpu", 0.0)
        return told, found

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
                process = _started(self._module, theirs.fileno())
            self._end = weakref.finalize(self, _ended, process, self._line)
            self._asked({}, b"", START_S)
        except (OSError, SourceUnreadableError) as error:
            self.close()
            why = f"the parser cannot be started: {error}"
            raise SourceUnreadableError(why, of_source=False) from error

    def _asked(self, question: dict[str, Any], body: bytes, seconds: float) -> Answer:
        assert self._line is not None
        assert self._answers is not None
        self._line.settimeout(seconds)
        try:
            self._line.sendall(orjson.dumps(question | {"length": len(body)}) + b"\n")
            self._line.sendall(body)
            return _answer(self._answers)
        except (OSError, orjson.JSONDecodeError) as error:
            self.close()
            raise SourceUnreadableError(str(error) or type(error).__name__) from error
        except BaseException:  # interrupted: the next question must not get this answer
            self.close()
            raise


def serve(
    answer: Callable[[dict[str, Any], bytes], Answer], questions: BinaryIO, answers: BinaryIO
) -> None:
    """In the process: until nobody asks any more, or an answer takes too long. SIGPROF ends the
    process then. An empty question is asked to see whether it is there.
    """
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    while line := questions.readline():
        question = orjson.loads(line)
        body = questions.read(question["length"])
        signal.setitimer(signal.ITIMER_PROF, question.get("limit", 0.0))
        started = time.process_time()
        told, found = answer(question, body) if "limit" in question else ({}, b"")
        told["cpu"] = told.get("cpu", 0.0) + time.process_time() - started
        signal.setitimer(signal.ITIMER_PROF, 0)
        answers.write(orjson.dumps(told | {"length": len(found)}) + b"\n")
        answers.write(found)
        answers.flush()


def _answer(answers: BufferedReader) -> Answer:
    """Raises ConnectionError where there is none to come."""
    line = answers.readline(LONGEST_LINE)
    if line.endswith(b"\n"):
        told: dict[str, Any] = orjson.loads(line)
        found = answers.read(told["length"])
        if len(found) == told["length"]:
            return told, found
    raise ConnectionError("the parser's process has ended")


def _started(module: str, line: int) -> subprocess.Popen[bytes]:
    """Without our settings: it needs no password, and what it reads may be hostile."""
    environment = {name: text for name, text in os.environ.items() if name[:11] != "CATCHWATER_"}
    return subprocess.Popen(  # noqa: S603 - one of our own modules
        [sys.executable, "-m", module],
        stdin=line,
        stdout=line,
        stderr=subprocess.DEVNULL,
        env=environment,
    )


def _ended(process: subprocess.Popen[bytes], line: socket.socket) -> None:
    line.close()
    process.kill()
    process.wait()
