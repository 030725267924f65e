from __future__ import annotations

import os
import signal
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from catchwater.errors import ProcessStartError
from catchwater.local import supervisor
from catchwater.local.supervisor import ManagedProcess, Supervisor
from tests.waiting import wait_until

FOR_EVER = [sys.executable, "-c", "import signal; signal.pause()"]
DEAF = """
import signal
signal.signal(signal.SIGTERM, signal.SIG_IGN)
print('deaf', flush=True)
while True:
    signal.pause()
"""
STUBBORN = [sys.executable, "-c", DEAF]
FAILING = [sys.executable, "-c", "print('the disk is full'); raise SystemExit(3)"]


class WatchedSupervisor:
    """A supervisor on a folder of its own, with what it said."""

    def __init__(self, folder: Path) -> None:
        self.said: list[str] = []
        self.folder = folder
        self.supervisor = Supervisor(folder, self.said.append)

    def start(
        self, command: list[str], *, ready: bool = True, name: str = "one", timeout_s: float = 20
    ) -> ManagedProcess:
        process = ManagedProcess(name, command, lambda: ready)
        self.supervisor.start([process], timeout_s, threading.Event())
        return process

    def tend(self, process: ManagedProcess) -> None:
        self.supervisor._tend(process)

    def end(self) -> None:
        for process in self.supervisor.processes:
            if process.popen and process.popen.poll() is None:
                process.popen.kill()
                process.popen.wait()


@pytest.fixture
def watched(tmp_path: Path) -> Iterator[WatchedSupervisor]:
    one = WatchedSupervisor(tmp_path)
    yield one
    one.end()


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The supervisor's time, which stands still."""
    now = [1000.0]
    monkeypatch.setattr(supervisor.time, "monotonic", lambda: now[0])
    return now


def die(process: ManagedProcess) -> None:
    assert process.popen
    process.popen.kill()
    process.popen.wait()


def pauses(
    watched: WatchedSupervisor, process: ManagedProcess, clock: list[float], deaths: int
) -> list[float]:
    """How long each restart waited."""
    found = []
    for _ in range(deaths):
        die(process)
        watched.tend(process)
        found.append(round(process.start_at - clock[0], 3))
        clock[0] = process.start_at
        watched.tend(process)
    return found


def test_a_process_that_dies_again_and_again_waits_longer_each_time(
    watched: WatchedSupervisor, clock: list[float]
):
    process = watched.start(FOR_EVER)
    assert pauses(watched, process, clock, 9) == [0.2, 0.4, 0.8, 1.6, 3.2, 6.4, 12.8, 15.0, 15.0]


def test_a_process_that_had_settled_starts_again_at_once(
    watched: WatchedSupervisor, clock: list[float]
):
    process = watched.start(FOR_EVER)
    pauses(watched, process, clock, 4)
    clock[0] += supervisor.SETTLED_S + 1
    assert pauses(watched, process, clock, 1) == [supervisor.FIRST_WAIT_S]


def test_before_its_time_a_process_is_not_started_and_nothing_is_said_twice(
    watched: WatchedSupervisor, clock: list[float]
):
    process = watched.start(FOR_EVER)
    die(process)
    dead = process.popen
    watched.tend(process)
    clock[0] = process.start_at - 0.01
    watched.tend(process)
    assert process.popen is dead
    assert watched.said == ["one ended with code -9; it starts again in 0.2 s"]


def test_the_pid_file_names_the_process_that_runs(watched: WatchedSupervisor, clock: list[float]):
    process = watched.start(FOR_EVER)
    first = watched.supervisor.pid_file("one").read_text()
    pauses(watched, process, clock, 1)
    assert process.popen
    assert watched.supervisor.pid_file("one").read_text() == f"{process.popen.pid}\n" != first


def test_a_process_that_ends_at_its_start_says_why(watched: WatchedSupervisor):
    with pytest.raises(ProcessStartError, match="one ended with code 3:\nthe disk is full"):
        watched.start(FAILING, ready=False)


