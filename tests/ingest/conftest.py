from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.client import HTTPConnection
from pathlib import Path

import pytest

from catchwater.connection import Connection
from catchwater.embedded import free_port
from catchwater.event import Event, decode
from catchwater.keys import DOOR, stream
from catchwater.streamdefs import StreamDefs, load
from tests.waiting import wait_until

KEY = "0123456789abcdef0123456789abcdef"
OTHER = "fedcba9876543210fedcba9876543210"
PROJECTS = f"""
projects:
  - {{id: "1", name: shop, key: "{KEY}"}}
  - {{id: "2", name: gone, key: "{OTHER}", disabled: true}}
  - {{id: "3", name: picky, key: "{"3" * 32}", origins: ["https://shop.example", "https://*.blog.example"]}}
  - {{id: "4", name: slow, key: "{"4" * 32}", rate: 2}}
  - {{id: "42", name: recorded, key: "{"a" * 32}"}}
"""


@dataclass
class Answer:
    status: int
    headers: dict[str, str]
    body: bytes


@dataclass
class Ingest:
    """A real ingest process, and the Redis it writes to."""

    port: int
    ops_port: int
    redis_url: str
    folder: Path
    defs: StreamDefs
    options: tuple[str, ...] = ()
    process: subprocess.Popen[bytes] | None = field(default=None, init=False)

    def start(self) -> None:
        command = [sys.executable, "-m", "catchwater.cli", "ingest", *self.options]
        settings = {
            "CATCHWATER_INGEST_PORT": str(self.port),
            "CATCHWATER_OPS_PORT": str(self.ops_port),
            "CATCHWATER_REDIS_URL": self.redis_url,
            "CATCHWATER_PROJECTS": str(self.folder / "projects.yaml"),
            "CATCHWATER_SPOOL": str(self.folder / "spool"),
            "CATCHWATER_STREAMDEFS": str(self.folder / "streamdefs.yaml"),
        }
        with (self.folder / "log").open("ab") as log:
            self.process = subprocess.Popen(command, env=os.environ | settings, stderr=log)
        wait_until(self._alive, "ingest answers")

    def _alive(self) -> bool:
        try:
            return self.get("/healthz").status == 200
        except OSError:
            return False

    def stop(self, number: signal.Signals = signal.SIGTERM) -> int:
        assert self.process
        self.process.send_signal(number)
        return self.process.wait(30)

    def get(self, path: str, **headers: str) -> Answer:
        return self.request("GET", path, None, headers)

    def post(self, path: str, body: bytes | str, headers: dict[str, str] | None = None) -> Answer:
        return self.request("POST", path, body.encode() if isinstance(body, str) else body, headers or {})

    def request(self, method: str, path: str, body: bytes | None, headers: dict[str, str]) -> Answer:
        connection = HTTPConnection("127.0.0.1", self.port, timeout=30)
        try:
            connection.request(method, path, body, headers)
            answer = connection.getresponse()
            return Answer(answer.status, {k.lower(): v for k, v in answer.getheaders()}, answer.read())
        finally:
            connection.close()

    def events(self) -> list[Event]:
        """What Redis has on the first stream."""
        connection = Connection(self.redis_url)
        found = []
        for tag in self.defs.tags:
            for _, flat in connection.call("XRANGE", stream(tag, "raw"), "-", "+"):
                found.append(decode(dict(zip(flat[::2], flat[1::2], strict=True))))
        connection.close()
        return found

    def losses(self) -> dict[str, int]:
        connection = Connection(self.redis_url)
        flat = connection.call("HGETALL", DOOR)
        connection.close()
        return {name.decode(): int(n) for name, n in zip(flat[::2], flat[1::2], strict=True)}


@pytest.fixture(scope="module")
def running(redis_server: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ingest]:
    with made(redis_server, tmp_path_factory.mktemp("ingest")) as one:
        yield one


@pytest.fixture
def ingest(running: Ingest, redis_url: str) -> Ingest:
    """The running ingest, on a Redis that is empty."""
    return running


class made:  # noqa: N801 - reads as a function
    """An ingest process on `redis_url` with its files in `folder`, while this lasts."""

    def __init__(self, redis_url: str, folder: Path, *options: str, pipeline: str = "") -> None:
        (folder / "projects.yaml").write_text(PROJECTS)
        shipped = Path(__file__).parents[2] / "streamdefs.yaml"
        (folder / "streamdefs.yaml").write_text(pipeline or shipped.read_text())
        self.one = Ingest(free_port(), free_port(), redis_url, folder, load(folder / "streamdefs.yaml"), options)

    def __enter__(self) -> Ingest:
        self.one.start()
        return self.one

    def __exit__(self, *_: object) -> None:
        if self.one.process and self.one.process.poll() is None:
            self.one.stop()


Make = Callable[..., Ingest]
