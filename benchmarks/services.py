"""Services of Catchwater as processes of their own."""

from __future__ import annotations

import subprocess
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING
from urllib.request import urlopen

from benchmarks import reference
from benchmarks.whole import wait_for_port
from catchwater.local.servers import free_port
from tests.up_process import without_settings
from tests.waiting import wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

KEY = "0" * 31 + "a"
READY_S = 120.0


@contextmanager
def started(settings: dict[str, str], *arguments: str) -> Iterator[int]:
    """`catchwater` with these arguments; the id of its process."""
    named = {"OPS_PORT": str(free_port()), "LOG_LEVEL": "ERROR", **settings}
    environment = without_settings() | {f"CATCHWATER_{name}": text for name, text in named.items()}
    command = [sys.executable, "-m", "catchwater.commands.cli", *arguments]
    with _process(command, environment) as process:
        yield process.pid


@contextmanager
def ready(settings: dict[str, str], *arguments: str) -> Iterator[int]:
    """The same, when it is at work."""
    port = free_port()
    with started(settings | {"OPS_PORT": str(port)}, *arguments) as pid:
        wait_until(lambda: _is_ready(port), f"{arguments[0]} is ready", timeout=READY_S)
        yield pid


def _is_ready(port: int) -> bool:
    try:
        with urlopen(f"http://127.0.0.1:{port}/readyz", timeout=5) as answer:
            return bool(answer.status == 200)
    except OSError:
        return False


@contextmanager
def ingest(settings: dict[str, str], folder: Path) -> Iterator[str]:
    """An ingest process with one project; where its reports go."""
    port = str(free_port())
    projects = folder / "projects.yaml"
    projects.write_text(f'projects: [{{id: "1", name: bench, key: "{KEY}"}}]\n')
    own = {"INGEST_PORT": port, "PROJECTS": str(projects), "SPOOL": str(folder / "spool")}
    with ready(settings | own, "ingest"):
        yield f"http://127.0.0.1:{port}/e/{KEY}"


@contextmanager
def plain_server() -> Iterator[str]:
    """A server that reads the body and answers 204."""
    port = free_port()
    with _process([sys.executable, reference.__file__, str(port)], without_settings()):
        wait_for_port(port)
        yield f"http://127.0.0.1:{port}/e/{KEY}"


@contextmanager
def _process(command: list[str], environment: dict[str, str]) -> Iterator[subprocess.Popen[bytes]]:
    process = subprocess.Popen(command, env=environment)
    try:
        yield process
    finally:
        process.terminate()
        process.wait()
