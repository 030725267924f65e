"""Keeps the processes of one box alive: starts them, restarts what dies with back-off, ends them in order."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from catchwater.embedded import die_with_parent

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from pathlib import Path
    from threading import Event as Flag

FIRST_WAIT = 0.1
LONGEST_WAIT = 15.0
"""Seconds before a process that died is started again: doubled each time, up to the longest."""

SETTLED = 10.0
"""Seconds a process must have lived for its next death to count as the first one."""

GRACE = 20.0
"""Seconds a process has to end after SIGTERM, before SIGKILL."""


class StartTrouble(Exception):  # noqa: N818 - the sentence is what matters
    """A process does not come up. The message says why."""


@dataclass
class Piece:
    """One process: how it is started, and how to tell that it is at work."""

    name: str
    command: list[str]
    ready: Callable[[], bool]
    environment: dict[str, str] = field(default_factory=dict)
    explain: Callable[[int], str] | None = None
    """Says in a sentence why it ended with that code, where more is known than its log."""
    process: subprocess.Popen[bytes] | None = None
    deaths: int = 0
    started: float = 0.0
    start_at: float = 0.0


class Supervisor:
    """The pieces of one box, each with a pid file and a log of its own."""

    def __init__(self, folder: Path, say: Callable[[str], None]) -> None:
        """`say` tells the operator what happens."""
        self.pieces: list[Piece] = []
        self._pids = folder / "run"
        self._logs = folder / "log"
        self._say = say
        for made in (self._pids, self._logs):
            made.mkdir(parents=True, exist_ok=True)
        for stale in self._pids.glob("*.pid"):
            stale.unlink()

    def start(self, pieces: Iterable[Piece], patience: float, stopping: Flag) -> None:
        """Start these and wait until all are at work. Raises StartTrouble."""
        fresh = list(pieces)
        self.pieces += fresh
        for piece in fresh:
            self._rotate(piece)
            self._spawn(piece)
        for piece in fresh:
            self._await(piece, time.monotonic() + patience, stopping)

    def watch(self, stopping: Flag) -> None:
        """Restart what dies, until the stop."""
        while not stopping.wait(0.05):
            for piece in self.pieces:
                self._tend(piece)

    def end(self, pieces: Iterable[Piece]) -> None:
        """Ask these to end, all at once, and insist after a while."""
        ending = [piece for piece in pieces if piece.process and piece.process.poll() is None]
        for piece in ending:
            assert piece.process
            piece.process.send_signal(signal.SIGTERM)
        deadline = time.monotonic() + GRACE
        for piece in ending:
            self._wait_for(piece, deadline)

    def pid_file(self, name: str) -> Path:
        return self._pids / f"{name}.pid"

    def log_file(self, name: str) -> Path:
        return self._logs / f"{name}.log"

    def _spawn(self, piece: Piece) -> None:
        with self.log_file(piece.name).open("ab") as log:
            piece.process = subprocess.Popen(  # noqa: S603 - our own command lines
                piece.command,
                env=os.environ | piece.environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
                preexec_fn=die_with_parent,  # noqa: PLW1509 - called from the main thread, and no other holds a lock
            )
        piece.started = time.monotonic()
        piece.start_at = 0.0
        fresh = self.pid_file(piece.name).with_suffix(".new")
        fresh.write_text(f"{piece.process.pid}\n")
        fresh.replace(self.pid_file(piece.name))

    def _await(self, piece: Piece, deadline: float, stopping: Flag) -> None:
        while not piece.ready() and not stopping.is_set():
            assert piece.process
            if piece.process.poll() is not None:
                raise StartTrouble(self._why(piece, piece.process.returncode))
            if time.monotonic() > deadline:
                raise StartTrouble(f"{piece.name} does not get to work; its log is {self.log_file(piece.name)}")
            time.sleep(0.03)

    def _tend(self, piece: Piece) -> None:
        assert piece.process
        if piece.process.poll() is None:
            return
        now = time.monotonic()
        if not piece.start_at:
            piece.deaths = 0 if now - piece.started > SETTLED else piece.deaths + 1
            wait = min(LONGEST_WAIT, FIRST_WAIT * 2**piece.deaths)
            piece.start_at = now + wait
            self._say(f"{piece.name} ended with code {piece.process.returncode}; it starts again in {wait:.1f} s")
        if now >= piece.start_at:
            self._spawn(piece)

    def _wait_for(self, piece: Piece, deadline: float) -> None:
        assert piece.process
        try:
            piece.process.wait(max(0.1, deadline - time.monotonic()))
        except subprocess.TimeoutExpired:
            self._say(f"{piece.name} does not end; it is killed")
            piece.process.kill()
            piece.process.wait()
        self.pid_file(piece.name).unlink(missing_ok=True)

    def _why(self, piece: Piece, code: int) -> str:
        if piece.explain:
            return piece.explain(code)
        tail = self.log_file(piece.name).read_text(errors="replace").strip().splitlines()[-8:]
        return f"{piece.name} ended with code {code}:\n" + "\n".join(tail)

    def _rotate(self, piece: Piece) -> None:
        """One old log is kept: a folder that is started again and again stays small."""
        log = self.log_file(piece.name)
        if log.exists():
            log.replace(log.with_suffix(".log.old"))


def catchwater(*arguments: str) -> list[str]:
    """The command line of one of our own processes."""
    return [sys.executable, "-m", "catchwater.cli", *arguments]
