"""People say what becomes of an issue, it is seen again by the real sink, on a real MongoDB."""

from __future__ import annotations

import zlib
from collections.abc import Callable
from datetime import timedelta

import orjson
import pytest
from click.testing import CliRunner

from catchwater.commands.issue import command
from catchwater.issues import states
from catchwater.issues.search import parse
from catchwater.issues.store import IssueStore
from tests.issues.conftest import NOW, Seen

A, B, C = (f"1:v1:{name}" for name in "abc")

Run = Callable[..., list[dict]]


@pytest.fixture
def run(mongo_url: str) -> Run:
    def called(*arguments: str) -> list[dict]:
        given = ["--mongo-url", mongo_url, *arguments, "--json"]
        done = CliRunner().invoke(command, given, catch_exceptions=False)
        assert done.exit_code == 0, done.output
        return [orjson.loads(line) for line in done.stdout.splitlines()]

    return called


@pytest.fixture
def said(mongo_url: str) -> Callable[..., str]:
    """What a command that fails says."""

    def called(*arguments: str) -> str:
        done = CliRunner().invoke(command, ["--mongo-url", mongo_url, *arguments])
        assert done.exit_code in (1, 2)
        return done.output

    return called


def ids(found: list[dict]) -> list[str]:
    return [one["id"] for one in found]


def test_a_resolved_issue_that_is_seen_again_is_a_regression(seen: Seen, run: Run):
    seen(A, minutes=5)
    (one,) = run("resolve", A)
    assert (one["state"], ids(run("list", "is:resolved")), run("list", "is:unresolved")) == (
        "resolved",
        [A],
        [],
    )
    seen(A, minutes=1)
    assert seen.state(A) == "resolved", "what happened before it was resolved says nothing"
    seen(A, hours=-1)
    (one,) = run("list", "is:unresolved")
    assert (one["state"], one["regressed"]["release"]) == ("unresolved", "")
    run("resolve", A)
    assert "regressed" not in seen.issue(A)


@pytest.mark.parametrize(
    ("release", "state"),
    [
        ("1.9.9", "resolved"),
        ("2.0.0-rc.1", "resolved"),
        ("2.0.0", "unresolved"),
        ("2.1.0", "unresolved"),
        ("", "unresolved"),
        ("nightly", "resolved"),  # it was seen before 2.0.0 was
    ],
)
def test_only_the_release_it_is_resolved_in_and_later_ones_are_a_regression(
    seen: Seen, run: Run, release: str, state: str
):
    seen(A, release="1.0.0", days=2)
    (one,) = run("resolve", A, "--in", "2.0.0")
    assert one["handling"]["in"] == "2.0.0"
    seen(A, release=release, hours=-1)
    assert seen.state(A) == state
    if state == "unresolved":
        assert seen.issue(A)["regressed"]["release"] == release


def test_releases_without_a_version_are_ordered_by_their_first_appearance(seen: Seen, run: Run):
    for hours, release in ((9, "feed"), (8, "beef"), (7, "cafe")):
        seen(B, release=release, hours=hours)
    seen(A, release="feed", hours=6)
    run("resolve", A, "--in", "beef")
    seen(A, release="feed", hours=-1)
    assert seen.state(A) == "resolved"
    seen(A, release="cafe", hours=-2)
    assert seen.issue(A)["regressed"]["release"] == "cafe"


def test_resolved_in_the_next_release_allows_all_that_were_seen(
    seen: Seen, run: Run, said: Callable[..., str]
):
    seen(A, hours=9)
    assert "no release of project 1 has been seen" in said("resolve", A, "--in-next")
    seen(B, release="1.9.0", hours=8)
    seen(B, release="1.10.0", hours=7)
    (one,) = run("resolve", A, "--in-next")
    assert one["handling"]["after"] == "1.10.0"
    for hour, release in enumerate(("1.9.0", "1.10.0", "1.9.5"), 1):
        seen(A, release=release, hours=-hour)
        assert seen.state(A) == "resolved", release
    seen(A, release="1.11.0", hours=-5)
    assert seen.state(A) == "unresolved"


def test_an_ignored_issue_escalates_after_so_many_events_or_users_more(seen: Seen, run: Run):
    for one in (A, B):
        seen(one, 5, users=("a", "b"), hours=1)
    run("ignore", A, "--until", "10 events")
    run("ignore", B, "--until", "1 users")
    seen(A, 9)
    seen(B, 50)
    assert [seen.state(A), seen.state(B)] == ["ignored", "ignored"]
    seen(A)
    seen(B, users=("c",))
    assert [seen.issue(one)["escalated"]["why"] for one in (A, B)] == ["15 events", "3 users"]


