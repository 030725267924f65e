"""The processes of one machine: which there are, and the settings of each."""

from __future__ import annotations

import os
import shutil
import socket
import tempfile
import urllib.request
from dataclasses import asdict, dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from catchwater.config.projects import load_if_there
from catchwater.config.streamdefs import SINK, packaged
from catchwater.errors import ServerStartError
from catchwater.local.log_age import LogAge
from catchwater.local.memory import machine_memory, redis_memory
from catchwater.local.servers import MongoServer, RedisServer, free_port
from catchwater.local.supervisor import ManagedProcess
from catchwater.redaction import redacted_address

if TYPE_CHECKING:
    from collections.abc import Callable

    from catchwater.config.streamdefs import StreamDefs
    from catchwater.local.servers import Server


DEMO = "demo-1"
"""The name of the demo page's process."""


@dataclass(frozen=True)
class Ports:
    """What people connect to."""

    ingest: int
    dashboard: int
    demo: int | None = None
    """None: there is no demo page."""

    @classmethod
    def choose(cls, ingest: int, dashboard: int, demo: int | None) -> Ports:
        """These ports, or free ones for 0. Raises ServerStartError when one is taken."""
        named = {"ingest": ingest, "dashboard": dashboard, "demo": demo}
        return cls(**{name: _free(name, at) for name, at in named.items() if at is not None})

    @property
    def demo_url(self) -> str:
        """'' where there is no demo page."""
        return "" if self.demo is None else f"http://127.0.0.1:{self.demo}/"


