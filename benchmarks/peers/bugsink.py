"""Bugsink as its guide to one server says: gunicorn, its own worker, SQLite. Without its quotas."""

from __future__ import annotations

import os
import sqlite3
import subprocess
from contextlib import ExitStack, closing
from typing import TYPE_CHECKING, Self

from benchmarks.whole import wait_for_port
from catchwater.local.servers import free_port

if TYPE_CHECKING:
    from pathlib import Path

KEY = "0123456789abcdef0123456789abcdef"
SPANS = ("5_MINUTES", "HOUR", "MONTH")
UNLIMITED = "".join(
    f'\nBUGSINK["MAX_EVENTS_{of}PER_{span}"] = 10**9' for span in SPANS for of in ("", "PROJECT_")
).replace("EVENTS_PROJECT_PER", "EVENTS_PER_PROJECT_PER")
LOCAL = """
ALLOWED_HOSTS = ["*"]
SECURE_PROXY_SSL_HEADER = None
"""
PROJECT = f"""
from projects.models import Project
Project.objects.create(name="bench", slug="bench", sentry_key="{KEY}")
"""


class Bugsink:
    def __init__(self, folder: Path, python: Path) -> None:
        self._folder = folder
        self._programs = python.parent
        self._port = free_port()
        self._running = ExitStack()
        self._processes: list[subprocess.Popen[bytes]] = []

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._port}/api/1/envelope/?sentry_key={KEY}"

    def __enter__(self) -> Self:
        conf = self._folder / "bugsink_conf.py"
        place = ("--host", "127.0.0.1", "--base-dir", str(self._folder))
        self._do("bugsink-create-conf", "--template=singleserver", *place, "-o", str(conf))
        conf.write_text(conf.read_text() + UNLIMITED + LOCAL)
        self._do("bugsink-manage", "migrate")
        self._do("bugsink-manage", "migrate", "--database=snappea")
        self._do("bugsink-manage", "shell", "-c", PROJECT)
        self._start("bugsink-runsnappea")
        bind = f"127.0.0.1:{self._port}"
        self._start("gunicorn", "--bind", bind, "--workers", "2", "bugsink.wsgi")
        wait_for_port(self._port)
        return self

    def __exit__(self, *_: object) -> None:
        self._running.close()

    def counted(self) -> int:
        """Events that are digested."""
        with closing(sqlite3.connect(self._folder / "db.sqlite3", timeout=60)) as database:
            found = database.execute("SELECT digested_event_count FROM projects_project")
            return int(found.fetchone()[0])

    def pids(self) -> list[int]:
        found = [one.pid for one in self._processes]
        return found + [child for pid in found for child in _children(pid)]

    def _do(self, program: str, *arguments: str) -> None:
        command = [self._programs / program, *arguments]
        place, environment = self._folder, self._environment
        subprocess.run(command, cwd=place, env=environment, check=True, capture_output=True)

    def _start(self, program: str, *arguments: str) -> None:
        with (self._folder / f"{program}.log").open("wb") as log:
            one = subprocess.Popen(
                [self._programs / program, *arguments],
                cwd=self._folder,
                env=self._environment,
                stdout=log,
                stderr=log,
            )
        self._processes.append(one)
        self._running.callback(one.wait)
        self._running.callback(one.kill)

    @property
    def _environment(self) -> dict[str, str]:
        return os.environ | {"PYTHONPATH": str(self._folder)}


def _children(pid: int) -> list[int]:
    found = subprocess.run(["pgrep", "-P", str(pid)], check=False, capture_output=True, text=True)
    return [int(line) for line in found.stdout.split()]
