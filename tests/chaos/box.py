"""A whole Catchwater as `catchwater up` runs it, with two of each stage and two sinks."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.request import urlopen

from tests.waiting import wait_until

PIPELINE = """
partitions: 4
streams: {raw: {}, named: {}, unique: {}, counted: {}}
stages:
  fingerprint: {run: "stages.fingerprint:fingerprint", reads: raw, emits: named}
  dedupe: {run: "stages.dedupe:dedupe", reads: named, emits: unique, once_for: 24h}
  count: {run: "stages.count:count", reads: unique, emits: counted, samples: 100000000/h}
  sink: {run: sink, reads: counted}
# Shorter than a stopped process sleeps: it wakes up with a batch that is another's by then.
defaults: {batch: 200, wait: 100ms, claim_after: 1s, tries: 20}
"""


@contextmanager
def running(folder: Path, source: Path) -> Iterator[Box]:
    """A box at work. Whatever fails meanwhile, nothing of it runs on into the next test."""
    box = Box(folder, source)
    try:
        box.start()
        yield box
    finally:
        box.stop()


class Box:
    """`catchwater up` on a folder of its own. `source` is where its code is imported from."""

    def __init__(self, folder: Path, source: Path) -> None:
        self.folder = folder
        self.source = source
        (folder / "streamdefs.yaml").write_text(PIPELINE)
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it; returns when everything is at work."""
        scale = [part for name in ("fingerprint", "dedupe", "count", "sink") for part in ("--scale", f"{name}=2")]
        ports = [part for name in ("ingest", "dashboard", "demo") for part in (f"--{name}-port", "0")]
        files = ["--data", str(self.folder / "data"), "--streamdefs", str(self.folder / "streamdefs.yaml")]
        with (self.folder / "up.log").open("ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "catchwater.cli", "up", *files, *ports, *scale],
                env=os.environ | {"PYTHONPATH": str(self.source)}, cwd=self.source, stdout=log, stderr=log,
            )  # fmt: skip
        wait_until(self._is_up, f"everything is at work; see {self.folder / 'up.log'}", timeout=90)

    def _is_up(self) -> bool:
        assert self.process
        assert self.process.poll() is None, (self.folder / "up.log").read_text()
        return "Ctrl-C ends it" in (self.folder / "up.log").read_text()

    def stop(self) -> int:
        """Ctrl-C, where it still runs, and its exit code."""
        assert self.process
        self.process.send_signal(signal.SIGINT)
        return self.process.wait(90)

    @property
    def ports(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads((self.folder / "data/run/ports.json").read_text())
        return found

    @property
    def key(self) -> str:
        return (self.folder / "data/projects.yaml").read_text().partition("key: ")[2].split()[0].strip("'\"")

    def pids(self) -> dict[str, int]:
        """The processes that run now, by name."""
        files = (self.folder / "data/run").glob("*.pid")
        return {file.stem: int(file.read_text()) for file in files if file.stem != "demo-1"}

    def send(self, name: str, number: signal.Signals) -> bool:
        """Whether there was a process of that name to send a signal to."""
        try:
            os.kill(self.pids()[name], number)
        except (ProcessLookupError, KeyError, OSError):
            return False
        return True

    def api(self, path: str) -> Any:
        with urlopen(f"http://127.0.0.1:{self.ports['dashboard']}{path}", timeout=10) as answer:
            return json.loads(answer.read())

    def command(self, *arguments: str) -> subprocess.CompletedProcess[bytes]:
        """A command of the command line, on this box."""
        settings = {
            "CATCHWATER_REDIS_URL": self.ports["redis_url"],
            "CATCHWATER_MONGO_URL": self.ports["mongo_url"],
            "CATCHWATER_STREAMDEFS": str(self.folder / "streamdefs.yaml"),
            "PYTHONPATH": str(self.source),
        }
        command = [sys.executable, "-m", "catchwater.cli", *arguments]
        return subprocess.run(command, env=os.environ | settings, cwd=self.source, capture_output=True, check=False)

    def drained(self) -> bool:
        """Whether everything that was accepted has reached MongoDB, or the place where it ends. Nobody knows while the
        ingest that was killed last is not back.
        """
        try:
            if list((self.folder / "data/spool").glob("*.sqlite")) and self._spooled():
                return False
        except OSError:
            return False
        found = self.command("status", "--json")
        return found.returncode == 0 and not any(one["depth"] for one in json.loads(found.stdout)["stages"])

    def _spooled(self) -> float:
        """Events in the spool, as ingest says: several processes share it, so the largest number is the newest."""
        depths = []
        for name, port in self.ports["ops"].items():
            if name.startswith("ingest"):
                with urlopen(f"http://127.0.0.1:{port}/metrics", timeout=10) as answer:
                    lines = answer.read().decode().splitlines()
                depths += [float(line.split()[1]) for line in lines if line.startswith("catchwater_spool_depth ")]
        return max(depths, default=0.0)
