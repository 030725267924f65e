from __future__ import annotations

import os
import signal
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from catchwater import supervisor
from catchwater.supervisor import Piece, StartTrouble, Supervisor
from tests.up.conftest import is_alive
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


class Watched:
    """A supervisor on a folder of its own, with what it said."""

    def __init__(self, folder: Path) -> None:
        self.said: list[str] = []
        self.folder = folder
        self.supervisor = Supervisor(folder, self.said.append)

    def start(self, command: list[str], *, ready: bool = True, name: str = "one", patience: float = 20) -> Piece:
        piece = Piece(name, command, lambda: ready)
        self.supervisor.start([piece], patience, threading.Event())
        return piece

    def tend(self, piece: Piece) -> None:
        self.supervisor._tend(piece)

    def end(self) -> None:
        for piece in self.supervisor.pieces:
            if piece.process and piece.process.poll() is None:
                piece.process.kill()
                piece.process.wait()


@pytest.fixture
def watched(tmp_path: Path) -> Iterator[Watched]:
    one = Watched(tmp_path)
    yield one
    one.end()


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The supervisor's time, which stands still."""
    now = [1000.0]
    monkeypatch.setattr(supervisor.time, "monotonic", lambda: now[0])
    return now


def die(piece: Piece) -> None:
    assert piece.process
    piece.process.kill()
    piece.process.wait()


def pauses(watched: Watched, piece: Piece, clock: list[float], deaths: int) -> list[float]:
    """How long each restart waited."""
    found = []
    for _ in range(deaths):
        die(piece)
        watched.tend(piece)
        found.append(round(piece.start_at - clock[0], 3))
        clock[0] = piece.start_at
        watched.tend(piece)
    return found


def test_a_process_that_dies_again_and_again_waits_longer_each_time(watched: Watched, clock: list[float]):
    piece = watched.start(FOR_EVER)
    assert pauses(watched, piece, clock, 9) == [0.2, 0.4, 0.8, 1.6, 3.2, 6.4, 12.8, 15.0, 15.0]


def test_a_process_that_had_settled_starts_again_at_once(watched: Watched, clock: list[float]):
    piece = watched.start(FOR_EVER)
    pauses(watched, piece, clock, 4)
    clock[0] += supervisor.SETTLED + 1
    assert pauses(watched, piece, clock, 1) == [supervisor.FIRST_WAIT]


def test_before_its_time_a_process_is_not_started_and_nothing_is_said_twice(watched: Watched, clock: list[float]):
    piece = watched.start(FOR_EVER)
    die(piece)
    dead = piece.process
    watched.tend(piece)
    clock[0] = piece.start_at - 0.01
    watched.tend(piece)
    assert piece.process is dead
    assert watched.said == ["one ended with code -9; it starts again in 0.2 s"]


def test_the_pid_file_names_the_process_that_runs(watched: Watched, clock: list[float]):
    piece = watched.start(FOR_EVER)
    first = watched.supervisor.pid_file("one").read_text()
    pauses(watched, piece, clock, 1)
    assert piece.process
    assert watched.supervisor.pid_file("one").read_text() == f"{piece.process.pid}\n" != first


def test_a_process_that_ends_at_its_start_says_why(watched: Watched):
    with pytest.raises(StartTrouble, match="one ended with code 3:\nthe disk is full"):
        watched.start(FAILING, ready=False)


def test_a_process_that_does_not_get_to_work_is_named_with_its_log(watched: Watched):
    with pytest.raises(StartTrouble, match=r"one does not get to work; its log is .*one\.log"):
        watched.start(FOR_EVER, ready=False, patience=0.2)


def test_the_end_is_asked_for_and_then_insisted_on(watched: Watched, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(supervisor, "GRACE", 0.3)
    piece = watched.start(STUBBORN)
    assert piece.process
    wait_until(lambda: "deaf" in watched.supervisor.log_file("one").read_text(), "it ignores SIGTERM")
    watched.supervisor.end([piece])
    assert piece.process.returncode == -signal.SIGKILL
    assert watched.said == ["one does not end; it is killed"]
    assert not watched.supervisor.pid_file("one").exists()


def test_the_watch_restarts_what_dies_until_the_stop(watched: Watched):
    piece, stopping = watched.start(FOR_EVER), threading.Event()
    watching = threading.Thread(target=lambda: watched.supervisor.watch(stopping))
    watching.start()
    pid = int(watched.supervisor.pid_file("one").read_text())
    os.kill(pid, signal.SIGKILL)
    try:
        wait_until(lambda: int(watched.supervisor.pid_file("one").read_text()) != pid, "it runs again")
        assert is_alive(int(watched.supervisor.pid_file("one").read_text()))
    finally:
        stopping.set()
        watching.join()
        die(piece)


def test_stale_pid_files_are_removed_and_one_old_log_is_kept(tmp_path: Path):
    first = Watched(tmp_path)
    first.start([sys.executable, "-c", "print('first')"])
    wait_until(lambda: "first" in first.supervisor.log_file("one").read_text(), "it said so")
    first.end()
    second = Watched(tmp_path)
    assert not second.supervisor.pid_file("one").exists()
    second.start(FOR_EVER)
    assert "first" in (tmp_path / "log/one.log.old").read_text()
    second.end()
