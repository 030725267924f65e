"""Noise is dropped and counted: a filter that is set while everything runs shows in the audit, and nothing is kept."""

from __future__ import annotations

import json
import re
from itertools import count
from pathlib import Path
from typing import Any
from urllib.request import Request, urlopen

import pymongo
import pytest
import yaml

from tests.up.test_up import Up
from tests.waiting import wait_until


def post(up: Up, number: int, message: str) -> None:
    base, key = re.findall(r'src="(http://[^/]+)/c/(\w+)\.js"', up.address("script tag"))[0]
    body = json.dumps({"id": f"{number:032x}", "type": "Error", "message": message}).encode()
    with urlopen(Request(f"{base}/e/{key}", body), timeout=10) as answer:
        assert answer.status == 204


def audit(up: Up) -> dict[str, Any]:
    with urlopen(up.address("dashboard").rstrip("/") + "/api/pipeline", timeout=10) as answer:
        return json.load(answer)["audit"]


def dropped_now(up: Up, number: int) -> bool:
    post(up, number, "vendor widget broke")
    return "filter:messages" in audit(up)["dropped"]


@pytest.mark.chaos
def test_a_filter_set_while_it_runs_drops_counts_and_stores_nothing(tmp_path: Path) -> None:
    up = Up(tmp_path)
    up.start()
    post(up, 1, "Extension context invalidated.")
    post(up, 2, "vendor widget broke")
    wait_until(lambda: up.counted() == 1, "what is no noise out of the box is counted")
    path = up.data / "projects.yaml"
    told = yaml.safe_load(path.read_text())
    told["projects"][0]["filters"] = {"messages": ["vendor *"]}
    path.write_text(yaml.safe_dump(told))
    numbers = count(100)
    wait_until(lambda: dropped_now(up, next(numbers)), "the stage has read the file again")
    post(up, 3, "vendor widget broke")
    post(up, 4, "our own fault")
    wait_until(lambda: audit(up)["adds_up"] and audit(up)["depth"] == 0, "all is done")
    found = audit(up)
    with pymongo.MongoClient(json.loads((up.data / "run/ports.json").read_text())["mongo_url"]) as client:
        samples = {one["_id"] for one in client.catchwater.samples.find({}, {"_id": 1})}
    up.stop()
    assert found["dropped"]["filter:extensions"] == 1
    assert found["dropped"]["filter:messages"] >= 1
    assert f"{4:032x}" in samples
    assert not {f"{1:032x}", f"{3:032x}"} & samples
