"""The processes of one box: which there are, and what each is told."""

from __future__ import annotations

import socket
import urllib.request
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from catchwater.embedded import MongoServer, RedisServer, ServerTrouble, free_port
from catchwater.streamdefs import SINK
from catchwater.supervisor import Piece, catchwater

if TYPE_CHECKING:
    from pathlib import Path

    from catchwater.embedded import Server
    from catchwater.streamdefs import StreamDefs


@dataclass(frozen=True)
class Ports:
    """What people connect to."""

    ingest: int
    dashboard: int
    demo: int

    @classmethod
    def choose(cls, ingest: int, dashboard: int, demo: int) -> Ports:
        """The wanted ports, or free ones for 0. Raises ServerTrouble when one is taken."""
        named = {"ingest": ingest, "dashboard": dashboard, "demo": demo}
        return cls(**{name: _free(name, port) for name, port in named.items()})


@dataclass
class Box:
    """One machine with all of Catchwater. URLs that are not given are those of embedded servers."""

    data: Path
    ports: Ports
    defs: StreamDefs
    streamdefs: Path | None
    scale: dict[str, int]
    redis_url: str = ""
    mongo_url: str = ""
    public_url: str = ""
    ops_ports: dict[str, int] = field(default_factory=dict)
    embedded: list[Server] = field(init=False, default_factory=list)

    def __post_init__(self) -> None:
        if not self.redis_url:
            self.embedded.append(redis := RedisServer(self.data / "redis"))
            self.redis_url = redis.url
        if not self.mongo_url:
            self.embedded.append(mongo := MongoServer(self.data / "mongo"))
            self.mongo_url = mongo.url

    @property
    def projects(self) -> Path:
        return self.data / "projects.yaml"

    @property
    def ingest_url(self) -> str:
        """How browsers reach ingest."""
        return self.public_url or f"http://127.0.0.1:{self.ports.ingest}"

    def ports_by_name(self) -> dict[str, object]:
        """For programs: `DIR/run/ports.json`."""
        own = {"ingest": self.ports.ingest, "dashboard": self.ports.dashboard, "demo": self.ports.demo}
        return own | {"redis_url": self.redis_url, "mongo_url": self.mongo_url, "ops": self.ops_ports}

    def environment(self, name: str) -> dict[str, str]:
        """The settings of one process, as every command takes them."""
        self.ops_ports[name] = self.ops_ports.get(name) or free_port()
        settings = {
            "REDIS_URL": self.redis_url,
            "MONGO_URL": self.mongo_url,
            "PROJECTS": str(self.projects),
            "OPS_PORT": str(self.ops_ports[name]),
            "INGEST_PORT": str(self.ports.ingest),
            "DASHBOARD_PORT": str(self.ports.dashboard),
            "INGEST_URL": self.ingest_url,
            "PUBLIC_URL": self.public_url,
            "DEMO_URL": f"http://127.0.0.1:{self.ports.demo}/",
            "SPOOL": str(self.data / "spool"),
        }
        if self.streamdefs:
            settings["STREAMDEFS"] = str(self.streamdefs.resolve())
        return {f"CATCHWATER_{setting}": value for setting, value in settings.items()}


def servers(box: Box) -> list[Piece]:
    """The embedded ones."""
    return [_server(box, "redis" if isinstance(server, RedisServer) else "mongo", server) for server in box.embedded]


def _server(box: Box, name: str, server: Server) -> Piece:
    server.log = box.data / "log" / f"{name}.log"
    return Piece(name, server.command(), server.answers, explain=server.last_words)


def services(box: Box) -> list[Piece]:
    """Everything of ours, ingest last: nothing is accepted before there is somebody to work on it."""
    stages = [
        _piece(box, f"{name}-{n}", "stage" if stage.run != [SINK] else "sink", name if stage.run != [SINK] else "")
        for name, stage in box.defs.stages.items()
        for n in range(1, box.scale.get(name, 1) + 1)
    ]
    ingests = [_piece(box, f"ingest-{n}", "ingest") for n in range(1, box.scale.get("ingest", 1) + 1)]
    return [*stages, _piece(box, "dashboard-1", "dashboard"), *ingests, _demo(box)]


def _piece(box: Box, name: str, *command: str) -> Piece:
    consumer = ["--consumer", name] if command[0] in ("stage", "sink") else []
    environment = box.environment(name)
    arguments = catchwater(*(part for part in command if part), *consumer)
    return Piece(name, arguments, lambda: _ready(box.ops_ports[name]), environment)


def _demo(box: Box) -> Piece:
    command = catchwater("demo", "--port", str(box.ports.demo))
    return Piece("demo-1", command, lambda: _open(box.ports.demo), box.environment("demo-1"))


def _ready(port: int) -> bool:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/readyz", timeout=2) as answer:
            return bool(answer.status == 200)
    except OSError:
        return False


def _open(port: int) -> bool:
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=1):
            return True
    except OSError:
        return False


def _free(name: str, port: int) -> int:
    if port == 0:
        return free_port()
    if _open(port):
        raise ServerTrouble(f"port {port} is taken: stop what uses it, or choose another with --{name}-port")
    return port
