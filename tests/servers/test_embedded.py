"""The embedded servers as real processes: what they promise when they die, what they say when
they cannot start.
"""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any

import pymongo
import pytest

from catchwater.errors import ServerStartError
from catchwater.local.processes import private_folder
from catchwater.local.servers import MongoServer, RedisServer, Server
from catchwater.redis_client import Connection
from tests.missing import missing
from tests.waiting import wait_until

SCRIPT = """
import sys, time
from pathlib import Path
from catchwater.local.processes import private_folder
from catchwater.local.servers import RedisServer
server = RedisServer(Path(sys.argv[1]))
server.start()
print(server.pid, flush=True)
time.sleep(60)
"""


KINDS = {"redis": RedisServer, "mongo": MongoServer}


@pytest.fixture(params=["redis", "mongo", "redis on a socket", "mongo on a socket"])
def server(request: pytest.FixtureRequest, tmp_path: Path):
    kind, _, on_socket = request.param.partition(" ")
    path = private_folder(tmp_path) / "socket.sock" if on_socket else None
    one = KINDS[kind](tmp_path / "data", unix_socket=path)
    try:
        one.find_binary()
    except ServerStartError as error:
        missing(str(error))
    yield one
    one.kill()


def test_a_started_server_answers_at_once(server: Server) -> None:
    server.start()
    assert server.answers()


def test_a_killed_server_starts_again_on_its_port_and_data(server: Server) -> None:
    server.start()
    before = server.pid
    server.kill()
    assert not server.answers()
    server.start()
    assert server.answers()
    assert server.pid != before


@pytest.mark.parametrize("kind", KINDS)
def test_a_server_on_a_socket_is_its_own_users_alone(kind: str, tmp_path: Path) -> None:
    path = private_folder(tmp_path) / "socket.sock"
    one = KINDS[kind](tmp_path / "data", unix_socket=path)
    one.start()
    try:
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection(("127.0.0.1", one.port), timeout=5)
        assert path.stat().st_mode & 0o077 == 0
        if kind == "redis":
            assert ask(one, "PING") == b"PONG"
        else:
            with pymongo.MongoClient[Any](one.url) as client:
                assert client.server_info()["ok"] == 1
    finally:
        one.kill()


def test_a_socket_whose_path_would_be_too_long_is_elsewhere(tmp_path: Path) -> None:
    assert private_folder(short := tmp_path / "run") == short
    found = private_folder(tmp_path / ("deep/" * 20))
    assert tmp_path not in found.parents
    assert found.stat().st_mode & 0o077 == 0


def test_data_stay_with_the_program_that_made_them(server: Server, tmp_path: Path) -> None:
    """A Redis that is installed later would not read what a newer Valkey wrote."""
    first = server.find_binary()
    server.start()
    server.kill()
    (other := tmp_path / "another").touch()
    server.find_binary = lambda: other  # type: ignore[method-assign]  # found first by now
    assert server.command()[0] == str(first)
    (server.data / "program").write_text(f"{tmp_path}/removed\n")
    assert server.command()[0] == str(other)


def test_a_stopped_server_is_gone_when_stop_returns(server: Server) -> None:
    server.start()
    pid = server.pid
    server.stop()
    assert not alive(pid)


def test_what_redis_answered_survives_sigkill(tmp_path: Path) -> None:
    server = RedisServer(tmp_path)
    server.start()
    assert ask(server, "SET", "cw:kept", "yes") == b"OK"
    server.kill()
    server.start()
    assert ask(server, "GET", "cw:kept") == b"yes"
    server.kill()


@pytest.mark.parametrize(
    ("setting", "value"),
    [("appendonly", b"yes"), ("appendfsync", b"always"), ("maxmemory-policy", b"noeviction")],
)
def test_redis_keeps_every_write(tmp_path: Path, setting: str, value: bytes) -> None:
    server = RedisServer(tmp_path)
    server.start()
    assert ask(server, "CONFIG", "GET", setting)[1] == value
    server.kill()


