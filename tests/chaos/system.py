"""All of Catchwater as `catchwater up` runs it, with two of each stage and two sinks."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from typing import TYPE_CHECKING, Self
from urllib.request import urlopen

from tests.chaos.servers import ChosenServers
from tests.servers.chosen import chosen
from tests.up_process import UpProcess

if TYPE_CHECKING:
    from pathlib import Path

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


SCALE = [
    part for name in ("fingerprint", "dedupe", "count", "sink") for part in ("--scale", f"{name}=2")
]


class ChaosSystem(UpProcess):
    """All of Catchwater, with two processes of each stage. `source`: where its code comes from."""

    def __init__(self, folder: Path, source: Path, servers: ChosenServers | None = None) -> None:
        """`servers`: where not those of CATCHWATER_TEST_SERVERS, as they are by default."""
        self.streamdefs = folder / "streamdefs.yaml"
        self.streamdefs.write_text(PIPELINE)
        self.servers = servers or ChosenServers(folder / "servers", chosen())
        super().__init__(
            folder,
            *("--streamdefs", str(self.streamdefs), *SCALE),
            source=source,
            environment=self.servers.environment,
        )

    def __enter__(self) -> Self:
        self.servers.__enter__()
        self._command += self.servers.options
        try:
            return super().__enter__()
        except BaseException:
            self.servers.__exit__()
            raise

    def __exit__(self, *_: object) -> None:
        super().__exit__()
        self.servers.__exit__()

    def pids(self) -> dict[str, int]:
        """The processes that run now, by name, with the servers, but for the demo page."""
        every = super().pids() | self.servers.pids()
        return {name: pid for name, pid in every.items() if name != "demo-1"}

    def redis_logs(self) -> list[Path]:
        """The append-only files of every Redis that took events."""
        return self.servers.logs() or [self.data / "redis/appendonlydir"]

    def send(self, name: str, number: signal.Signals) -> bool:
        """Whether there was a process of that name to send a signal to."""
        try:
            os.kill(self.pids()[name], number)
        except (ProcessLookupError, KeyError, OSError):
            return False
        return True

    def command(self, *arguments: str) -> subprocess.CompletedProcess[bytes]:
        """A command of the command line, on this system."""
        settings = {
            "CATCHWATER_REDIS_URL": self.ports["redis_url"],
            "CATCHWATER_MONGO_URL": self.ports["mongo_url"],
            "CATCHWATER_STREAMDEFS": str(self.streamdefs),
        }
        command = [sys.executable, "-m", "catchwater.commands.cli", *arguments]
        return subprocess.run(
            command,
            env=self.environment() | settings,
            cwd=self._source,
            capture_output=True,
            check=False,
        )

    def drained(self) -> bool:
        """Whether everything that was accepted has reached MongoDB, or the place where it ends.

        Nobody knows while the ingest that was killed last is not back.
        """
        try:
            if list((self.data / "spool").glob("*.sqlite")) and self._spooled():
                return False
        except OSError:
            return False
        found = self.command("status", "--json")
        return found.returncode == 0 and not any(
            one["depth"] for one in json.loads(found.stdout)["stages"]
        )

    def _spooled(self) -> float:
        """Events in the spool, as ingest says: several processes share it, so the largest
        number is the newest.
        """
        depths = []
        for name, port in self.ports["ops"].items():
            if name.startswith("ingest"):
                with urlopen(f"http://127.0.0.1:{port}/metrics", timeout=10) as answer:
                    lines = answer.read().decode().splitlines()
                depths += [
                    float(line.split()[1])
                    for line in lines
                    if line.startswith("catchwater_spool_depth ")
                ]
        return max(depths, default=0.0)
