"""Runs the processes of one machine: starts them, restarts them with back-off, stops them in order.

It must outlive everything that it runs. So nothing that it notes down (pid files, logs, what it
says) can end it: on a full disk that is left out, and made up for when there is room.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from catchwater.errors import ProcessStartError
from catchwater.local import forking
from catchwater.local.forking import ForkedProcess
from catchwater.local.servers import die_with_parent

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from pathlib import Path
    from threading import Event as Flag

FIRST_WAIT_S = 0.1
LONGEST_WAIT_S = 15.0
"""Before a process that died is started again: doubled each time, up to the longest."""

SETTLED_S = 10.0
"""How long a process must have run for its next death to count as the first one."""

GRACE_S = 20.0
"""How long a process may take to end after SIGTERM, before SIGKILL."""


@dataclass
class ManagedProcess:
    """One process: its command line, and how to find out whether it is ready."""

    name: str
    command: list[str]
    """Of any program; or only its arguments where it is `ours`, a command of Catchwater's."""
    ready: Callable[[], bool]
    environment: dict[str, str] = field(default_factory=dict)
    inherits: tuple[int, ...] = ()
    """File descriptors that it shares with the supervisor."""
    explain: Callable[[int], str] | None = None
    """Says in a sentence why it ended with that code, where more is known than its log."""
    ours: bool = False
    popen: subprocess.Popen[bytes] | ForkedProcess | None = None
    deaths: int = 0
    started: float = 0.0
    start_at: float = 0.0
    pid_noted: bool = False

    @property
    def running(self) -> bool:
        return self.popen is not None and self.popen.poll() is None

    @property
    def exit_code(self) -> int | None:
        """None while it runs, or where it could not be started."""
        return self.popen.returncode if self.popen else None


