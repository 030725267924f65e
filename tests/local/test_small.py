"""`catchwater up --small`: fewer processes, and the same promises."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner

from catchwater.commands.up import command
from catchwater.config.streamdefs import load, packaged, small
from tests.up_process import UpProcess
from tests.waiting import wait_until

pytestmark = pytest.mark.timeout(300)


@pytest.fixture(scope="module")
def up(tmp_path_factory: pytest.TempPathFactory) -> Iterator[UpProcess]:
    with UpProcess(tmp_path_factory.mktemp("up"), "--small") as one:
        yield one


def reports(first: int, last: int) -> list[dict[str, str]]:
    """Errors with an id each, over three issues."""
    return [
        {"id": f"{number:032x}", "type": f"Error{'ABC'[number % 3]}", "message": "cart lost"}
        for number in range(first, last)
    ]


def test_it_counts_each_event_once_though_its_one_stage_is_killed(up: UpProcess):
    assert {"count-1", "sink-1", "ingest-1"} <= up.pids().keys()
    assert not {"fingerprint-1", "dedupe-1"} & up.pids().keys()
    up.post(reports(0, 100))
    old = up.pids()["count-1"]
    os.kill(old, signal.SIGKILL)
    up.post(reports(50, 150))
    wait_until(lambda: up.pids()["count-1"] != old, "it is started again", 60)
    wait_until(lambda: up.counted() == 150, "each is counted once", 120)
    wait_until(lambda: up.api("/api/pipeline")["audit"]["duplicates"] == 50, "copies", 60)
    assert up.api("/api/pipeline")["audit"]["missing"] == 0


def test_its_data_stay_small_and_other_data_are_not_made_so(tmp_path: Path):
    with UpProcess(tmp_path / "small", "--small") as up:
        up.post(reports(0, 1))
        wait_until(lambda: up.counted() == 1, "it is counted", 60)
    with UpProcess(tmp_path / "small") as again:
        assert "fingerprint-1" not in again.pids()
        assert again.counted() == 1
    (tmp_path / "other" / "data" / "redis").mkdir(parents=True)
    said = UpProcess(tmp_path / "other", "--small").refused()
    assert "began with another pipeline" in said
    assert "Traceback" not in said


def test_it_is_one_pipeline_or_the_other():
    named = CliRunner().invoke(command, ["--small", "--streamdefs", str(packaged())])
    assert "leave one out" in named.output


def test_what_is_kept_and_who_is_counted_do_not_differ():
    """One file is not forgotten when the other changes."""
    one, other = load(small()), load(packaged())
    assert one.retention == other.retention
    functions = [path for name in other.counting_path for path in other.stages[name].run]
    assert [path for name in one.counting_path for path in one.stages[name].run] == functions
    horizons = {
        max(stage.once_for for stage in defs.stages.values() if stage.once_for)
        for defs in (one, other)
    }
    assert len(horizons) == 1
    assert one.stages[one.tallied].samples == other.stages[other.tallied].samples
