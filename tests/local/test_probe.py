"""`catchwater probe` on a box at work: what is accepted is shown; if not, it says where it is."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.error import URLError
from urllib.request import urlopen

import pytest
from pymongo import MongoClient

from catchwater.local.servers import free_port
from tests.up_process import UpProcess
from tests.waiting import wait_until

pytestmark = pytest.mark.timeout(300)


def command(up: UpProcess, *arguments: str) -> list[str]:
    name, *rest = arguments
    return [sys.executable, "-m", "catchwater.commands.cli", name, "--data", str(up.data), *rest]


def said(up: UpProcess, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command(up, *arguments),
        capture_output=True,
        check=False,
        text=True,
        timeout=120,
        env=up.environment(),
    )


@pytest.fixture(scope="module")
def up(tmp_path_factory: pytest.TempPathFactory) -> Iterator[UpProcess]:
    with UpProcess(tmp_path_factory.mktemp("up")) as one:
        added = subprocess.run(
            [
                *(sys.executable, "-m", "catchwater.commands.cli", "project", "add", "--probes"),
                *("--data", str(one.data)),
            ],
            capture_output=True,
            check=False,
            text=True,
            env=one.environment(),
        )
        assert added.stdout.startswith("0  "), added.stderr
        yield one


def probe(up: UpProcess, *more: str) -> dict[str, Any]:
    """The first one may come before ingest has read the file again."""
    shown = wait_until(
        lambda: (done := said(up, "probe", "--json", *more)).returncode == 0 and done,
        "a probe is shown",
        timeout=60,
    )
    return json.loads(shown.stdout)


def all_is_in(up: UpProcess) -> Any:
    """The audit, when all that was accepted is stored; else None.

    A snapshot is read stream after stream: while an event moves on it may be seen nowhere.
    """
    audit = up.api("/api/pipeline")["audit"]
    stored = audit["counted"] == audit["stored"] == audit["accepted"] - audit["duplicates"]
    return audit if stored and audit["accepted"] and not audit["on_the_way"] else None


def test_a_probe_is_shown_counted_and_leaves_nothing_that_people_see(up: UpProcess):
    found = probe(up, "--dashboard-url", f"http://127.0.0.1:{up.ports['dashboard']}")
    hops = ["ingest", "fingerprint", "dedupe", "count", "sink", "dashboard"]
    assert list(found["hops"]) == [hop for hop in hops if hop in found["hops"]]
    assert {"ingest", "dashboard"} <= found["hops"].keys(), "the others may be trimmed unseen"
    assert 0 < sum(found["hops"].values()) < found["seconds"] + 1
    event = found["event_id"]
    with MongoClient[Any](up.ports["mongo_url"]) as client:
        assert client.catchwater.samples.find_one({"_id": event}) is None, "it is removed"
        audit = wait_until(lambda: all_is_in(up), "all is in", 60)
        issues = list(client.catchwater.issues.find({"project": "0"}))  # one for each 15 s
        assert min(one["count"] for one in issues) >= 1, "it is counted, and stays so"
    assert up.api("/api/issues")["issues"] == []
    assert [one["project"] for one in up.api("/api/projects")] == ["1"]
    assert said(up, "issue", "list").stdout == ""
    assert (
        "catchwater-probe"
        not in urlopen(f"http://127.0.0.1:{up.ports['dashboard']}/").read().decode()
    )
    assert (audit["missing"], audit["adds_up"], audit["dropped"]) == (0, True, {})
    traced = said(up, "inspect", event)
    assert "It is counted" in traced.stdout, traced.stdout


def test_a_probe_that_is_not_shown_says_where_it_is(up: UpProcess):
    probe(up)
    with stopped(up, "sink-1"):
        failed = said(up, "probe", "--timeout", "2")
    assert failed.returncode == 1
    assert "is not stored after 2 s" in failed.stderr
    assert "counted" in failed.stderr
    assert "sink" in failed.stderr


def test_a_probe_that_is_refused_says_so(up: UpProcess):
    away = f"http://127.0.0.1:{free_port()}"
    failed = said(up, "probe", "--public-url", away)
    assert failed.returncode == 1
    assert f"{away}/e/" in failed.stderr
    assert "cannot be reached" in failed.stderr


def test_without_a_project_for_probes_it_says_how_to_make_one(tmp_path: Path):
    (tmp_path / "projects.yaml").write_text("projects: []\n")
    done = subprocess.run(
        [sys.executable, "-m", "catchwater.commands.cli", "probe"],
        cwd=tmp_path,
        capture_output=True,
        check=False,
        text=True,
        env=os.environ | {"PYTHONPATH": str(Path(__file__).parents[2])},
    )
    assert done.returncode == 2
    assert "catchwater project add --probes" in done.stderr


def metrics(port: int) -> str:
    try:
        return urlopen(f"http://127.0.0.1:{port}/metrics", timeout=5).read().decode()
    except URLError:
        return ""


@contextmanager
def stopped(up: UpProcess, name: str) -> Iterator[None]:
    """A process that hangs meanwhile."""
    pid = up.pids()[name]
    os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(pid, signal.SIGCONT)


@contextmanager
def sending(up: UpProcess, port: int) -> Iterator[None]:
    again = ("probe", "--every", "15", "--timeout", "5", "--ops-port", str(port))
    with (up.folder / "probe.log").open("wb") as log:
        process = subprocess.Popen(command(up, *again), stderr=log, env=up.environment())
    try:
        yield
    finally:
        process.terminate()
        assert process.wait(30) == 0


def shown(port: int, text: str) -> str:
    return wait_until(
        lambda: (found := metrics(port)).count(text) and found, f"{text} is shown", timeout=60
    )


def test_probes_are_sent_again_and_again_and_served_as_metrics(up: UpProcess):
    probe(up)
    port = free_port()
    with sending(up, port):
        found = shown(port, 'outcome="shown"')
        for hop in ("all", "ingest"):  # an entry of the others may be trimmed unseen
            assert f'catchwater_probe_seconds{{hop="{hop}"}}' in found
        assert urlopen(f"http://127.0.0.1:{port}/readyz").status == 200
        with stopped(up, "sink-1"):
            shown(port, 'outcome="not_shown"')
        with pytest.raises(URLError, match="503"):
            urlopen(f"http://127.0.0.1:{port}/readyz")
        shown(port, 'catchwater_probes_total{outcome="shown"} 2.0')
