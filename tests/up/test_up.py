"""`catchwater up` as a stranger runs it: real processes, real servers, one folder."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from urllib.request import Request, urlopen

import pytest

from tests.waiting import wait_until

NAMES = {
    "redis", "mongo", "fingerprint-1", "fingerprint-2", "dedupe-1", "count-1", "sink-1", "ingest-1", "dashboard-1",
    "demo-1",
}  # fmt: skip
FREE = ["--ingest-port", "0", "--dashboard-port", "0", "--demo-port", "0"]


class Up:
    """One `catchwater up` on `folder`."""

    def __init__(self, folder: Path, *options: str) -> None:
        self.data = folder / "data"
        self.log = folder / "up.log"
        self._command = [sys.executable, "-m", "catchwater.cli", "up", "--data", str(self.data), *(options or FREE)]
        self.process: subprocess.Popen[bytes] | None = None

    def run(self) -> None:
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(self._command, stdout=log, stderr=log, stdin=subprocess.DEVNULL)

    def start(self) -> None:
        self.run()
        wait_until(self._is_up, "it says that it runs", timeout=60)

    def _is_up(self) -> bool:
        assert self.process
        assert self.process.poll() is None, self.said()
        return "Ctrl-C ends it" in self.said()

    def refused(self) -> str:
        """What it says as it ends with code 1."""
        self.run()
        assert self.process
        assert self.process.wait(60) == 1, self.said()
        return self.said()

    def stop(self, number: signal.Signals = signal.SIGINT) -> int:
        assert self.process
        self.process.send_signal(number)
        return self.process.wait(60)

    def said(self) -> str:
        return self.log.read_text()

    def address(self, title: str) -> str:
        return re.findall(rf"{title} +(.+)", self.said())[0]

    def pids(self) -> dict[str, int]:
        return {path.stem: int(path.read_text()) for path in (self.data / "run").glob("*.pid")}

    def post(self, number: int) -> int:
        """Post one error to where the script tag says."""
        address = re.findall(r'src="(http://[^/]+)/c/(\w+)\.js"', self.address("script tag"))[0]
        body = json.dumps({"id": f"{number:032x}", "type": "TypeError", "message": "x is undefined"}).encode()
        with urlopen(
            Request(f"{address[0]}/e/{address[1]}", body, {"Content-Type": "text/plain"}), timeout=10
        ) as answer:
            return answer.status

    def counted(self) -> int:
        """How many errors the dashboard shows."""
        with urlopen(f"{self.address('dashboard')}api/issues", timeout=10) as answer:
            return sum(issue["count"] for issue in json.load(answer)["issues"])


@pytest.fixture(scope="module")
def up(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Up]:
    one = Up(tmp_path_factory.mktemp("up"), *FREE, "--scale", "fingerprint=2")
    one.start()
    yield one
    assert one.stop() == 0, one.said()


def test_every_piece_is_a_process_of_its_own_with_a_pid_file(up: Up) -> None:
    pids = up.pids()
    assert set(pids) == NAMES
    assert len(set(pids.values())) == len(NAMES)
    assert all(alive(pid) for pid in pids.values())


@pytest.mark.parametrize("page", ["dashboard", "demo page"])
def test_the_pages_it_names_are_there(up: Up, page: str) -> None:
    wait_until(lambda: answers(up.address(page)), f"the {page} answers: another test may just have killed it")


def test_the_script_tag_and_the_dsn_bear_the_key_of_the_first_project(up: Up) -> None:
    key = re.findall(r"key: *['\"]?([0-9a-f]{32})\b", (up.data / "projects.yaml").read_text())[0]
    assert f"/c/{key}.js" in up.address("script tag")
    assert re.fullmatch(rf"http://{key}@127\.0\.0\.1:\d+/\w+", up.address("DSN"))


def test_a_second_one_on_the_same_folder_is_refused(up: Up, tmp_path: Path) -> None:
    second = Up(tmp_path, *FREE, "--data", str(up.data))
    assert "runs on" in second.refused()
    assert "choose another folder with --data" in second.said()
    assert all(alive(pid) for pid in up.pids().values())


@pytest.mark.chaos
@pytest.mark.parametrize("name", sorted(NAMES))
def test_what_is_killed_is_started_again(up: Up, name: str) -> None:
    old = up.pids()[name]
    os.kill(old, signal.SIGKILL)
    new = wait_until(lambda: (pid := up.pids()[name]) != old and pid, f"{name} has a new process", timeout=40)
    assert alive(new)
    assert f"{name} ended" in up.said()


@pytest.mark.chaos
def test_a_stop_and_a_start_find_everything_again(tmp_path: Path) -> None:
    one = Up(tmp_path)
    one.start()
    key = (one.data / "projects.yaml").read_text()
    assert {one.post(number) for number in range(20)} <= {200, 202, 204}
    pids = one.pids()
    assert one.stop(signal.SIGTERM) == 0, one.said()
    assert not [name for name, pid in pids.items() if alive(pid)]
    assert one.pids() == {}
    one.start()
    wait_until(lambda: one.counted() == 20, "the errors of the first run are shown")
    assert (one.data / "projects.yaml").read_text() == key
    assert one.stop() == 0, one.said()


@pytest.mark.chaos
def test_its_children_die_with_it(tmp_path: Path) -> None:
    one = Up(tmp_path)
    one.start()
    pids = one.pids()
    one.stop(signal.SIGKILL)
    wait_until(lambda: not [name for name, pid in pids.items() if alive(pid)], "no child is left")
    one.start()
    assert one.stop() == 0, one.said()


def test_servers_that_are_given_are_used(redis_url: str, mongo_url: str, tmp_path: Path) -> None:
    one = Up(tmp_path, *FREE, "--redis", redis_url, "--mongo", mongo_url)
    one.start()
    assert not {"redis", "mongo"} & set(one.pids())
    assert one.stop() == 0, one.said()


@pytest.mark.parametrize("name", ["ingest", "dashboard", "demo"])
def test_a_taken_port_is_named_with_what_to_do(name: str, tmp_path: Path) -> None:
    with socket.socket() as squatter:
        squatter.bind(("127.0.0.1", 0))
        squatter.listen()
        port = str(squatter.getsockname()[1])
        options = [*FREE[: FREE.index(f"--{name}-port") + 1], port, *FREE[FREE.index(f"--{name}-port") + 2 :]]
        said = Up(tmp_path, *options).refused()
    assert f"port {port} is taken: stop what uses it, or choose another with --{name}-port" in said


def test_a_folder_that_cannot_be_used_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    said = Up(tmp_path, *FREE, "--data", str(tmp_path / "file" / "data")).refused()
    assert "file/data cannot be used: Not a directory; choose another folder with --data" in said


@pytest.mark.parametrize("scale", ["fingerprint", "fingerprint=0", "nothing=2", "sink=x"])
def test_a_wrong_scale_is_refused_before_anything_starts(scale: str, tmp_path: Path) -> None:
    one = Up(tmp_path, *FREE, "--scale", scale)
    one.run()
    assert one.process
    assert one.process.wait(30) == 2
    assert "write NAME=N" in one.said()


def answers(address: str) -> bool:
    try:
        with urlopen(address, timeout=10) as answer:
            return bool(answer.status == 200)
    except OSError:
        return False


def alive(pid: int) -> bool:
    try:
        return "State:\tZ" not in Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return False
