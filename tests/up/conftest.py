from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from urllib.request import Request, urlopen

import pytest

from catchwater.embedded import MongoServer, RedisServer, ServerTrouble
from tests.waiting import wait_until

ANY_PORTS = ("--ingest-port", "0", "--dashboard-port", "0", "--demo-port", "0")


class Up:
    """`catchwater up` on a folder of its own."""

    def __init__(self, data: Path) -> None:
        self.data = data
        self.process: subprocess.Popen[bytes] | None = None
        self._out = data.parent / "up.out"
        self._err = data.parent / "up.err"

    def start(self) -> None:
        with self._out.open("wb") as out, self._err.open("wb") as err:
            command = [sys.executable, "-m", "catchwater.cli", "up", "--data", str(self.data), *ANY_PORTS]
            self.process = subprocess.Popen(command, stdout=out, stderr=err, env=own_environment())
        wait_until(self._is_up, "everything is at work", timeout=100)

    def _is_up(self) -> bool:
        assert self.process
        assert self.process.poll() is None, self.said
        return "Ctrl-C ends it" in self.shown

    @property
    def shown(self) -> str:
        return self._out.read_text()

    @property
    def said(self) -> str:
        return self._err.read_text()

    def interrupt(self) -> int:
        """Ctrl-C, and the exit code."""
        assert self.process
        self.process.send_signal(signal.SIGINT)
        return self.process.wait(90)

    def kill(self) -> None:
        if self.process:
            self.process.kill()
            self.process.wait()

    def pids(self) -> dict[str, int]:
        return {file.stem: int(file.read_text()) for file in (self.data / "run").glob("*.pid")}

    def ready(self, name: str) -> bool:
        """Whether a service says that it is at work."""
        ports = json.loads((self.data / "run/ports.json").read_text())
        return status_of(f"http://127.0.0.1:{ports['ops'][name]}/readyz") == 200

    def word(self, name: str) -> str:
        """What the welcome says after a name."""
        line = next(one for one in self.shown.splitlines() if one.strip().startswith(name))
        return line.strip().removeprefix(name).strip()

    def report(self, message: str) -> None:
        """An error from the snippet, accepted."""
        address, _, project = self.word("DSN").removeprefix("http://").partition("/")
        key, _, host = address.partition("@")
        body = json.dumps({"type": "Error", "message": message}).encode()
        request = Request(f"http://{host}/e/{key}", body, {"Content-Type": "text/plain"})
        with urlopen(request, timeout=10) as answer:
            assert answer.status < 300, project

    def messages(self) -> list[str]:
        """Those of the issues that the dashboard shows."""
        with urlopen(f"{self.word('dashboard')}api/issues", timeout=10) as answer:
            return sorted(one["message"] for one in json.loads(answer.read())["issues"])


def own_environment() -> dict[str, str]:
    """Without settings of the developer's own."""
    return {name: value for name, value in os.environ.items() if not name.startswith("CATCHWATER_")}


def status_of(url: str) -> int:
    try:
        with urlopen(url, timeout=5) as answer:
            return answer.status
    except OSError:
        return 0


def is_alive(pid: int) -> bool:
    """A zombie that nobody has waited for yet is dead."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


@pytest.fixture
def up(tmp_path: Path) -> Iterator[Up]:
    """Started, and at work."""
    try:
        RedisServer.find_binary(), MongoServer.find_binary()
    except ServerTrouble as error:
        if os.environ.get("CI"):
            raise
        pytest.skip(str(error))
    one = Up(tmp_path / "data")
    try:
        one.start()
        yield one
    finally:
        one.kill()
