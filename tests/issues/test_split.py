"""An issue is split by a rule and put together again by hand, in a running system, on real servers:
no event is lost or counted twice by it.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner

from catchwater.commands.issue import command
from tests.waiting import wait_until
from tests.whole_pipeline import PROJECT, WAIT_S, Whole, whole_pipeline

RULE = """    fingerprints:
      - match: {page: "*/checkout*"}
        name: ["{{ default }}", checkout]
"""


@pytest.fixture
def whole(redis_url: str, mongo_url: str, tmp_path: Path) -> Iterator[Whole]:
    with whole_pipeline(redis_url, mongo_url, tmp_path) as one:
        yield one


def report(page: str) -> dict[str, str]:
    """One fault that two kinds of pages meet."""
    return {
        "type": "TypeError",
        "message": "x is null",
        "stack": "TypeError: x is null\n    at pay (https://shop.example/app.js:3:5)",
        "page": f"https://shop.example/{page}",
    }


def issue(mongo_url: str, *arguments: str) -> None:
    done = CliRunner().invoke(command, ["--mongo-url", mongo_url, *arguments])
    assert done.exit_code == 0, done.output


def split(whole: Whole) -> str:
    """Add the rule; the issue that it makes, as soon as the stage has seen it."""
    before = set(whole.counted())
    whole.projects.write_text(PROJECT + RULE)

    def seen() -> set[str]:
        whole.send(report("checkout"))
        return set(whole.counted()) - before

    (found,) = wait_until(seen, "the rule holds", WAIT_S)
    return found


def shown(whole: Whole) -> dict[str, int]:
    found = whole.database.issues.find({"state": {"$ne": "merged"}})
    return {one["_id"]: one["count"] for one in found}


def test_a_rule_splits_later_events_of_an_issue_and_counts_stay_exact(whole):
    whole.send(report("checkout"), 3)
    whole.send(report("basket"), 2)
    (before,) = whole.counted()
    apart = split(whole)
    at_the_split = whole.counted()
    assert at_the_split[before] >= 5, "what is counted stays where it is"
    whole.send(report("checkout"), 4)
    whole.send(report("basket"), 3)
    counts = whole.counted()
    assert counts == {before: at_the_split[before] + 3, apart: at_the_split[apart] + 4}
    wait_until(lambda: shown(whole) == counts, "and is shown so", WAIT_S)


def test_what_a_rule_split_is_merged_for_later_events_too_and_taken_back(whole, mongo_url):
    whole.send(report("basket"), 2)
    (before,) = whole.counted()
    apart = split(whole)
    issue(mongo_url, "merge", apart, "--into", before)
    whole.send(report("checkout"), 3)
    whole.send(report("basket"), 2)
    counts = whole.counted()
    wait_until(lambda: shown(whole) == {before: whole.sent}, "both are one", WAIT_S)
    issue(mongo_url, "reopen", apart)
    assert shown(whole) == counts
    whole.send(report("checkout"))
    wait_until(lambda: shown(whole)[apart] == counts[apart] + 1, "it goes on", WAIT_S)
    assert shown(whole)[before] == counts[before]


def test_a_rule_that_is_taken_out_again_leaves_what_it_counted(whole):
    whole.send(report("checkout"), 2)
    (before,) = whole.counted()
    apart = split(whole)
    by_rule = whole.counted()[apart]
    whole.projects.write_text(PROJECT)

    last = whole.counted()[before]

    def counted_by_default() -> bool:
        whole.send(report("checkout"))
        return whole.counted()[before] > last

    wait_until(counted_by_default, "the rule no longer holds", WAIT_S)
    assert whole.counted()[apart] >= by_rule
