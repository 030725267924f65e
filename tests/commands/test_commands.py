from __future__ import annotations

import json
import re
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from pymongo import MongoClient

from catchwater.event import Event
from catchwater.local.servers import free_port
from tests.commands.conftest import Shell
from tests.waiting import wait_until


def report(number: int = 1) -> Event:
    body = json.dumps({"type": "TypeError", "message": "x is undefined"}).encode()
    return Event(f"{number:032x}", "1", int(time.time() * 1000), "snippet", body)


@pytest.fixture
def mongo(shell: Shell, mongo_url: str) -> Iterator[str]:
    """The MongoDB that the command line uses; nothing of it stays."""
    shell.settings["CATCHWATER_MONGO_URL"] = mongo_url
    yield mongo_url
    with MongoClient[Any](mongo_url) as client:
        client.drop_database("catchwater")


def status(shell: Shell) -> dict[str, Any]:
    shown = shell("status", "--json")
    assert shown.returncode == 0, shown.stderr
    return json.loads(shown.stdout)


def test_a_good_configuration_is_checked_with_0(shell: Shell):
    shown = shell("check")
    assert (shown.returncode, shown.stdout, shown.stderr) == (0, "nothing is wrong\n", "")


def test_the_check_names_a_stage_whose_code_is_not_there(shell: Shell):
    path = shell.folder / "streamdefs.yaml"
    path.write_text(path.read_text().replace("stages.dedupe:dedupe", "stages.dedupe:dedup"))
    found = shell("check")
    assert found.returncode == 2
    assert re.search(
        r"streamdefs\.yaml: line 6: stages\.dedupe\.run: 'stages\.dedupe:dedup' cannot be",
        found.stderr,
    )


def test_the_check_reads_the_projects_too(shell: Shell):
    (shell.folder / "projects.yaml").write_text("projects: [{id: shop, name: shop, key: short}]\n")
    found = shell("check")
    assert found.returncode == 2
    assert "projects.yaml: line 1: projects.0.id" in found.stderr
    assert "projects.0.key" in found.stderr


def test_the_live_check_asks_both_servers(shell: Shell, mongo: str):
    assert shell("check", "--live").returncode == 0
    shell.settings["CATCHWATER_MONGO_URL"] = away = f"mongodb://127.0.0.1:{free_port()}"
    found = shell("check", "--live")
    assert found.returncode == 2
    assert away in found.stderr


def test_the_live_check_finds_another_number_of_partitions(shell: Shell, mongo: str):
    path = shell.folder / "streamdefs.yaml"
    path.write_text(path.read_text().replace("partitions: 2", "partitions: 3"))
    found = shell("check", "--live")
    assert found.returncode == 2
    assert "partitions is 3 in streamdefs.yaml but 2 in Redis" in found.stderr


def test_the_status_shows_a_line_for_each_stage(shell: Shell, accept: Callable[[Event], None]):
    accept(report())
    lines = shell("status").stdout.splitlines()
    assert [line.split()[:3] for line in lines[:5]] == [
        ["stage", "reads", "depth"],
        ["fingerprint", "raw", "1"],
        ["dedupe", "named", "0"],
        ["count", "unique", "0"],
        ["sink", "counted", "0"],
    ]
    assert lines[-1] == "accepted 1, counted 0, unaccounted for 0"


def test_the_status_is_json_for_programs(shell: Shell, accept: Callable[[Event], None]):
    accept(report(1))
    accept(report(2))
    found = status(shell)
    assert found["stages"][0] | {"oldest_age_s": 0} == {
        "stage": "fingerprint",
        "reads": "raw",
        "depth": 2,
        "unread": 2,
        "pending": 0,
        "oldest_age_s": 0,
        "consumers": 0,
        "dead": 0,
        "done_total": 0,
    }
    assert (found["audit"]["accepted"], found["audit"]["depth"], found["audit"]["stored"]) == (
        2,
        2,
        None,
    )
    assert found["audit"]["adds_up"] is True


def test_a_project_is_added_and_listed(shell: Shell):
    added = [shell("project", "add", name).stdout for name in ("my shop", "Büro")]
    assert re.fullmatch(r"1  [0-9a-f]{32}  my shop\n", added[0])
    assert re.fullmatch(r"2  [0-9a-f]{32}  Büro\n", added[1])
    listed = shell("project", "list")
    assert (listed.returncode, listed.stdout) == (0, "".join(added))


