"""Noise is dropped and counted: a filter that is set while everything runs shows in the audit,
and nothing is stored.
"""

from __future__ import annotations

from itertools import count
from pathlib import Path
from typing import Any

import pymongo
import pytest
import yaml

from tests.up_process import UpProcess
from tests.waiting import wait_until


def post(up: UpProcess, number: int, message: str) -> None:
    assert up.post({"id": f"{number:032x}", "type": "Error", "message": message}) == 204


def audit(up: UpProcess) -> dict[str, Any]:
    return up.api("/api/pipeline")["audit"]


FIRST = 100
"""The number of the first report that only asks whether the filter is in use."""


def settled(found: dict[str, Any], posted: int) -> dict[str, Any] | None:
    """The audit, once all of that many events are where they end: it may be a second old."""
    at_rest = found["adds_up"] and not (found["depth"] or found["on_the_way"])
    return found if at_rest and found["accepted"] == posted else None


def dropped_now(up: UpProcess, number: int) -> bool:
    post(up, number, "vendor widget broke")
    return "filter:messages" in audit(up)["dropped"]


@pytest.mark.chaos
def test_a_filter_set_while_it_runs_drops_counts_and_stores_nothing(tmp_path: Path) -> None:
    with UpProcess(tmp_path) as up:
        post(up, 1, "Extension context invalidated.")
        post(up, 2, "vendor widget broke")
        wait_until(lambda: up.counted() == 1, "what is no noise out of the box is counted")
        path = up.data / "projects.yaml"
        projects = yaml.safe_load(path.read_text())
        projects["projects"][0]["filters"] = {"messages": ["vendor *"]}
        path.write_text(yaml.safe_dump(projects))
        numbers = count(FIRST)
        wait_until(lambda: dropped_now(up, next(numbers)), "the stage has read the file again")
        post(up, 3, "vendor widget broke")
        post(up, 4, "our own fault")
        posted = 4 + next(numbers) - FIRST
        found = wait_until(lambda: settled(audit(up), posted), "all is done")
        with pymongo.MongoClient(up.ports["mongo_url"]) as client:
            samples = {one["_id"] for one in client.catchwater.samples.find({}, {"_id": 1})}
    assert found["dropped"]["filter:extensions"] == 1
    assert found["dropped"]["filter:messages"] >= 1
    assert f"{4:032x}" in samples
    assert not {f"{1:032x}", f"{3:032x}"} & samples
