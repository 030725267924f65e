from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from catchwater.answers import Reject
from catchwater.config.streamdefs import load
from catchwater.event import Event, encode
from catchwater.redis_client import Connection
from catchwater.streams.consumer import Consumer, prepare
from catchwater.streams.keys import stream
from tests.up_process import without_settings

PIPELINE = """
partitions: 2
streams: {raw: {}, named: {}, unique: {}, counted: {}}
stages:
  fingerprint: {run: "stages.fingerprint:fingerprint", reads: raw, emits: named}
  dedupe: {run: "stages.dedupe:dedupe", reads: named, emits: unique, once_for: 24h}
  count: {run: "stages.count:count", reads: unique, emits: counted, samples: 4/h}
  sink: {run: sink, reads: counted}
defaults: {batch: 10, wait: 50ms}
"""


class Shell:
    """The command line in a folder of its own, on real servers."""

    def __init__(self, folder: Path, redis_url: str) -> None:
        self.folder = folder
        self.redis_url = redis_url
        self.settings = {"CATCHWATER_REDIS_URL": redis_url}
        self._running: list[subprocess.Popen[bytes]] = []
        (folder / "streamdefs.yaml").write_text(PIPELINE)

    def __call__(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        found = subprocess.run(
            command(*arguments),
            cwd=self.folder,
            env=self._environment(),
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert "Traceback" not in found.stderr, found.stderr
        return found

    def start(self, *arguments: str) -> None:
        with (self.folder / f"{arguments[0]}.log").open("wb") as log:
            self._running.append(
                subprocess.Popen(
                    command(*arguments), cwd=self.folder, env=self._environment(), stderr=log
                )
            )

    def end(self) -> list[int]:
        """Ask what was started to end; the exit codes."""
        for process in self._running:
            process.send_signal(signal.SIGTERM)
        codes = [process.wait(30) for process in self._running]
        self._running.clear()
        return codes

    def kill(self) -> None:
        for process in self._running:
            process.kill()
            process.wait()

    def _environment(self) -> dict[str, str]:
        return without_settings() | self.settings | {"PYTHONPATH": str(Path(__file__).parents[2])}


def command(*arguments: str) -> list[str]:
    return [sys.executable, "-m", "catchwater.commands.cli", *arguments]


@pytest.fixture
def shell(redis_url: str, tmp_path: Path) -> Iterator[Shell]:
    """The command line, on an empty Redis that knows the pipeline."""
    one = Shell(tmp_path, redis_url)
    connection = Connection(redis_url)
    prepare(connection, load(tmp_path / "streamdefs.yaml"))
    connection.close()
    yield one
    one.kill()


@pytest.fixture
def accept(shell: Shell) -> Iterator[Callable[[Event], None]]:
    """Puts an event where ingest puts it."""
    defs, connection = load(shell.folder / "streamdefs.yaml"), Connection(shell.redis_url)

    def add(one: Event) -> None:
        flat = [part for item in encode(one).items() for part in item]
        connection.call("XADD", stream(defs.tags[defs.partition_of(one.id)], "raw"), "*", *flat)

    yield add
    connection.close()


@pytest.fixture
def reject(shell: Shell, accept: Callable[[Event], None]) -> Iterator[Callable[[Event], None]]:
    """Makes an event a dead letter of the first stage."""
    defs, connection = load(shell.folder / "streamdefs.yaml"), Connection(shell.redis_url)
    consumer = Consumer(connection, defs, "fingerprint", "a")

    def add(one: Event) -> None:
        accept(one)
        consumer.commit([(entry, Reject("it is purple")) for entry in consumer.read()])

    yield add
    connection.close()
