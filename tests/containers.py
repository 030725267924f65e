"""Servers in containers, from images made of the programs that are installed here: nothing is
pulled.

Such an image is the program and the libraries it is linked with, no more.
"""

from __future__ import annotations

import io
import os
import re
import socket
import subprocess
import tarfile
from pathlib import Path
from typing import TYPE_CHECKING

os.environ.setdefault(
    "TESTCONTAINERS_RYUK_DISABLED", "true"
)  # its cleaner is an image that would have to be pulled

import docker
from docker.errors import DockerException, ImageNotFound
from testcontainers.core.container import DockerContainer

from catchwater.local.servers import MongoServer, RedisServer, Server

if TYPE_CHECKING:
    from collections.abc import Iterator

_INSIDE: dict[type[Server], tuple[int, list[str], str]] = {
    RedisServer: (
        6379,
        [
            "--bind",
            "0.0.0.0",
            "--protected-mode",
            "no",
            "--dir",
            "/data",
            "--appendonly",
            "yes",
            "--appendfsync",
            "always",
            "--maxmemory-policy",
            "noeviction",
        ],
        "redis://{}:{}/0",
    ),
    MongoServer: (
        27017,
        [
            "--bind_ip",
            "0.0.0.0",
            "--dbpath",
            "/data",
            "--nounixsocket",
            "--wiredTigerCacheSizeGB",
            "0.25",
        ],
        "mongodb://{}:{}",
    ),
}
"""Port, settings and URL of each kind of server inside its container."""


def engine_answers() -> bool:
    """Whether there is a Docker engine to start containers with."""
    return _listens() and _answers_ping()


def _listens() -> bool:
    """Whether its socket takes connections: asked first, since the client leaks the one that is
    refused.
    """
    address = os.environ.get("DOCKER_HOST", "unix:///var/run/docker.sock")
    if not address.startswith("unix://"):
        return True
    with socket.socket(socket.AF_UNIX) as one:
        return one.connect_ex(address.removeprefix("unix://")) == 0


def _answers_ping() -> bool:
    try:
        client = docker.from_env(timeout=10)
    except DockerException:
        return False
    try:
        return bool(client.ping())
    except (DockerException, OSError):
        return False
    finally:
        client.close()


def container(kind: type[Server]) -> DockerContainer:
    """A container of that kind of server, not yet started."""
    port, settings, _ = _INSIDE[kind]
    return (
        DockerContainer(image(kind)).with_exposed_ports(port).with_command(["/program", *settings])
    )


def url(kind: type[Server], running: DockerContainer) -> str:
    port, _, pattern = _INSIDE[kind]
    return pattern.format(running.get_container_host_ip(), running.get_exposed_port(port))


def answers(kind: type[Server], running: DockerContainer) -> bool:
    """Whether the server in it takes commands: asked as the embedded ones are."""
    return kind(Path(), int(running.get_exposed_port(_INSIDE[kind][0]))).answers()


def image(kind: type[Server]) -> str:
    """The name of a local image of the installed program; made when it is not there yet."""
    program = kind.find_binary().resolve()
    name, tag = (
        f"catchwater-tests/{kind.title.lower()}",
        f"{program.stat().st_size}-{int(program.stat().st_mtime)}",
    )
    client = docker.from_env(timeout=120)
    try:
        client.images.get(f"{name}:{tag}")
    except ImageNotFound:
        client.api.import_image_from_data(_archive(program), repository=name, tag=tag)
    finally:
        client.close()
    return f"{name}:{tag}"


def _archive(program: Path) -> bytes:
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w", dereference=True) as archive:
        for folder, mode in (("data", 0o755), ("tmp", 0o1777)):
            entry = tarfile.TarInfo(folder)
            entry.type, entry.mode = tarfile.DIRTYPE, mode
            archive.addfile(entry)
        archive.add(program, "program")
        for library in _libraries(program):
            archive.add(library, library.lstrip("/"))
    return packed.getvalue()


def _libraries(program: Path) -> Iterator[str]:
    """Where the loader finds what the program is linked with, the loader itself included."""
    listed = subprocess.run(
        ["ldd", str(program)], capture_output=True, text=True, check=True
    ).stdout
    yield from dict.fromkeys(re.findall(r"(/\S+) \(0x", listed))
