from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.client import HTTPConnection
from pathlib import Path
from urllib.error import HTTPError
from urllib.request import urlopen

import pytest

from catchwater.config.streamdefs import StreamDefs, load
from catchwater.event import Event, decode
from catchwater.local.servers import RedisServer, free_port
from catchwater.redis_client import Connection
from catchwater.streams.keys import UNACCEPTED, stream
from ingest.spool import Spool
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
  - {{id: "51", name: rotated, key: "{"51" * 16}", old_keys: ["{"b" * 32}", "{"c" * 32}"]}}
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
        self.run()
        wait_until(self._alive, "ingest answers")

    def run(self) -> None:
        command = [sys.executable, "-m", "catchwater.commands.cli", "ingest", *self.options]
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

    def refused(self) -> str:
        """What it says as it ends with code 1."""
        self.run()
        assert self.process
        try:
            assert self.process.wait(30) == 1
        finally:
            self.process.kill()
            self.process.wait()
        return self.log()

    def log(self) -> str:
        return (self.folder / "log").read_text()

    def ready(self) -> str:
        """Why it is not ready; '' when it is."""
        try:
            with urlopen(f"http://127.0.0.1:{self.ops_port}/readyz", timeout=10):
                return ""
        except HTTPError as error:
            return error.read().decode()

    def metric(self, name: str) -> float:
        with urlopen(f"http://127.0.0.1:{self.ops_port}/metrics", timeout=10) as answer:
            lines = answer.read().decode().splitlines()
        return next(float(line.split()[1]) for line in lines if line.startswith(f"{name} "))

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
        return self.request(
            "POST", path, body.encode() if isinstance(body, str) else body, headers or {}
        )

    def request(
        self, method: str, path: str, body: bytes | None, headers: dict[str, str]
    ) -> Answer:
        connection = HTTPConnection("127.0.0.1", self.port, timeout=30)
        try:
            connection.request(method, path, body, headers)
            answer = connection.getresponse()
            return Answer(
                answer.status, {k.lower(): v for k, v in answer.getheaders()}, answer.read()
            )
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

    def peak_memory(self) -> int:
        """Bytes of memory that the process has had at most since `forget_peak`."""
        assert self.process
        status = Path(f"/proc/{self.process.pid}/status").read_text()
        (line,) = [line for line in status.splitlines() if line.startswith("VmHWM")]
        return int(line.split()[1]) * 1024

    def forget_peak(self) -> None:
        assert self.process
        Path(f"/proc/{self.process.pid}/clear_refs").write_text("5")

    def losses(self) -> dict[str, int]:
        connection = Connection(self.redis_url)
        flat = connection.call("HGETALL", UNACCEPTED)
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
        self.ingest = Ingest(
            free_port(), free_port(), redis_url, folder, load(folder / "streamdefs.yaml"), options
        )

    def __enter__(self) -> Ingest:
        self.ingest.start()
        return self.ingest

    def __exit__(self, *_: object) -> None:
        if self.ingest.process and self.ingest.process.poll() is None:
            self.ingest.stop()


Make = Callable[..., Ingest]


@pytest.fixture
def spool(tmp_path: Path) -> Iterator[Spool]:
    one = Spool(tmp_path, 10_000_000)
    yield one
    one.close()


@pytest.fixture
def own_redis(tmp_path: Path) -> Iterator[RedisServer]:
    """A Redis that the test may kill."""
    server = RedisServer(tmp_path / "redis")
    server.start()
    yield server
    server.stop()
