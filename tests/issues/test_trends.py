"""Lists are sorted by trend, on a real MongoDB: by the counts of hours that the sink wrote."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import orjson
import pytest
from click.testing import CliRunner

from catchwater.commands.issue import command
from catchwater.config.streamdefs import Retention
from catchwater.errors import UnavailableError
from catchwater.issues.trend import trend
from sink import trends
from sink.trends import Trends, TrendStore
from sink.work import store_in
from sink.writer import MongoWriter
from tests.issues.conftest import NOW, Seen, tally
from tests.waiting import wait_until

A, B, C = (f"1:v1:{name}" for name in "abc")


@pytest.fixture
def store(mongo_url: str) -> Iterator[TrendStore]:
    opened = TrendStore(mongo_url)
    yield opened
    opened.close()


@pytest.fixture
def run(mongo_url: str) -> Callable[..., list[dict[str, Any]]]:
    def called(*arguments: str) -> list[dict[str, Any]]:
        given = ["--mongo-url", mongo_url, *arguments, "--json"]
        done = CliRunner().invoke(command, given, catch_exceptions=False)
        assert done.exit_code == 0, done.output
        return [orjson.loads(line) for line in done.stdout.splitlines()]

    return called


def trends_of(seen: Seen) -> dict[str, int]:
    return {one["_id"]: one["trend"] for one in seen.database.issues.find() if "trend" in one}


def each_hour(seen: Seen, issue: str, n: int, first: int, last: int) -> None:
    """`n` events in each of the hours from `first` to `last` hours ago, as the sink counts them."""
    for ago in range(first, last - 1, -1):
        seen.counts.pop(issue, None)  # each hour has a counter of its own
        seen(issue, n, hours=ago)


@pytest.mark.parametrize(
    ("day", "week", "expected"),
    [
        (0, 0, 0),
        (100, 700, 0),
        (10, 0, 10),
        (200, 700, 10),
        (131, 700, 3),
        (0, 700, -10),
        (1_010, 7_000, 0),
    ],
)
def test_a_trend_is_how_far_a_day_is_from_usual_beside_what_chance_makes(day, week, expected):
    assert trend(day, week) == expected


def test_the_last_24_hours_are_compared_with_the_week_before_and_nothing_else(
    seen: Seen, store: TrendStore
):
    each_hour(seen, A, 4, 23, 0)
    each_hour(seen, B, 4, 47, 24)
    each_hour(seen, C, 4, 215, 192)
    store.update_all(NOW)
    assert trends_of(seen) == {A: trend(96, 0), B: trend(0, 96)}
    store.update([A, B, C, "1:v1:none"], NOW)
    assert trends_of(seen) == {A: trend(96, 0), B: trend(0, 96), C: 0}


def test_a_trend_ends_with_time_though_nobody_sees_the_issue_again(seen: Seen, store: TrendStore):
    seen(A, 50)
    found = []
    for hours in (0, 23, 24, 191, 192, 400):
        store.update_all(NOW + timedelta(hours=hours))
        found.append(trends_of(seen)[A])
    assert found == [50, 50, trend(0, 50), trend(0, 50), 0, 0]


def test_an_issue_has_the_events_of_those_that_were_merged_into_it(
    seen: Seen, store: TrendStore, run: Callable[..., list[dict[str, Any]]]
):
    seen(A, 20)
    seen(B, 30)
    run("merge", A, "--into", B)
    store.update_all(NOW)
    assert trends_of(seen) == {B: 50}
    seen(A, 5)
    store.update([A], NOW)
    assert trends_of(seen) == {B: 55}


def test_more_issues_than_one_query_is_about(
    seen: Seen, store: TrendStore, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(trends, "AT_ONCE", 2)
    for n in range(5):
        seen(f"1:v1:{n}", n + 1)
    store.update_all(NOW)
    assert trends_of(seen) == {f"1:v1:{n}": n + 1 for n in range(5)}


def test_issues_are_listed_by_trend_and_by_users(
    seen: Seen, store: TrendStore, run: Callable[..., list[dict[str, Any]]]
):
    seen(A, 9, users=("a", "b", "c"))
    seen(B, 90, users=("a",), days=3)
    seen(C, 11, users=("a", "b"))
    store.update_all(NOW)
    assert [one["id"] for one in run("list", "--sort", "trend")] == [C, A, B]
    assert [one["id"] for one in run("list", "--sort", "users")] == [A, C, B]
    assert [one["trend"] for one in run("list", "--sort", "trend")] == [11, 9, trend(0, 90)]


def test_what_the_sink_writes_is_looked_at_soon(seen: Seen, mongo_url: str, store: TrendStore):
    with Trends(store, every_s=0.05) as keeping:
        writer = MongoWriter(mongo_url, Retention(), keeping.wrote)
        for n in (3, 8):
            store_in(writer, [tally(A, n, NOW)])
            wait_until(lambda n=n: trends_of(seen).get(A) == n, "it is brought up to date", 60)
        writer.close()


class Recorder(TrendStore):
    """Remembers what it was asked for."""

    def __init__(self) -> None:
        self.asked: list[object] = []
        self.away = False

    def fold_days(self, _at: object) -> None:
        self.asked.append("days")

    def update_all(self, _at: object) -> None:
        self.asked.append("all")

    def update(self, ids: Any, _at: object) -> None:
        self.asked.append(sorted(ids))
        if self.away:
            raise UnavailableError("away")


def test_all_are_looked_at_at_first_each_hour_after_a_failure_and_where_too_many_were_written(
    monkeypatch: pytest.MonkeyPatch,
):
    monkeypatch.setattr(trends, "MOST_WRITTEN", 2)
    store, hour = Recorder(), NOW.replace(minute=0)
    keeping = Trends(store)
    for minutes, written in ((1, [A]), (2, [A]), (3, [B]), (61, [A]), (62, [A, B, C]), (63, [])):
        keeping.wrote(written)
        keeping.look(hour + timedelta(minutes=minutes))
    assert store.asked == ["days", "all", [A], [B], "days", "all", "days", "all", []]
    store.away = True
    with pytest.raises(UnavailableError):
        keeping.look(hour + timedelta(minutes=64))
    store.away = False
    keeping.look(hour + timedelta(minutes=65))
    assert store.asked[-1] == "all"
