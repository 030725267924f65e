"""What a release brought, from the sink's documents to what the command line says."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import orjson
import pytest
from click.testing import CliRunner, Result
from pymongo.database import Database

from catchwater.commands.release import command
from catchwater.issues.store import IssueStore
from tests.issues.conftest import NOW, Seen

OLD, BOTH, NEW, AGAIN = (f"1:v1:{name}" for name in ("old", "both", "new", "again"))
ONE, TWO = "shop@1.9.0", "shop@1.10.0"

Run = Callable[..., Result]


@pytest.fixture
def run(mongo_url: str) -> Run:
    return lambda *given: CliRunner().invoke(command, ["--mongo-url", mongo_url, *given])


@pytest.fixture
def released(seen: Seen, mongo_url: str) -> None:
    """One release after the other; an issue that was resolved comes again."""
    for issue in (OLD, BOTH, AGAIN):
        seen(issue, release=ONE, users=("id:1", "id:2"), hours=9)
    store = IssueStore(mongo_url)
    said = {"state": "resolved", "handling": {"at": NOW - timedelta(hours=8)}}
    store.set_state(store.named([AGAIN]), lambda _one: said)
    store.close()
    seen(BOTH, release=TWO, users=("id:3",), hours=2)
    seen(AGAIN, release=TWO, hours=2)
    seen(NEW, 5, release=TWO, users=tuple(f"id:{n}" for n in range(20)), hours=1)
    seen("2:v1:other", release=TWO, hours=1)


@pytest.mark.usefixtures("released")
def test_a_release_has_what_is_new_regressed_and_gone_and_who_was_affected(run: Run):
    done = run("show", TWO, "--project", "1", "--json")
    found: dict[str, Any] = orjson.loads(done.stdout)
    issues = {kind: [one["id"] for one in every] for kind, every in found["issues"].items()}
    assert issues == {"new": [NEW], "regressed": [AGAIN], "gone": [OLD]}
    assert (found["previous"], found["new"], found["users"]) == (ONE, 1, 20)
    plain = run("show", TWO, "--project", "1").stdout
    assert f"gone: 1\n  {OLD}" in plain
    first = orjson.loads(run("show", ONE, "--project", "1", "--json").stdout)
    assert (first["previous"], list(first["issues"])) == ("", ["new", "regressed"])


@pytest.mark.usefixtures("released")
def test_releases_are_listed_with_how_many_issues_are_new_and_when_they_were_deployed(
    run: Run, database: Database[dict[str, Any]]
):
    run("mark", TWO, "--project", "1", "--environment", "staging", "--at", "3h")
    said = run("mark", TWO, "--project", "1", "--at", "2026-11-20T10:00:00+02:00").stdout
    assert said == f"{TWO} was deployed at 2026-11-20 08:00:00 UTC\n"
    lines = run("list", "--project", "1", "--json").stdout.splitlines()
    found = [orjson.loads(line) for line in lines]
    assert [(one["release"], one["new"]) for one in found] == [(TWO, 1), (ONE, 3)]
    assert [mark["environment"] for mark in found[0]["deploys"]] == ["staging", ""]
    assert found[0]["deploys"][1]["at"] == "2026-11-20T08:00:00.000Z"
    assert len(run("list").stdout.splitlines()) == 3
    run("mark", TWO, "--project", "1")
    assert database.deploys.count_documents({}) == 2, "the later time of the same mark"


def test_a_release_that_nobody_has_seen_and_a_time_that_is_none_are_named(run: Run):
    assert "no event of release 'x' was seen in project '1'" in run(
        "show", "x", "--project", "1"
    ).output.replace("\n", " ")
    wrong = run("mark", "x", "--project", "1", "--at", "soon")
    assert (wrong.exit_code, "--at: 'soon' is not allowed" in wrong.output) == (2, True)
    assert run("mark", "x" * 201, "--project", "1").exit_code == 2
