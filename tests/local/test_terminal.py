"""Ctrl-C at a terminal, as the one who typed `make run` presses it."""

from __future__ import annotations

import os
import pty
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

from tests.waiting import wait_until

MAKEFILE = "run:\n\t@{python} -m catchwater.commands.cli up {options}\n"


def test_ctrl_c_ends_make_run_without_an_error(tmp_path: Path) -> None:
    options = f"--data {tmp_path}/data --ingest-port 0 --dashboard-port 0 --demo-port 0"
    (tmp_path / "Makefile").write_text(MAKEFILE.format(python=sys.executable, options=options))
    said, make = typed(["make", "-f", str(tmp_path / "Makefile"), "run"])
    wait_until(lambda: b"Ctrl-C ends it" in said(), "it runs", timeout=90)
    os.write(make.terminal, b"\x03")
    wait_until(lambda: said() and make.process.poll() is not None, "it ended", timeout=60)
    assert make.process.returncode == 0, said()
    assert b"ended; nothing is lost" in said()
    assert b"***" not in said()
    os.close(make.terminal)


class Typed:
    def __init__(self, terminal: int, process: subprocess.Popen[bytes]) -> None:
        self.terminal = terminal
        self.process = process
        self.text = b""

    def said(self) -> bytes:
        with suppress(OSError):  # nothing to read now, or the other end is closed
            self.text += os.read(self.terminal, 65_536)
        return self.text


def typed(command: list[str]):
    """A command in the foreground of a terminal of its own; what it says so far, and itself."""
    mine, its = pty.openpty()
    os.set_blocking(mine, False)
    process = subprocess.Popen(
        ["setsid", "--ctty", "--wait", *command], stdin=its, stdout=its, stderr=its, close_fds=True
    )
    os.close(its)
    one = Typed(mine, process)
    return one.said, one
