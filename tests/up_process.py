"""`catchwater up` as a process on a folder of its own: tests and benchmarks start it with this."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
from typing import TYPE_CHECKING, Any, Self
from urllib.request import Request, urlopen

import yaml

from tests.waiting import wait_until

if TYPE_CHECKING:
    from pathlib import Path

FREE_PORTS = ("--ingest-port", "0", "--dashboard-port", "0", "--demo-port", "0")
STARTED = "Ctrl-C ends it"
START_S = 100.0


def without_settings() -> dict[str, str]:
    """The environment without settings of the developer's own."""
    return {name: text for name, text in os.environ.items() if name[:11] != "CATCHWATER_"}


class UpProcess:
    """As a context manager it is started, and stopped by Ctrl-C or killed in the end."""

    def __init__(
        self,
        folder: Path,
        *options: str,
        source: Path | None = None,
        environment: dict[str, str] | None = None,
    ) -> None:
        """Data and output are in `folder`. `source` is where the code is imported from."""
        self.folder = folder
        self.data = folder / "data"
        self.process: subprocess.Popen[bytes] | None = None
        self._source = source
        self._environment = environment
        self._out, self._err = folder / "up.out", folder / "up.err"
        chosen = options if "--data" in options else ("--data", str(self.data), *options)
        self._command = [
            *(sys.executable, "-m", "catchwater.commands.cli", "up"),
            *(() if "--ingest-port" in options else FREE_PORTS),
            *chosen,
        ]

    def __enter__(self) -> Self:
        try:
            self.start()
        except BaseException:
            self.kill()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        if self.process and self.process.poll() is None:
            self.stop()

    def start(self) -> None:
        """Returns when everything is at work."""
        self.run()
        wait_until(self._is_up, f"it is up; see {self._err}", timeout=START_S)

    def run(self) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        with self._out.open("wb") as out, self._err.open("wb") as err:
            self.process = subprocess.Popen(
                self._command,
                stdout=out,
                stderr=err,
                stdin=subprocess.DEVNULL,
                cwd=self._source,
                env=self.environment(),
            )

    def environment(self) -> dict[str, str]:
        path = {"PYTHONPATH": str(self._source)} if self._source else {}
        return without_settings() | path | (self._environment or {})

    def refused(self) -> str:
        """What it says as it ends with code 1."""
        self.run()
        assert self.process
        assert self.process.wait(60) == 1, self.said
        return self.said

    def stop(self, number: signal.Signals = signal.SIGINT) -> int:
        """Ctrl-C, where it still runs, and its exit code."""
        assert self.process
        self.process.send_signal(number)
        try:
            return self.process.wait(90)
        finally:
            self.kill()

    def kill(self) -> None:
        if self.process and self.process.poll() is None:
            self.process.kill()
            self.process.wait()

    @property
    def said(self) -> str:
        """Everything that it wrote: what it shows, then what it reports."""
        return self.shown + self._err.read_text()

    @property
    def shown(self) -> str:
        return self._out.read_text()

    def address(self, title: str) -> str:
        """What the welcome says after a title."""
        return re.findall(rf"^ +{title} +(.+)$", self.shown, re.MULTILINE)[0]

    @property
    def ports(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads((self.data / "run/ports.json").read_text())
        return found

    @property
    def key(self) -> str:
        """The key of the first project."""
        projects = yaml.safe_load((self.data / "projects.yaml").read_text())
        return str(projects["projects"][0]["key"])

    @property
    def report_url(self) -> str:
        """Where the snippet of the first project sends its reports."""
        return f"http://127.0.0.1:{self.ports['ingest']}/e/{self.key}"

    def pids(self) -> dict[str, int]:
        """The processes that run now, by name."""
        return {path.stem: int(path.read_text()) for path in (self.data / "run").glob("*.pid")}

    def post(self, report: Any) -> int:
        """Post a report, or a list of them, as the snippet does. Returns the status."""
        request = Request(self.report_url, json.dumps(report).encode())
        with urlopen(request, timeout=10) as answer:
            return int(answer.status)

    def api(self, path: str) -> Any:
        """JSON of the dashboard."""
        url = f"http://127.0.0.1:{self.ports['dashboard']}{path}"
        with urlopen(url, timeout=10) as answer:
            return json.loads(answer.read())

    def counted(self) -> int:
        """How many errors the dashboard shows."""
        return sum(issue["count"] for issue in self.api("/api/issues?limit=200")["issues"])

    def ready(self, name: str) -> bool:
        """Whether a service says that it is at work."""
        try:
            url = f"http://127.0.0.1:{self.ports['ops'][name]}/readyz"
            with urlopen(url, timeout=5) as answer:
                return bool(answer.status == 200)
        except OSError:
            return False

    def _is_up(self) -> bool:
        assert self.process
        assert self.process.poll() is None, self.said
        return STARTED in self.shown
