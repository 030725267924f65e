"""A stage ends on SIGTERM, whichever of its threads the kernel hands the signal to."""

from __future__ import annotations

import ctypes
import os
import signal
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path
from urllib.error import URLError
from urllib.request import urlopen

from catchwater.local.servers import free_port
from tests.pipelines import PIPELINE
from tests.up_process import without_settings
from tests.waiting import wait_until


@contextmanager
def stage(redis_url, folder):
    (folder / "defs.yaml").write_text(PIPELINE)
    port = free_port()
    settings = {
        "CATCHWATER_REDIS_URL": redis_url,
        "CATCHWATER_STREAMDEFS": str(folder / "defs.yaml"),
        "CATCHWATER_OPS_PORT": str(port),
    }
    process = subprocess.Popen(
        [sys.executable, "-m", "catchwater.commands.cli", "stage", "name"],
        env=without_settings() | settings,
    )
    try:
        wait_until(lambda: ready(port), "the stage is at work", 60)
        yield process
    finally:
        process.kill()
        process.wait()


def ready(port):
    try:
        with urlopen(f"http://127.0.0.1:{port}/readyz", timeout=5) as answer:
            return answer.status == 200
    except (URLError, OSError):
        return False


def test_a_signal_that_another_thread_gets_ends_the_process(redis_url, tmp_path):
    """The main thread waited for the others and did not wake up: a busy sink ran on for ever."""
    with stage(redis_url, tmp_path) as process:
        threads = {int(path.name) for path in Path(f"/proc/{process.pid}/task").iterdir()}
        other = min(threads - {process.pid})  # a later one may be of a request, and end with it
        assert ctypes.CDLL(None).syscall(TGKILL, process.pid, other, signal.SIGTERM) == 0
        wait_until(lambda: process.poll() is not None, "it ends", 30)
        assert process.returncode == 0


TGKILL = {"x86_64": 234, "aarch64": 131}[os.uname().machine]
"""The system call that sends a signal to one thread of another process."""
