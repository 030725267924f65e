"""Our own commands as processes that share the memory of the one that starts them.

What services import takes each of them some 30 MB and most of a second. Who has imported it once,
and forks, gives it to all: a page of memory is copied only when somebody writes to it.

Linux only: elsewhere the system's own libraries may not outlive a fork.
"""

from __future__ import annotations

import gc
import os
import runpy
import signal
import subprocess
import sys
import time
from contextlib import suppress
from importlib.metadata import entry_points
from multiprocessing import get_context
from typing import TYPE_CHECKING

from setproctitle import setproctitle

from catchwater.local.servers import die_with_parent

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

POSSIBLE = sys.platform == "linux"

LOOK_S = 0.02
"""Between two looks whether a process has ended."""

_HELD_BACK = {signal.SIGTERM, signal.SIGINT}
"""What must not reach a new process while it still has the handlers of the old one."""


def preload(commands: Iterable[str]) -> None:
    """Import what these commands need, for every process that is forked from now on."""
    wanted = set(commands)
    for entry in entry_points(group="catchwater.commands"):
        if entry.name in wanted:
            with suppress(ModuleNotFoundError):  # the process itself says which extra is missing
                entry.load()
    gc.collect()
    gc.freeze()  # looking through these for garbage would write to their pages


class ForkedProcess:
    """`catchwater ARGUMENTS` in a session of its own: what a supervisor needs of a Popen."""

    def __init__(
        self,
        arguments: Sequence[str],
        environment: Mapping[str, str],
        log: int,
        inherits: Iterable[int] = (),
    ) -> None:
        """`environment` is added to ours; `log` is the file descriptor of all its output, and
        `inherits` are those that it has too. Raises OSError when there can be no process more.
        """
        what = (list(arguments), dict(environment), log, sorted(inherits))
        self._process = get_context("fork").Process(target=_become, args=what, daemon=True)
        held = signal.pthread_sigmask(signal.SIG_BLOCK, _HELD_BACK)
        try:
            self._process.start()
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, held)
        assert self._process.pid
        self.pid = self._process.pid

    @property
    def returncode(self) -> int | None:
        """None while it runs; below zero the signal that ended it."""
        return self._process.exitcode

    def poll(self) -> int | None:
        return self.returncode

    def wait(self, timeout: float | None = None) -> int:
        """Its exit code. Raises subprocess.TimeoutExpired after `timeout` seconds."""
        deadline = time.monotonic() + timeout if timeout is not None else None
        while (code := self.returncode) is None:
            if timeout is not None and deadline is not None and time.monotonic() > deadline:
                raise subprocess.TimeoutExpired(str(self.pid), timeout)
            time.sleep(LOOK_S)
        return code

    def send_signal(self, number: int) -> None:
        if self.returncode is None:
            os.kill(self.pid, number)

    def kill(self) -> None:
        self.send_signal(signal.SIGKILL)


def _become(
    arguments: list[str], environment: dict[str, str], log: int, inherits: list[int]
) -> None:
    """What is between a fork and `catchwater ARGUMENTS`, as if it had been started by a shell."""
    os.setsid()
    die_with_parent()
    _take_outputs(log)
    _close_all_but(inherits)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, _HELD_BACK)
    os.environ.update(environment)
    sys.argv = ["catchwater", *arguments]
    setproctitle(" ".join(sys.argv))
    runpy.run_module("catchwater", run_name="__main__")


def _take_outputs(log: int) -> None:
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    for descriptor in (1, 2):
        os.dup2(log, descriptor)
    sys.stdin = open(0, closefd=False)  # noqa: SIM115 - as long as the process
    sys.stdout = open(1, "w", buffering=1, closefd=False)  # noqa: SIM115 - as above
    sys.stderr = open(  # noqa: SIM115 - as above
        2, "w", buffering=1, errors="backslashreplace", closefd=False
    )


def _close_all_but(kept: list[int]) -> None:
    """Files and sockets of the one that forked: a lock and a port would outlive it."""
    low = 3
    for descriptor in kept:
        os.closerange(low, descriptor)
        low = descriptor + 1
    os.closerange(low, os.sysconf("SC_OPEN_MAX"))
