"""What must not lose a thing that it has confirmed when the power goes: Redis, the spool, MongoDB.

Each is run under strace while events are given to it, one after the other; `acknowledged` are their
ids, with the moment at which it had confirmed each.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from abc import ABC, abstractmethod
from pathlib import Path
from typing import ClassVar

import pymongo

from catchwater.config.streamdefs import Retention
from catchwater.local.servers import MongoServer, RedisServer, Server
from catchwater.redis_client import Connection
from ingest.spool import Spool
from sink.fold import Writes, fold
from sink.writer import MongoWriter
from tests.power.recording import strace
from tests.sink.test_store import tally


class Subject(ABC):
    name: ClassVar[str]
    cuts: ClassVar[int]
    in_order: ClassVar[bool] = False
    """Whether of what was not synced a beginning arrives, instead of any sectors."""

    def __init__(self, folder: Path, *, careless: bool) -> None:
        """`careless`: as it must not be set, to see that the loss is found."""
        self.folder = folder / "data"
        self.record = folder / "strace"
        self.careless = careless
        self.acknowledged: list[tuple[float, str]] = []

    @abstractmethod
    def run(self, events: int) -> None:
        """Give it so many events, then kill it."""

    @abstractmethod
    def found(self, folder: Path) -> set[str]:
        """The ids that are there when it is started on this folder."""


def kill_traced(server: Server) -> None:
    """Kill what strace runs; strace ends with it."""
    (child,) = Path(f"/proc/{server.pid}/task/{server.pid}/children").read_text().split()
    os.kill(int(child), signal.SIGKILL)
    server._end(signal.SIGCONT)


class TracedRedis(RedisServer):
    record: Path
    fsync = "always"

    def command(self) -> list[str]:
        return [*strace(self.record), *super().command(), "--appendfsync", self.fsync]


class RedisSubject(Subject):
    """Its log is only added to: a torn end is cut off at the start. In the middle nothing may be
    missing, as no journalling file system leaves it.
    """

    name, cuts, in_order = "Redis (appendfsync always)", 100, True

    def run(self, events: int) -> None:
        server = TracedRedis(self.folder)
        server.record = self.record
        server.fsync = "no" if self.careless else "always"
        server.start()
        connection = Connection(server.url)
        for number in range(events):
            connection.call("XADD", "events", "*", "id", number, "body", "x" * (number % 3000))
            self.acknowledged.append((time.time(), str(number)))
        connection.close()
        kill_traced(server)

    def found(self, folder: Path) -> set[str]:
        server = RedisServer(folder)
        server.start()
        connection = Connection(server.url)
        try:
            rows = connection.call("XRANGE", "events", "-", "+")
            return {fields[1].decode() for _, fields in rows}
        finally:
            connection.close()
            server.kill()


class SpoolSubject(Subject):
    name, cuts = "the spool (SQLite, synchronous=FULL)", 300

    def run(self, events: int) -> None:
        command = [sys.executable, "-m", "tests.power.spooler", str(self.folder), str(events)]
        with subprocess.Popen(
            [*strace(self.record), *command, *(["careless"] if self.careless else [])],
            stdout=subprocess.PIPE,
            text=True,
        ) as process:
            assert process.stdout
            for line in process.stdout:
                self.acknowledged.append((time.time(), line.strip()))

    def found(self, folder: Path) -> set[str]:
        spool = Spool(folder, 10**9)
        ids: set[str] = set()
        try:
            while page := spool.page():
                ids |= {event.id for event in page.events}
                spool.mark_added(page)
        finally:
            spool.close()
        return ids


class TracedMongo(MongoServer):
    record: Path

    def command(self) -> list[str]:
        return [*strace(self.record), *super().command()]


class MongoSubject(Subject):
    """An id is a number that was written: the absolute counter must be there, or a later one."""

    name, cuts = "MongoDB (w: majority, journalled)", 12

    def run(self, events: int) -> None:
        server = TracedMongo(self.folder)
        server.record = self.record
        server.start()
        writer = MongoWriter(server.url, Retention())
        if self.careless:
            writer._database = writer._client.get_database(
                "catchwater", write_concern=pymongo.WriteConcern(1, j=False)
            )
        for number in range(1, events + 1):
            writes = Writes()
            fold(writes, tally("1:v1:a", number))
            writer.write(writes)
            self.acknowledged.append((time.time(), str(number)))
        writer.close()
        kill_traced(server)

    def found(self, folder: Path) -> set[str]:
        server = MongoServer(folder)
        server.start()
        try:
            with pymongo.MongoClient(server.url) as client:
                issue = client.catchwater.issues.find_one({"_id": "1:v1:a"}) or {}
            return {str(n) for n in range(1, max(issue.get("parts", {"": 0}).values()) + 1)}
        finally:
            server.stop()


SUBJECTS: list[type[Subject]] = [RedisSubject, SpoolSubject, MongoSubject]
