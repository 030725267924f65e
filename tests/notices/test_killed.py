"""The notifier as a process, killed at random while it tells of 200 issues."""

from __future__ import annotations

import random
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import yaml

from tests.issues.conftest import Seen
from tests.notices.conftest import KEY, People
from tests.notices.receiver import Receiver
from tests.up_process import without_settings
from tests.waiting import wait_until

CAUSES = 200


def settings(receiver: Receiver, mongo_url: str, folder: Path) -> dict[str, str]:
    channel = {"to": "webhook", "url": receiver.url, "per_hour": 1000, "group_from": 10_000}
    notices = {"gather": "0s", "channels": [channel | {"kinds": ["new"]}]}
    project = {"id": "1", "name": "shop", "key": KEY, "notices": notices}
    (folder / "projects.yaml").write_text(yaml.safe_dump({"projects": [project]}))
    return without_settings() | {
        "CATCHWATER_MONGO_URL": mongo_url,
        "CATCHWATER_PROJECTS": str(folder / "projects.yaml"),
        "CATCHWATER_ALLOW_PRIVATE": "1",
        "CATCHWATER_LEASE": "1",
        "CATCHWATER_EVERY": "0.05",
    }


@pytest.mark.timeout(300)
def test_every_cause_is_told_and_what_is_told_twice_was_sent_by_a_process_that_died(
    seen: Seen, people: People, receiver: Receiver, mongo_url: str, tmp_path: Path
):
    for number in range(CAUSES):
        seen(f"1:v1:{number:03}")
    environment = settings(receiver, mongo_url, tmp_path)
    chance, deaths = random.Random(5), 0
    while people.states().get("sent", 0) < CAUSES:
        receiver.released.clear()
        after = len(receiver.got) + chance.randint(1, 35)
        receiver.held_from = after + chance.randint(0, 10)  # it dies before it has told them all
        with running(environment):
            wait_until(lambda n=after: len(receiver.got) >= n or done(people), "it tells some", 60)
        receiver.released.set()
        deaths += 1
    told = Counter(one.json["issue"] for one in receiver.got)
    twice = [issue for issue, times in told.items() if times > 1]
    assert len(told) == CAUSES, "each is told"
    assert deaths > 3
    assert sum(told.values()) - CAUSES <= deaths, "a death leaves one notice sent and not marked"
    tried = {one["issue"]: one["tries"] for one in people.database.notices.find()}
    assert all(tried[issue] > 1 for issue in twice), "it was claimed again after its lease"
    print(f"{CAUSES} causes, {deaths} deaths, {len(twice)} told twice")


def done(people: People) -> bool:
    return people.states().get("sent", 0) == CAUSES


@contextmanager
def running(environment: dict[str, str]) -> Iterator[None]:
    """Killed in the end, whatever was seen."""
    command = [sys.executable, "-m", "catchwater.commands.cli", "notify"]
    process = subprocess.Popen(command, env=environment, stderr=subprocess.DEVNULL)
    try:
        yield
    finally:
        process.kill()
        process.wait()