class Supervisor:
    """The processes of one machine, each with a pid file and a log of its own."""

    def __init__(self, folder: Path, say: Callable[[str], None]) -> None:
        """`say` writes a line for the operator."""
        self.processes: list[ManagedProcess] = []
        self._pids = folder / "run"
        self._logs = folder / "log"
        self._write = say
        for subfolder in (self._pids, self._logs):
            subfolder.mkdir(parents=True, exist_ok=True)
        for stale in self._pids.glob("*.pid"):
            stale.unlink()

    def start(
        self,
        processes: Iterable[ManagedProcess],
        timeout_s: float,
        stopping: Flag,
        meanwhile: Callable[[], None] = lambda: None,
    ) -> None:
        """Start these and wait until all are ready. Raises ProcessStartError.

        `meanwhile` is done while they get ready.
        """
        new = list(processes)
        self.processes += new
        for process in new:
            self._rotate_log(process)
            self._spawn(process)
        meanwhile()
        for process in new:
            self._await(process, time.monotonic() + timeout_s, stopping)

    def watch(self, stopping: Flag, chore: Callable[[], None] = lambda: None) -> None:
        """Restart what dies, until the stop. `chore` is done at each look, 20 times a second."""
        while not stopping.wait(0.05):
            for process in self.processes:
                self._tend(process)
            chore()

    def stop(self, processes: Iterable[ManagedProcess]) -> None:
        """Stop these, all at once; kill those that have not ended after a while."""
        running = [process for process in processes if process.running]
        for process in running:
            assert process.popen
            process.popen.send_signal(signal.SIGTERM)
        deadline = time.monotonic() + GRACE_S
        for process in running:
            self._wait_for(process, deadline)

    def pid_file(self, name: str) -> Path:
        return self._pids / f"{name}.pid"

    def log_file(self, name: str) -> Path:
        return self._logs / f"{name}.log"

    def _spawn(self, process: ManagedProcess) -> None:
        process.started = time.monotonic()
        process.start_at = 0.0
        process.pid_noted = False
        log = self._open_log(process)
        try:
            process.popen = _started(process, log)
        finally:
            os.close(log)
        self._note_pid(process)

    def _open_log(self, process: ManagedProcess) -> int:
        """The log's file descriptor, or that of nowhere where it cannot be written."""
        try:
            return os.open(self.log_file(process.name), os.O_WRONLY | os.O_APPEND | os.O_CREAT)
        except OSError as error:
            self._say(f"{process.name} runs without a log: {error.strerror}")
            return os.open(os.devnull, os.O_WRONLY)

    def _note_pid(self, process: ManagedProcess) -> None:
        assert process.popen
        new = self.pid_file(process.name).with_suffix(".new")
        try:
            new.write_text(f"{process.popen.pid}\n")
            new.replace(self.pid_file(process.name))
        except OSError:
            return  # tried again at each look
        process.pid_noted = True

    def _await(self, process: ManagedProcess, deadline: float, stopping: Flag) -> None:
        while not process.ready() and not stopping.is_set():
            assert process.popen
            if (code := process.popen.poll()) is not None:
                raise ProcessStartError(self._why(process, code))
            if time.monotonic() > deadline:
                raise ProcessStartError(
                    f"{process.name} does not get ready; its log is {self.log_file(process.name)}"
                )
            time.sleep(0.03)

    def _tend(self, process: ManagedProcess) -> None:
        if process.running:
            if not process.pid_noted:
                self._note_pid(process)
            return
        now = time.monotonic()
        if not process.start_at:
            self._schedule(process, now)
        if now >= process.start_at:
            self._restart(process, now)

    def _restart(self, process: ManagedProcess, now: float) -> None:
        try:
            self._spawn(process)
        except OSError as error:  # no memory, no process ids: the next look tries again
            process.popen = None
            self._schedule(process, now)
            self._say(f"{process.name} cannot be started: {error.strerror}")

    def _schedule(self, process: ManagedProcess, now: float) -> None:
        """Decide when the process is started again, and say so."""
        process.deaths = 0 if now - process.started > SETTLED_S else process.deaths + 1
        wait_s = min(LONGEST_WAIT_S, FIRST_WAIT_S * 2.0 ** min(process.deaths, 30))
        process.start_at = now + wait_s
        self._say(
            f"{process.name} ended with code {process.exit_code}; it starts again in {wait_s:.1f} s"
        )

    def _wait_for(self, process: ManagedProcess, deadline: float) -> None:
        assert process.popen
        try:
            process.popen.wait(max(0.1, deadline - time.monotonic()))
        except subprocess.TimeoutExpired:
            self._say(f"{process.name} does not end; it is killed")
            process.popen.kill()
            process.popen.wait()
        self.pid_file(process.name).unlink(missing_ok=True)

    def _why(self, process: ManagedProcess, code: int) -> str:
        if process.explain:
            return process.explain(code)
        tail = self.log_file(process.name).read_text(errors="replace").strip().splitlines()[-8:]
        return f"{process.name} ended with code {code}:\n" + "\n".join(tail)

    def _rotate_log(self, process: ManagedProcess) -> None:
        """Move the log of the last run aside. Only one is stored, so the folder stays small."""
        log = self.log_file(process.name)
        if log.exists():
            log.replace(log.with_suffix(".log.old"))

    def _say(self, text: str) -> None:
        with suppress(OSError):  # where it writes to may be full
            self._write(text)


def _started(process: ManagedProcess, log: int) -> subprocess.Popen[bytes] | ForkedProcess:
    """Raises OSError when there can be no process more."""
    if process.ours and forking.POSSIBLE:
        return ForkedProcess(process.command, process.environment, log, process.inherits)
    ours = [sys.executable, "-m", "catchwater"] if process.ours else []
    return subprocess.Popen(  # noqa: S603 - our own command lines
        [*ours, *process.command],
        env=os.environ | process.environment,
        stdin=subprocess.DEVNULL,
        stdout=log,
        stderr=log,
        start_new_session=True,
        pass_fds=process.inherits,
        preexec_fn=die_with_parent,  # noqa: PLW1509 - called from the main thread, and no other holds a lock
    )