def test_a_server_dies_with_the_process_that_started_it(tmp_path: Path) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", SCRIPT, str(tmp_path)], stdout=subprocess.PIPE, text=True
    ) as parent:
        assert parent.stdout
        pid = int(parent.stdout.readline())
        assert alive(pid)
        parent.kill()
    wait_until(lambda: not alive(pid), "the orphaned server is gone")


def test_a_taken_port_is_told_with_what_to_do(server: Server) -> None:
    with socket.socket() as squatter:
        squatter.bind(("127.0.0.1", 0))
        squatter.listen()
        taken = type(server)(server.data, squatter.getsockname()[1])
        with pytest.raises(
            ServerStartError, match=rf"port {taken.port} .* is taken: stop what uses it"
        ):
            taken.start()


def test_a_folder_that_cannot_be_written_is_named(server: Server, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    blocked = type(server)(tmp_path / "file" / "data")
    with pytest.raises(
        ServerStartError, match=r"cannot keep its data in .*/file/data: Not a directory"
    ):
        blocked.start()


def test_a_missing_program_is_told_with_how_to_get_it(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(type(server), "programs", ("no-such-server",))
    monkeypatch.setattr(type(server), "packaged", ())
    with pytest.raises(
        ServerStartError,
        match=r"was found on PATH or in Python's packages: .*catchwater\[embedded\]",
    ):
        type(server).find_binary()


def test_a_missing_library_is_told_with_its_debian_package(server: Server, tmp_path: Path) -> None:
    broken = tmp_path / "broken"
    broken.write_text(
        "#!/bin/sh\n"
        'echo "mongod: error while loading shared libraries: libcurl.so.4: cannot open shared '
        'object file" >&2\n'
        "exit 127\n"
    )
    broken.chmod(0o755)
    server.find_binary = lambda: broken  # type: ignore[method-assign]  # the loader's words, without its conditions
    with pytest.raises(
        ServerStartError, match=r"needs the system library libcurl.so.4: .*\(libcurl4\)"
    ):
        server.start()


def test_the_packaged_servers_run_where_none_is_installed(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(type(server), "programs", ())
    assert "site-packages" in str(server.find_binary())
    server.start()
    assert server.answers()


def ask(server: Server, *command: str) -> object:
    connection = Connection(server.url)
    try:
        return connection.call(*command)
    finally:
        connection.close()


def alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return "State:\tZ" not in Path(f"/proc/{pid}/status").read_text()


class RoomForAll(MongoServer):
    """With MongoDB's own room for sessions."""

    def command(self) -> list[str]:
        command = super().command()
        at = command.index("--wiredTigerEngineConfigString")
        return command[:at] + command[at + 2 :]


def test_mongodb_takes_no_memory_for_sessions_that_nobody_opens(tmp_path: Path):
    """39 MB of the 512 that a small machine has."""
    ours, default = (_own_mb(kind(tmp_path / kind.__name__)) for kind in (MongoServer, RoomForAll))
    assert ours < default - 25


def test_more_connections_than_it_has_sessions_for_are_refused(tmp_path: Path):
    """MongoDB aborts where an operation finds no session; each takes two at most."""
    server = MongoServer(tmp_path)
    server.start()
    try:
        with pymongo.MongoClient[dict[str, Any]](server.url) as client:
            found = client.admin.command("serverStatus")
    finally:
        server.stop()
    connections = found["connections"]["current"] + found["connections"]["available"]
    own = found["wiredTiger"]["session"]["open session count"]
    assert own + 2 * connections < 2000


def _own_mb(server: MongoServer) -> float:
    """Megabytes that it has written to, with nothing in it."""
    server.start()
    try:
        lines = Path(f"/proc/{server.pid}/smaps_rollup").read_text().splitlines()
    finally:
        server.stop()
    return next(int(line.split()[1]) for line in lines if line.startswith("Private_Dirty:")) / 1024
