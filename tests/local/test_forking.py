"""Our own commands, forked: each test forks in a program of its own, as pytest has threads."""

from __future__ import annotations

import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from tests.up_process import without_settings
from tests.waiting import wait_until

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="elsewhere nothing is forked")

BEGIN = """
import os, signal, socket, subprocess, sys
from contextlib import suppress
from pathlib import Path
from catchwater.local.forking import ForkedProcess, preload
from catchwater.local.servers import free_port

Path("projects.yaml").write_text('projects: [{id: "1", name: shop, key: "' + "0" * 32 + '"}]')
log = os.open("log", os.O_WRONLY | os.O_APPEND | os.O_CREAT)
def fork(*arguments, environment={}, inherits=()):
    return ForkedProcess(arguments, environment, log, inherits)
def demo(**more):
    port = free_port()
    one = fork("demo", "--port", str(port), **more)
    while one.poll() is None:
        with suppress(OSError), socket.create_connection(("127.0.0.1", port)):
            return one
    raise SystemExit(Path("log").read_text())
def files_of(pid):
    found = set()
    for file in Path(f"/proc/{pid}/fd").iterdir():
        with suppress(FileNotFoundError):  # closed meanwhile: a connection
            found.add(Path(os.readlink(file)).name)
    return found
"""


def program(folder: Path, text: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", BEGIN + textwrap.dedent(text)],
        cwd=folder,
        env=without_settings() | {"PYTHONPATH": str(Path(__file__).parents[2])},
        stdout=subprocess.PIPE,
        text=True,
    )


def said(folder: Path, text: str) -> list[str]:
    """What the program printed, by line. It must end well."""
    running = program(folder, text)
    printed, _ = running.communicate(timeout=60)
    assert running.returncode == 0
    return printed.splitlines()


def test_it_is_the_command_with_its_exit_code_and_its_output_in_the_log(tmp_path: Path):
    assert said(tmp_path, 'print(fork("--version").wait(30), fork("no-such").wait(30))') == ["0 2"]
    log = (tmp_path / "log").read_text()
    assert "catchwater, version" in log
    assert "No such command 'no-such'" in log


def test_its_settings_are_its_own(tmp_path: Path):
    away = {"CATCHWATER_REDIS_URL": "redis://127.0.0.1:1"}
    text = (
        f'print(fork("status", environment={away}).wait(30), "CATCHWATER_REDIS_URL" in os.environ)'
    )
    assert said(tmp_path, text) == ["1 False"]
    assert "127.0.0.1:1" in (tmp_path / "log").read_text()


def test_it_has_no_file_of_the_other_one_but_what_it_is_given(tmp_path: Path):
    text = """
    lock, given = open("lock", "w"), open("given", "w")
    one = demo(inherits=[given.fileno()])
    files = files_of(one.pid)
    print("lock" in files, "given" in files, os.getsid(one.pid) == one.pid)
    print(Path(f"/proc/{one.pid}/cmdline").read_text()[:22])
    one.kill()
    print(one.wait(30), one.returncode)
    """
    assert said(tmp_path, text) == ["False True True", "catchwater demo --port", "-9 -9"]


def test_a_stop_at_any_moment_ends_it(tmp_path: Path):
    """Also before it has got rid of the handler that the other one has for it."""
    text = """
    signal.signal(signal.SIGTERM, lambda *_: None)
    for _ in range(30):
        one = fork("demo", "--port", str(free_port()))
        one.send_signal(signal.SIGTERM)
        print(one.wait(30))
    """
    assert set(said(tmp_path, text)) <= {"-15", "0"}


def test_who_does_not_end_in_time_is_said_to_go_on(tmp_path: Path):
    text = """
    one = demo()
    try:
        one.wait(0.1)
    except subprocess.TimeoutExpired:
        print("goes on", one.poll())
    one.kill()
    """
    assert said(tmp_path, text) == ["goes on None"]


def test_it_does_not_outlive_the_one_that_forked_it(tmp_path: Path):
    running = program(tmp_path, "print(demo().pid, flush=True)\nsignal.pause()")
    assert running.stdout
    pid = int(running.stdout.readline())
    running.kill()
    running.wait()
    wait_until(lambda: not is_running(pid), "it is gone, too")
    running.stdout.close()


def is_running(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except FileNotFoundError:
        return False
    return state != "Z"


def test_what_was_imported_before_is_in_memory_once(tmp_path: Path):
    text = """
    preload(["ingest", "sink", "dashboard"])
    one = demo()
    for line in Path(f"/proc/{one.pid}/smaps_rollup").read_text().splitlines()[1:]:
        print(*line.split()[:2])
    one.kill()
    """
    found = dict(line.split(": ") for line in said(tmp_path, text))
    own = int(found["Private_Dirty"]) + int(found["Private_Clean"])
    assert own < int(found["Rss"]) / 2


def test_what_is_not_installed_is_said_by_the_command_itself(tmp_path: Path):
    text = """
    sys.modules["aiohttp"] = None
    preload(["ingest"])
    print(fork("ingest").wait(30))
    """
    assert said(tmp_path, text) == ["1"]
    assert "pip install 'catchwater[ingest]'" in (tmp_path / "log").read_text()
