from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import orjson
import pytest

from tests.dashboard import documents as made
from tests.dashboard.conftest import Site
from tests.waiting import wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from pymongo.database import Database

    from catchwater.redis_client import Connection


@pytest.fixture
def started(
    redis: Connection, mongo: Database[dict[str, Any]], mongo_url: str, tmp_path: Path
) -> Iterator[tuple[subprocess.Popen[bytes], Path]]:
    """`catchwater dashboard` as a process of its own, and its log."""
    log = tmp_path / "log"
    environment = os.environ | {
        "CATCHWATER_REDIS_URL": redis.url,
        "CATCHWATER_MONGO_URL": mongo_url,
    }
    with log.open("wb") as to:
        command = [sys.executable, "-m", "catchwater.commands.cli", "dashboard", "--port", "0"]
        process = subprocess.Popen(command, stderr=to, env=environment)
    yield process, log
    process.kill()
    process.wait()


def port_in(log: Path, event: str) -> int:
    lines = [orjson.loads(line) for line in log.read_bytes().splitlines() if line.startswith(b"{")]
    return next((line["port"] for line in lines if line["event"] == event), 0)


def test_the_process_serves_its_pages_and_its_ops_port_and_leaves_when_asked(
    started: tuple[subprocess.Popen[bytes], Path], mongo: Database[dict[str, Any]]
):
    process, log = started
    mongo.issues.insert_one(made.issue("pay"))
    site = Site(wait_until(lambda: port_in(log, "dashboard is open"), "the dashboard is open"))
    assert site.get("/healthz").body == b"alive\n"
    assert len(site.issues()["issues"]) == 1
    ops = Site(port_in(log, "ops port is open"))
    wait_until(lambda: ops.get("/readyz").status == 200, "it is ready")
    assert 'catchwater_depth{reads="raw",stage="fingerprint"} 0.0' in ops.get("/metrics").text
    process.send_signal(signal.SIGTERM)
    assert process.wait(20) == 0


def test_a_taken_port_gets_a_sentence_that_says_what_to_do():
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        command = [
            sys.executable,
            "-m",
            "catchwater.commands.cli",
            "dashboard",
            "--port",
            str(port),
        ]
        found = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert found.returncode == 1
    assert f"port {port} of 127.0.0.1 cannot be opened" in found.stderr
    assert "CATCHWATER_DASHBOARD_PORT" in found.stderr
    assert "Traceback" not in found.stderr