def test_a_key_is_rotated_and_the_old_one_dropped(shell: Shell):
    _, old, _ = shell("project", "add", "shop").stdout.split()
    rotated = shell("project", "rotate", "1")
    _, new, _ = rotated.stdout.split()
    assert (new != old, rotated.stderr) == (True, f"valid as well: {old}\n")
    assert shell("project", "drop-key", "1", old).stdout == rotated.stdout
    for again in (("drop-key", "1", old), ("rotate", "2")):
        refused = shell("project", *again)
        assert (refused.returncode, "there: " in refused.stderr) == (2, True)


@pytest.mark.parametrize("name", ["", "n" * 101])
def test_a_project_whose_name_cannot_be_is_refused(shell: Shell, name: str):
    found = shell("project", "add", name)
    assert found.returncode == 2
    assert "1 to 100 characters" in found.stderr
    assert not (shell.folder / "projects.yaml").exists()


@pytest.mark.parametrize(
    ("listing", "said"),
    [
        (("dead", "list"), "there are no dead letters"),
        (("issue", "list"), "there are no such issues"),
        (("release", "list"), "no event has named a release yet"),
        (("sourcemaps", "list", "--project", "1"), "project 1 has no maps"),
        (("project", "list"), "there are no projects; `catchwater project add NAME` makes one"),
    ],
    ids=lambda one: "-".join(one) if isinstance(one, tuple) else "",
)
def test_a_list_of_nothing_says_so_and_programs_read_nothing(
    shell: Shell, mongo: str, listing: tuple[str, ...], said: str
):
    (shell.folder / "projects.yaml").write_text("projects: []\n")
    shown = shell(*listing)
    assert (shown.returncode, shown.stdout, shown.stderr) == (0, "", f"({said})\n")


def dead_ids(shell: Shell, *more: str) -> list[str]:
    shown = shell("dead", "list", *more)
    assert shown.returncode == 0, shown.stderr
    return [line.split()[0] for line in shown.stdout.splitlines()]


def test_a_dead_letter_is_listed_shown_and_dropped(shell: Shell, reject: Callable[[Event], None]):
    reject(report())
    (line,) = shell("dead", "list").stdout.splitlines()
    assert line.split()[2:] == ["fingerprint", report().id, "it", "is", "purple"]
    (letter,) = dead_ids(shell)
    shown = shell("dead", "show", letter).stdout
    assert "deliveries: 1\nwhy: it is purple\n" in shown
    assert "x is undefined" in shown
    assert shell("dead", "drop", letter).stdout == "dropped 1\n"
    assert dead_ids(shell) == []
    assert status(shell)["audit"]["dropped"] == {"operator": 1}


def test_dead_letters_are_replayed_by_stage(shell: Shell, reject: Callable[[Event], None]):
    for n in range(3):
        reject(report(n))
    assert len(dead_ids(shell, "--stage", "fingerprint")) == 3
    assert len(dead_ids(shell, "--limit", "2")) == 2
    assert dead_ids(shell, "--stage", "count") == []
    assert shell("dead", "replay", "--all", "--stage", "count").stdout == "replayed 0\n"
    assert shell("dead", "replay", "--all").stdout == "replayed 3\n"
    assert dead_ids(shell) == []
    assert status(shell)["stages"][0]["depth"] == 3


@pytest.mark.parametrize("action", ["show", "replay", "drop"])
def test_a_dead_letter_that_is_not_there_ends_with_1(shell: Shell, action: str):
    found = shell("dead", action, "p0/1-1")
    assert found.returncode == 1
    assert "there is no dead letter 'p0/1-1'; `catchwater dead list` shows them" in found.stderr


def test_the_audit_adds_up_when_everything_is_stored(
    shell: Shell, mongo: str, accept: Callable[[Event], None]
):
    for n in (1, 2, 2):
        accept(report(n))
    shell.start("stage", "fingerprint", "dedupe", "count")
    shell.start("sink")
    wait_until(
        lambda: not any(one["depth"] for one in status(shell)["stages"]),
        "everything is stored",
        timeout=40,
    )
    assert shell.end() == [0, 0]
    shown = shell("audit")
    assert (shown.returncode, shown.stdout.splitlines()[-1]) == (0, "It adds up."), shown.stdout
    found = json.loads(shell("audit", "--json").stdout)
    assert (found["accepted"], found["counted"], found["duplicates"], found["stored"]) == (
        3,
        2,
        1,
        2,
    )


def test_the_audit_ends_with_1_when_mongodb_is_away(shell: Shell):
    shell.settings["CATCHWATER_MONGO_URL"] = f"mongodb://127.0.0.1:{free_port()}"
    shown = shell("audit")
    assert shown.returncode == 1
    assert shown.stdout.splitlines()[-1] == "MongoDB does not answer: its side is not known."
    found = shell("audit", "--json")
    assert (found.returncode, json.loads(found.stdout)["stored"]) == (1, None)
