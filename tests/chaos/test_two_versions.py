"""The commit before's wheel beside the working tree: stages of both work on the same streams.

They do so under load, while an upgrade restarts one process after the other, in any order.
"""

from __future__ import annotations

import asyncio
import io
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from random import Random
from urllib.request import urlopen

import pytest

from catchwater.local.servers import free_port
from tests.chaos.load import Load
from tests.chaos.system import ChaosSystem
from tests.chaos.verdict import judge
from tests.waiting import wait_until
from tests.wheels import built

ROOT = Path(__file__).parents[2]
STAGES = {name: ["stage", name] for name in ("fingerprint", "dedupe", "count")} | {"sink": ["sink"]}
EVENTS = 3000


def before(folder: Path) -> Path:
    """The wheel of the commit before this one, unpacked; this one's where the history ends here."""
    (source := folder / "source").mkdir()
    with zipfile.ZipFile(built(source_before(source), folder)) as wheel:
        wheel.extractall(installed := folder / "installed")
    return installed


def source_before(folder: Path) -> Path:
    for revision in ("HEAD~1", "HEAD"):
        command = ["git", "-C", str(ROOT), "archive", "--format=zip", revision]
        found = subprocess.run(command, capture_output=True, check=False)
        if found.returncode == 0:
            with zipfile.ZipFile(io.BytesIO(found.stdout)) as archive:
                archive.extractall(folder)
            return folder
    raise AssertionError(found.stderr)


class Stage:
    """A stage of one version, on the servers of a system of another."""

    def __init__(self, system: ChaosSystem, name: str, source: Path) -> None:
        self._port, self._name = free_port(), name
        settings = {
            "CATCHWATER_REDIS_URL": system.ports["redis_url"],
            "CATCHWATER_MONGO_URL": system.ports["mongo_url"],
            "CATCHWATER_PROJECTS": str(system.data / "projects.yaml"),
            "CATCHWATER_STREAMDEFS": str(system.streamdefs),
            "CATCHWATER_OPS_PORT": str(self._port),
        }
        self._process = subprocess.Popen(
            [sys.executable, "-m", "catchwater.commands.cli", *STAGES[name], "--consumer", "other"],
            env=system.environment() | settings | {"PYTHONPATH": str(source)},
            cwd=source,
            stderr=subprocess.DEVNULL,
        )

    def committed(self) -> float:
        """Entries that it has acknowledged."""
        try:
            with urlopen(f"http://127.0.0.1:{self._port}/metrics", timeout=5) as answer:
                lines = answer.read().decode().splitlines()
        except OSError:
            return 0
        label = f'catchwater_committed_total{{outcome="won",stage="{self._name}"}}'
        return sum(float(line.split()[-1]) for line in lines if line.startswith(label))

    def end(self) -> None:
        self._process.terminate()
        self._process.wait(30)


@contextmanager
def both(system: ChaosSystem, other: Path) -> Iterator[dict[str, Stage]]:
    with ExitStack() as running:
        stages = {name: Stage(system, name, other) for name in STAGES}
        for stage in stages.values():
            running.callback(stage.end)
        yield stages


@pytest.mark.chaos
@pytest.mark.timeout(300)
@pytest.mark.parametrize("order", ["old beside new", "new beside old"])
def test_two_versions_side_by_side_count_exactly(tmp_path, order):
    (folder := tmp_path / "before").mkdir()
    sources = [before(folder), ROOT]
    other, source = sources if order == "old beside new" else reversed(sources)
    with ChaosSystem(tmp_path, source) as system, both(system, other) as stages:
        load = Load(system.ports["ingest"], system.key, EVENTS, Random(1))
        for _ in range(5):
            asyncio.run(load.run())
            if all(stage.committed() for stage in stages.values()):
                break
        wait_until(system.drained, "everything that was accepted has reached its end", timeout=120)
        worked = {name: stage.committed() > 0 for name, stage in stages.items()}
        verdict = judge(system, load.ledger)
    assert worked == dict.fromkeys(STAGES, True)
    assert verdict.exact, verdict
