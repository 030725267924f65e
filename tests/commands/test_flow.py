"""`catchwater status --watch`: the pipeline drawn in the terminal."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from catchwater.commands.flow import Flow, sparkline
from catchwater.config.streamdefs import load
from catchwater.event import Event
from catchwater.monitoring.history import Minute
from catchwater.monitoring.snapshot import StageStatus
from tests.commands.conftest import Shell, command
from tests.commands.test_commands import report
from tests.waiting import wait_until

DEFS = load(Path(__file__).parents[2] / "streamdefs.yaml")


def drawn(**stages: StageStatus) -> list[str]:
    still = {
        name: StageStatus(name, one.reads, 0, 0, 0, 0.0, 1, 0, 0)
        for name, one in DEFS.stages.items()
    }
    shown = list((still | stages).values())
    rates = dict.fromkeys(still, 0.0)
    return Flow(DEFS, shown, rates, {name: [Minute()] for name in still}, 3.0).text().splitlines()


def test_stages_and_streams_stand_in_their_order():
    names = [line.replace("│", "").replace("▼", "").split()[:1] for line in drawn()]
    assert [one[0] for one in names if one] == [
        *("ingest", "raw", "fingerprint", "named", "dedupe", "unique"),
        *("count", "counted", "sink", "MongoDB"),
    ]


def test_where_it_is_stuck_is_marked_on_its_line_and_on_no_other():
    lines = drawn(count=StageStatus("count", "unique", 12, 12, 0, 90.0, 0, 3, 0))
    (marked,) = [line for line in lines if "stuck" in line]
    assert "unique" in marked
    assert marked.endswith("<-- stuck: no consumer")
    assert any("3 dead letters" in line for line in lines)


@pytest.mark.parametrize(
    ("depths", "text"),
    [([], ""), ([None, None], ""), ([0, 1, None, 1000], "▁▂ █"), ([None, 5], "█"), ([0, 0], "▁▁")],
)
def test_a_history_is_a_line_of_heights(depths: list[int | None], text: str):
    assert sparkline([None if one is None else Minute(one) for one in depths]) == text


def test_it_is_drawn_again_and_again(shell: Shell, accept: Callable[[Event], None]):
    out = shell.folder / "watch.out"
    with out.open("wb") as written:
        process = subprocess.Popen(
            command("status", "--watch"),
            cwd=shell.folder,
            env=shell._environment() | {"PYTHONUNBUFFERED": "1", "PYTHONUTF8": "1"},
            stdout=written,
        )
    try:
        wait_until(lambda: "0 wait" in out.read_text(), "it is drawn", timeout=60)
        accept(report())
        wait_until(lambda: " 1 wait" in out.read_text(), "it is drawn again", timeout=60)
    finally:
        process.terminate()
        process.wait(30)
    assert "accepted 1, counted 0, unaccounted for 0" in out.read_text()
