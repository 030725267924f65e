"""Every service as a process of its own, each with the rights that ops/access gives it."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING, Any
from urllib.request import urlopen

from pymongo import MongoClient

from catchwater.local.servers import MongoServer, RedisServer, free_port
from catchwater.redis_client import Connection
from tests.ops.tool import OPS, ROOT
from tests.up_process import without_settings
from tests.waiting import wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

ADMIN = "somebody"
KEY = "0123456789abcdef0123456789abcdef"
NOBODY = "{to: webhook, url: 'http://127.0.0.1:9/'}"
PROJECTS = f"""
projects:
  - {{id: "1", name: shop, key: "{KEY}", notices: {{channels: [{NOBODY}], gather: 0s}}}}
  - {{id: "2", name: slow, key: "{"2" * 32}", rate: 2}}
"""
USERS = {
    "ingest": ("ingest", ""),
    "fingerprint": ("stage", "fingerprint"),
    "dedupe": ("stage", ""),
    "count": ("stage", ""),
    "sink": ("sink", "sink"),
    "notify": ("", "notify"),
    "dashboard": ("dashboard", "dashboard"),
    "operator": ("operator", "operator"),
    "grow": ("grow", ""),
}
"""Who each service is for Redis and for MongoDB."""
PEOPLE = {"operator", "grow"}
"""Those that are no services."""


class GuardedRedis(RedisServer):
    def command(self) -> list[str]:
        return [*super().command(), "--aclfile", str(self.data.parent / "ops/access/users.acl")]

    def answers(self) -> bool:
        return self._said(b"PING").startswith(b"-NOAUTH")


class GuardedMongo(MongoServer):
    def command(self) -> list[str]:
        return [*super().command(), "--auth"]


class Guarded:
    """Redis and MongoDB with the users of ops/access, and what Catchwater runs on them."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        shutil.copytree(OPS, folder / "ops")
        self.make_passwords()
        with (folder / "ops/access/users.acl").open("a") as users:
            users.write(f"user admin on >{ADMIN} ~* +@all\n")
        lines = (folder / "ops/.env").read_text().splitlines()
        self.passwords = dict(line.split("=", 1) for line in lines)
        self.redis, self.mongo = GuardedRedis(folder / "redis"), GuardedMongo(folder / "mongo")
        (folder / "projects.yaml").write_text(PROJECTS)
        self._processes: dict[str, subprocess.Popen[bytes]] = {}
        self.ingest_port, self.dashboard_port = free_port(), free_port()
        self.ops_ports = {name: free_port() for name in USERS}

    @contextmanager
    def servers(self) -> Iterator[Guarded]:
        with ExitStack() as running:
            for server in (self.redis, self.mongo):
                server.start()
                running.callback(server.stop)
            self._make_users()
            yield self

    @contextmanager
    def services(self) -> Iterator[Guarded]:
        """And all of Catchwater on them."""
        with self.servers(), ExitStack() as running:
            for name in set(USERS) - PEOPLE:
                running.callback(self._end, name, signal.SIGTERM)
                self._start(name)
            wait_until(lambda: all(map(self._ready, USERS)), "all are ready", 60)
            yield self

    def redis_url(self, user: str) -> str:
        password = self.passwords[f"REDIS_{user.upper()}_PASSWORD"]
        return self.redis.url.replace("://", f"://{user}:{password}@")

    def mongo_url(self, user: str) -> str:
        password = self.passwords[f"MONGO_{user.upper()}_PASSWORD"]
        database = "admin" if user == "root" else "catchwater"
        return f"{self.mongo.url}/{database}".replace("://", f"://{user}:{password}@")

    def command(self, *arguments: str, user: str = "operator") -> subprocess.CompletedProcess[str]:
        """A command of the operator's, or of another of PEOPLE."""
        return subprocess.run(
            self._arguments(*arguments),
            env=self._environment(user),
            capture_output=True,
            text=True,
            check=False,
        )

    def kill(self, name: str) -> None:
        """SIGKILL, and start it anew."""
        self._end(name, signal.SIGKILL)
        self._start(name)

    def denied(self) -> list[str]:
        """What somebody wanted to do and may not."""
        admin = Connection(self.redis.url.replace("://", f"://admin:{ADMIN}@"))
        found = [str(entry) for entry in admin.call("ACL LOG")]
        admin.close()
        logs = [path for path in self.folder.glob("*.log") if "not authorized" in path.read_text()]
        return [*found, *map(str, logs)]

    def make_passwords(self) -> None:
        self._run(["sh", str(self.folder / "ops/access/passwords")])

    def _make_users(self) -> None:
        password = self.passwords["MONGO_ROOT_PASSWORD"]
        with MongoClient[dict[str, Any]](self.mongo.url) as client:  # the first one may
            client.admin.command("createUser", "root", pwd=password, roles=["root"])
        script = str(self.folder / "ops/access/mongo_users.py")
        self._run([sys.executable, script], {"CATCHWATER_MONGO_URL": self.mongo_url("root")})

    def _run(self, command: list[str], settings: dict[str, str] | None = None) -> None:
        environment = os.environ | (self.passwords | settings if settings else {})
        subprocess.run(command, env=environment, check=True, capture_output=True)

    def _start(self, name: str) -> None:
        stage = ["stage"] if name in {"fingerprint", "dedupe", "count"} else []
        with (self.folder / f"{name}.log").open("ab") as log:
            self._processes[name] = subprocess.Popen(
                self._arguments(*stage, name), env=self._environment(name), stdout=log, stderr=log
            )

    def _end(self, name: str, how: signal.Signals) -> None:
        self._processes[name].send_signal(how)
        self._processes[name].wait(30)

    def _arguments(self, *arguments: str) -> list[str]:
        return [sys.executable, "-m", "catchwater.commands.cli", *arguments]

    def _environment(self, name: str) -> dict[str, str]:
        redis, mongo = USERS[name]
        settings = {
            "REDIS_URL": self.redis_url(redis) if redis else "",
            "MONGO_URL": self.mongo_url(mongo) if mongo else "",
            "STREAMDEFS": str(ROOT / "streamdefs.yaml"),
            "PROJECTS": str(self.folder / "projects.yaml"),
            "SPOOL": str(self.folder / "spool"),
            "OPS_PORT": str(self.ops_ports[name]),
            "INGEST_PORT": str(self.ingest_port),
            "DASHBOARD_PORT": str(self.dashboard_port),
        }
        return without_settings() | {
            f"CATCHWATER_{key}": text for key, text in settings.items() if text
        }

    def _ready(self, name: str) -> bool:
        if name in PEOPLE:
            return True
        try:
            with urlopen(f"http://127.0.0.1:{self.ops_ports[name]}/readyz", timeout=5) as answer:
                return bool(answer.status == 200)
        except OSError:
            return False
