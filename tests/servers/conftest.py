from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from catchwater.config.streamdefs import load
from catchwater.redis_client import Connection
from catchwater.streams.consumer import prepare
from tests import containers
from tests.missing import missing
from tests.pipelines import event, pipeline  # noqa: F401 - fixtures of this folder
from tests.servers.cluster import cluster
from tests.servers.test_cluster_faults import EIGHT
from tests.waiting import wait_until

AVAILABLE = ("--cluster-require-full-coverage", "no")


@pytest.fixture
def masters(tmp_path):
    """Three without replicas, which the test may freeze and kill."""
    with cluster(tmp_path / "c", 3, 0, *AVAILABLE) as one:
        yield one


@pytest.fixture
def defs(tmp_path, masters):
    """Eight partitions, prepared on these."""
    (tmp_path / "defs.yaml").write_text(EIGHT)
    defs = load(tmp_path / "defs.yaml")
    prepare(Connection(masters.url), defs)
    return defs


@pytest.fixture(scope="session")
def engine() -> Iterator[None]:
    """A Docker engine: the one that answers, else one of the tests' own, which pulls nothing
    and leaves nothing.
    """
    if containers.engine_answers():
        yield
        return
    if shutil.which("dockerd") is None or os.geteuid() != 0:
        lacking = (
            "no Docker engine answers, and only root can start one: apt-get install "
            "docker.io, or set DOCKER_HOST"
        )
        missing(lacking)
    # Sockets have short paths: not below pytest's own folder.
    with tempfile.TemporaryDirectory(prefix="engine-", ignore_cleanup_errors=True) as made:
        yield from _own(Path(made))


def _own(folder: Path) -> Iterator[None]:
    host, log = f"unix://{folder}/socket", folder / "log"
    places = [
        "--data-root",
        f"{folder}/data",
        "--exec-root",
        f"{folder}/exec",
        "--pidfile",
        f"{folder}/pid",
    ]
    with log.open("wb") as to:
        process = subprocess.Popen(
            ["dockerd", "-H", host, "--storage-driver=vfs", *places], stdout=to, stderr=to
        )
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("DOCKER_HOST", host)
        try:
            wait_until(
                lambda: process.poll() is not None or containers.engine_answers(),
                f"dockerd answers: {log}",
                60,
            )
            if (
                process.poll() is not None
            ):  # no rights for namespaces or a bridge here, whatever is installed
                pytest.skip(f"no engine can be started on this machine: {_why(log.read_text())}")
            yield
        finally:
            process.terminate()
            process.wait(60)


def _why(log: str) -> str:
    """The last line before a trace of its own."""
    said = [line for line in log.partition("\ngoroutine ")[0].splitlines() if line.strip()]
    return said[-1] if said else "it said nothing"