def test_a_process_that_does_not_get_ready_is_named_with_its_log(watched: WatchedSupervisor):
    with pytest.raises(ProcessStartError, match=r"one does not get ready; its log is .*one\.log"):
        watched.start(FOR_EVER, ready=False, timeout_s=0.2)


def test_the_end_is_asked_for_and_then_insisted_on(
    watched: WatchedSupervisor, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(supervisor, "GRACE_S", 0.3)
    process = watched.start(STUBBORN)
    assert process.popen
    wait_until(
        lambda: "deaf" in watched.supervisor.log_file("one").read_text(), "it ignores SIGTERM"
    )
    watched.supervisor.stop([process])
    assert process.popen.returncode == -signal.SIGKILL
    assert watched.said == ["one does not end; it is killed"]
    assert not watched.supervisor.pid_file("one").exists()


def test_the_watch_restarts_what_dies_until_the_stop(watched: WatchedSupervisor):
    process, stopping = watched.start(FOR_EVER), threading.Event()
    watching = threading.Thread(target=lambda: watched.supervisor.watch(stopping))
    watching.start()
    pid = int(watched.supervisor.pid_file("one").read_text())
    os.kill(pid, signal.SIGKILL)
    try:
        wait_until(
            lambda: int(watched.supervisor.pid_file("one").read_text()) != pid, "it runs again"
        )
        assert is_alive(int(watched.supervisor.pid_file("one").read_text()))
    finally:
        stopping.set()
        watching.join()
        die(process)


def test_stale_pid_files_are_removed_and_one_old_log_stays(tmp_path: Path):
    first = WatchedSupervisor(tmp_path)
    first.start([sys.executable, "-c", "print('first')"])
    wait_until(lambda: "first" in first.supervisor.log_file("one").read_text(), "it said so")
    first.end()
    second = WatchedSupervisor(tmp_path)
    assert not second.supervisor.pid_file("one").exists()
    second.start(FOR_EVER)
    assert "first" in (tmp_path / "log/one.log.old").read_text()
    second.end()


@pytest.mark.parametrize("name", ["run", "log"])
def test_a_folder_that_cannot_be_written_ends_nothing_and_is_made_up_for(
    watched: WatchedSupervisor, clock: list[float], name: str
):
    """`up` ended with a traceback when the disk was full as it wrote a pid file."""
    process = watched.start(FOR_EVER)
    first = watched.supervisor.pid_file("one").read_text()
    folder, aside = watched.folder / name, watched.folder / "aside"
    folder.rename(aside)
    pauses(watched, process, clock, 2)
    assert process.popen
    assert is_alive(process.popen.pid)
    aside.rename(folder)
    watched.tend(process)
    assert watched.supervisor.pid_file("one").read_text() == f"{process.popen.pid}\n" != first


def test_what_cannot_be_started_is_tried_again(
    watched: WatchedSupervisor, clock: list[float], monkeypatch: pytest.MonkeyPatch
):
    process = watched.start(FOR_EVER)
    die(process)
    monkeypatch.setattr(process, "command", ["/nowhere/program"])
    for _ in range(3):
        watched.tend(process)
        clock[0] = process.start_at
    assert "one cannot be started: No such file or directory" in watched.said
    monkeypatch.setattr(process, "command", FOR_EVER)
    watched.tend(process)
    assert process.running


def test_an_operator_who_cannot_be_told_does_not_end_it(tmp_path: Path, clock: list[float]):
    def fail(text: str) -> None:
        raise OSError(28, "No space left on device")

    one = WatchedSupervisor(tmp_path)
    one.supervisor = Supervisor(tmp_path, fail)
    process = one.start(FOR_EVER)
    pauses(one, process, clock, 2)
    assert process.running
    one.end()


def is_alive(pid: int) -> bool:
    """A zombie that nobody has waited for yet is dead."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False
