"""All services and every command that asks Redis, on a real cluster."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

from tests.servers.cluster import cluster
from tests.up_process import UpProcess
from tests.waiting import wait_until

WAIT_S = 60


def said(up: UpProcess, command: str) -> str:
    name, *rest = command.split()
    done = subprocess.run(
        [sys.executable, "-m", "catchwater.commands.cli", name, "--data", up.data, *rest],
        capture_output=True,
        check=False,
        text=True,
        timeout=120,
        env=up.environment(),
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.mark.timeout(300)
def test_everything_on_a_machine_runs_with_a_cluster(tmp_path):
    with cluster(tmp_path / "c", replicas=0) as one, UpProcess(tmp_path, "--redis", one.url) as up:
        for number in range(20):
            up.post({"id": f"{number:032x}", "message": "x", "user": {"id": f"u{number}"}})
        wait_until(lambda: up.counted() == 20, "all are shown", WAIT_S)
        assert all(up.ready(name) for name in up.pids() if name != "mongo" and "demo" not in name)
        audit = json.loads(said(up, "audit --json"))
        assert (audit["accepted"], audit["counted"], audit["adds_up"]) == (20, 20, True)
        stages = json.loads(said(up, "status --json"))["stages"]
        assert sum(stage["depth"] + stage["dead"] for stage in stages) == 0
        assert "It is stored whole" in said(up, f"inspect {1:032x}")
        for command in ("erase --project 1 --user u3 --yes", "tail raw --once", "dead list"):
            said(up, command)