class LocalProcesses:
    """One machine with all of Catchwater. URLs that are not given are those of embedded servers."""

    def __init__(
        self,
        data: Path,
        ports: Ports,
        defs: StreamDefs,
        scale: dict[str, int],
        *,
        streamdefs: Path | None = None,
        redis_url: str = "",
        mongo_url: str = "",
        public_url: str = "",
    ) -> None:
        """`scale` is how many processes of a stage or of ingest there are, where not one.

        Raises ServerStartError when there is no free port.
        """
        self.data = data
        self.ports = ports
        self.defs = defs
        self._scale = scale
        self._streamdefs = streamdefs
        self._public_url = public_url
        self._embedded: dict[str, Server] = {}
        self._ingest_socket: socket.socket | None = None
        self.chore: Callable[[], None] = lambda: None
        """What is to be done often, while they run."""
        self.redis_url = redis_url or self._embedded_redis()
        self.mongo_url = mongo_url or self._embedded_mongo()
        self._ops_ports = {name: free_port() for name in [*self._commands(), DEMO]}

    @property
    def projects(self) -> Path:
        return self.data / "projects.yaml"

    @property
    def ingest_url(self) -> str:
        """How browsers reach ingest."""
        return self._public_url or f"http://127.0.0.1:{self.ports.ingest}"

    def ports_by_name(self) -> dict[str, object]:
        """For programs: `DIR/run/ports.json`."""
        addresses = {
            "redis_url": redacted_address(self.redis_url),
            "mongo_url": redacted_address(self.mongo_url),
            "public_url": self.ingest_url,
            "streamdefs": str((self._streamdefs or packaged()).resolve()),
            "ops": self._ops_ports,
        }
        return asdict(self.ports) | addresses

    def servers(self) -> list[ManagedProcess]:
        """The embedded servers."""
        return [
            ManagedProcess(name, server.command(), server.answers, explain=server.last_words)
            for name, server in self._embedded.items()
        ]

    def services(self) -> list[ManagedProcess]:
        """Catchwater's own processes. Ingest is last: nothing is accepted before it is read."""
        services = [self._service(name, command) for name, command in self._commands().items()]
        return services if self.ports.demo is None else [*services, self._demo(self.ports.demo)]

    def close(self) -> None:
        """Close the socket of ingest: nobody can connect any more."""
        if self._ingest_socket is not None:
            self._ingest_socket.close()

    def remove_sockets(self) -> None:
        """When the servers have ended: their folder, where it is not in the folder of the data."""
        if self._embedded and self.data not in self._sockets.parents:
            shutil.rmtree(self._sockets, ignore_errors=True)

    def _embedded_redis(self) -> str:
        memory, path = redis_memory(machine_memory()), self._sockets / "redis.sock"
        server = RedisServer(self.data / "redis", unix_socket=path, memory=memory)
        self.chore = LogAge(server).look
        return self._embed("redis", server)

    def _embedded_mongo(self) -> str:
        path = self._sockets / "mongo.sock"
        return self._embed("mongo", MongoServer(self.data / "mongo", unix_socket=path))

    @cached_property
    def _sockets(self) -> Path:
        return private_folder(self.data / "run")

    def _embed(self, name: str, server: Server) -> str:
        server.log = self.data / "log" / f"{name}.log"
        self._embedded[name] = server
        return server.url

    def _commands(self) -> dict[str, list[str]]:
        """The subcommand of each service, by the name of its process."""
        commands = {}
        for stage, settings in self.defs.stages.items():
            command = ["sink"] if settings.run == [SINK] else ["stage", stage]
            for name in self._numbered(stage):
                commands[name] = [*command, "--consumer", name]
        commands["dashboard-1"] = ["dashboard"]
        if self._tells_people:
            commands["notify-1"] = ["notify"]
        return commands | {name: ["ingest"] for name in self._numbered("ingest")}

    @cached_property
    def _tells_people(self) -> bool:
        """Whether a project wants notices: one more process, only where it has work."""
        return any(one.notices.channels for one in load_if_there(self.projects).all)

    def _numbered(self, name: str) -> list[str]:
        return [f"{name}-{n}" for n in range(1, self._scale.get(name, 1) + 1)]

    def _service(self, name: str, command: list[str]) -> ManagedProcess:
        port, environment = self._ops_ports[name], self._environment(name)
        inherits: tuple[int, ...] = ()
        if command == ["ingest"]:
            inherits = (self._ingest_fd(),)
            environment["CATCHWATER_INGEST_FD"] = str(inherits[0])
        return ManagedProcess(
            name, command, lambda: _is_ready(port), environment, inherits, ours=True
        )

    def _ingest_fd(self) -> int:
        """The socket of all ingest processes. It stays open while they are replaced."""
        if self._ingest_socket is None:
            host = os.environ.get("CATCHWATER_INGEST_HOST", "127.0.0.1")
            try:
                self._ingest_socket = socket.create_server(
                    (host, self.ports.ingest), backlog=1024, reuse_port=True
                )
            except OSError as error:
                raise ServerStartError(
                    f"ingest cannot listen on {host}:{self.ports.ingest}: {error.strerror}"
                ) from error
        return self._ingest_socket.fileno()

    def _demo(self, port: int) -> ManagedProcess:
        command = ["demo", "--port", str(port)]
        return ManagedProcess(
            DEMO, command, lambda: _is_open(port), self._environment(DEMO), ours=True
        )

    def _environment(self, name: str) -> dict[str, str]:
        """The settings of one process, as every command takes them."""
        settings = {
            "REDIS_URL": self.redis_url,
            "MONGO_URL": self.mongo_url,
            "PROJECTS": str(self.projects),
            "OPS_PORT": str(self._ops_ports[name]),
            "INGEST_PORT": str(self.ports.ingest),
            "DASHBOARD_PORT": str(self.ports.dashboard),
            "INGEST_URL": self.ingest_url,
            "PUBLIC_URL": self._public_url,
            "DEMO_URL": self.ports.demo_url,
            "SPOOL": str(self.data / "spool"),
            "DASHBOARD_URL": os.environ.get("CATCHWATER_DASHBOARD_URL")
            or f"http://127.0.0.1:{self.ports.dashboard}",
        }
        if self._streamdefs:
            settings["STREAMDEFS"] = str(self._streamdefs.resolve())
        return {f"CATCHWATER_{setting}": value for setting, value in settings.items()}


LONGEST_SOCKET = 107
"""Bytes of the path of a Unix socket: sun_path of unix(7), without its end."""


def private_folder(preferred: Path) -> Path:
    """A folder for sockets that only this user can enter: another one than `preferred` where a
    socket's path would be too long.
    """
    if len(os.fsencode(preferred / "redis.sock")) > LONGEST_SOCKET:
        return Path(tempfile.mkdtemp(prefix="catchwater-"))
    preferred.mkdir(parents=True, exist_ok=True)
    return preferred


def _is_ready(port: int) -> bool:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/readyz", timeout=2) as answer:
            return bool(answer.status == 200)
    except OSError:
        return False


def _is_open(port: int) -> bool:
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=1):
            return True
    except OSError:
        return False


def _free(name: str, port: int) -> int:
    if port == 0:
        return free_port()
    if _is_open(port):
        raise ServerStartError(
            f"port {port} is taken: stop what uses it, or choose another with --{name}-port"
        )
    return port