def test_an_issue_is_ignored_until_a_time_whether_it_is_seen_then_or_not(
    seen: Seen, run: Run, mongo_url: str
):
    seen(A, hours=1)
    run("ignore", A, "--until", "2h")
    store = IssueStore(mongo_url)
    for hours, state in ((0, "ignored"), (3, "unresolved")):
        at = NOW + timedelta(hours=hours)
        (found,) = store.find(parse(f"is:{state}"), at, "last_seen", 0)
        assert (found["_id"], states.state_of(found, at)) == (A, state)
    store.close()
    seen(A, hours=-3)
    assert seen.issue(A)["escalated"]["why"] == "its time is over"


def test_many_at_once_by_a_query(seen: Seen, run: Run, said: Callable[..., str]):
    for one in (A, B, "2:v1:a"):
        seen(one)
    assert sorted(ids(run("resolve", "--query", "project:1 undefined"))) == [A, B]
    assert ids(run("list")) == ids(run("list", "x", "is", "undefined"))
    assert ids(run("list", "is:unresolved")) == ["2:v1:a"]
    assert sorted(ids(run("reopen", "--query", "is:resolved"))) == [A, B]
    assert "name issues by their ids" in said("resolve")
    assert "there is no issue '1:v1:x'" in said("resolve", "1:v1:x", A)
    assert seen.state(A) == "unresolved", "all or none"
    assert "is: 'gone' is not allowed" in said("list", "is:gone")


def test_a_merged_issue_is_counted_in_the_other_one_and_as_exactly_as_before(
    seen: Seen, run: Run, said: Callable[..., str]
):
    seen(A, 3, users=("a", "b"), hours=3)
    seen(B, 4, users=("b", "c"), hours=2)
    seen(C, 5, users=("d",), hours=1)
    run("merge", A, "--into", B)
    run("merge", B, "--into", C)
    (one,) = run("list")
    assert (one["id"], one["count"], one["users"], one["merged"]) == (C, 12, 4, [A, B])
    seen(A, 10, hours=-1)
    found = seen.issue(C)
    assert (found["count"], found["last_seen"]) == (22, NOW + timedelta(hours=1))
    assert sum(sum(seen.issue(one)["parts"].values()) for one in (A, B, C)) == 22, "the audit's"
    assert "is itself merged into" in said("merge", C, "--into", A)
    assert "of another project" in said("merge", _other(seen), "--into", C)
    run("reopen", A)
    assert {one["id"]: one["count"] for one in run("list", "project:1")} == {A: 13, C: 9}


def _other(seen: Seen) -> str:
    seen("2:v1:a")
    return "2:v1:a"


def test_a_merged_issue_that_is_seen_again_reopens_the_one_it_is_part_of(seen: Seen, run: Run):
    seen(A, hours=1)
    seen(B, hours=1)
    run("merge", A, "--into", B)
    run("resolve", B)
    seen(A, hours=-1)
    assert (seen.state(A), seen.state(B)) == ("merged", "unresolved")


def test_notes_are_bounded_and_shown(seen: Seen, run: Run, said: Callable[..., str]):
    seen(A)
    old = [{"at": NOW, "text": f"old {number}"} for number in range(states.MOST_NOTES)]
    seen.database.issues.update_one({"_id": A}, {"$set": {"notes": old}})
    run("note", A, "--text", "new")
    (one,) = run("show", A)
    texts = [note["text"] for note in one["notes"]]
    assert (len(texts), texts[0], texts[-1]) == (states.MOST_NOTES, "old 1", "new")
    assert "1 to 2000 characters are needed" in said("note", A, "--text", "x" * 2001)


@pytest.mark.parametrize("until", ["soon", "0 events", "-1 users", "9 things", "999999999d"])
def test_a_time_to_ignore_that_cannot_be_is_named(seen: Seen, said: Callable[..., str], until: str):
    seen(A)
    assert f"--until: {until!r} is not allowed" in said("ignore", A, "--until", until)


def test_an_issue_is_shown_as_markdown_with_its_newest_stack(seen: Seen, mongo_url: str):
    seen(A)
    for number, message in enumerate(("older", "newest")):
        event = zlib.compress(orjson.dumps({"type": "TypeError", "message": message}))
        at = NOW + timedelta(seconds=number)
        seen.database.samples.insert_one({"issue": A, "received": at, "event": event})
    given = ["--mongo-url", mongo_url, "show", A, "--markdown"]
    shown = CliRunner().invoke(command, given, catch_exceptions=False).stdout
    assert shown.startswith("# `TypeError: x is undefined`\n")
    assert "\n```\nTypeError: newest\n```\n" in shown
