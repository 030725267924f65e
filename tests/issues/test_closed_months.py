"""An issue's document stays small over years, and what it counts stays exact."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from typing import Any

import bson
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from pymongo.database import Database

from catchwater.issues.derived import derived
from catchwater.issues.store import IssueStore
from catchwater.monitoring.audit import CounterTotals, first_audited_month
from dashboard.stored_counts import StoredCounts
from tests.issues.conftest import NOW, Seen

Issues = Database[dict[str, Any]]

A, B = "1:v1:a", "1:v1:b"
MONTHS = 36
"""That are counted; in the past, so that today's date closes none of them."""

MOST_OPEN = 8
"""Months that may still be open, of 180 days."""


def month_at(number: int) -> datetime:
    return datetime(2019 + number // 12, number % 12 + 1, 15, tzinfo=UTC)


def part_of(number: int, source: str = "p0-5eedbeef") -> str:
    return f"{month_at(number):%Y%m}-{source}-1"


def write(database: Issues, number: int, source: str, n: int, *, dies: bool = False) -> None:
    """As the sink does it: the counters so far, and then what is derived from all of them.

    One that `dies` does not come to that.
    """
    part = part_of(number, source)
    seen = {"last_seen": month_at(number), f"parts.{part}": n, f"more.{part}": 2 * n}
    change = {"$max": seen, "$min": {"first_seen": month_at(number)}}
    database.issues.update_one({"_id": A}, change, upsert=True)
    if not dies:
        database.issues.update_one({"_id": A}, derived())


def found(database: Issues) -> dict[str, Any]:
    one = database.issues.find_one({"_id": A})
    assert one
    return one


def test_a_document_of_three_years_is_as_large_as_one_of_half_a_year(database: Issues) -> None:
    """64 partitions, and Redis lost each week: it grew by 17 kB a month."""
    sizes = []
    for number in range(MONTHS):
        for epoch in range(5):
            parts = {part_of(number, f"p{one}-{epoch:08x}"): 1 for one in range(64)}
            seen = {f"parts.{part}": n for part, n in parts.items()}
            seen |= {"last_seen": month_at(number)}
            database.issues.update_one({"_id": A}, {"$max": seen}, upsert=True)
        database.issues.update_one({"_id": A}, derived())
        sizes.append(len(bson.encode(found(database))))
    assert found(database)["count"] == MONTHS * 5 * 64
    assert len(found(database)["parts"]) <= MOST_OPEN * 5 * 64 + 1
    assert sizes[-1] < 1.2 * max(sizes[:MOST_OPEN])


def test_what_is_written_late_of_a_closed_month_is_counted_already(database: Issues) -> None:
    """By a sink that stood still for years with it, and may die before it derives anything."""
    for number in range(MONTHS):
        for n in (3, 5):
            write(database, number, "p0-5eedbeef", n)
    before = found(database)
    for dies in (True, False):
        write(database, 2, "p0-5eedbeef", 3, dies=dies)
        assert found(database)["count"] == before["count"] == MONTHS * 15
    assert {**found(database), "first_seen": 0} == {**before, "first_seen": 0}


def test_a_month_that_is_open_still_grows(database: Issues) -> None:
    for number in range(MONTHS):
        write(database, number, "p0-5eedbeef", 1)
    write(database, MONTHS - 6, "p0-5eedbeef", 4)
    write(database, MONTHS - 6, "p1-5eedbeef", 1)
    assert found(database)["count"] == 3 * (MONTHS + 3 + 1)


def test_an_issue_s_clock_that_was_years_ahead_closes_nothing_of_today(database: Issues) -> None:
    """MongoDB's clock has to be ahead, too."""
    number = (NOW.year - 2019) * 12 + NOW.month - 1
    write(database, number + 120, "p0-5eedbeef", 1)
    for n in (1, 5):
        write(database, number, "p0-5eedbeef", n)
    assert found(database)["count"] == 3 * 6
    assert part_of(number) in found(database)["parts"]


def test_the_audit_finds_as_much_as_before(database: Issues, mongo_url: str) -> None:
    """It asks for the months that are open, of Redis's epochs of today."""
    number = (NOW.year - 2019) * 12 + NOW.month - 1
    for age in range(24):
        for source in ("p0-5eedbeef", "p1-0ld0ld00"):
            write(database, number - age, source, 10, dies=True)
    months = {part[:6] for part in found(database)["parts"]}
    since = {first_audited_month(timedelta(days=days)) for days in (30, 180, 720)}
    expected = {one: sum(month >= one for month in months) for one in since}
    with closing(StoredCounts(mongo_url)) as stored:
        for _ in range(2):
            for one, n in expected.items():
                assert stored({"p0": "5eedbeef"}, one) == CounterTotals(10 * n, 20 * n)
            database.issues.update_one({"_id": A}, derived())
    assert len(found(database)["parts"]) <= 2 * MOST_OPEN + 1


def test_a_merged_issue_brings_its_closed_months_and_nothing_that_came_back(
    seen: Seen, database: Issues, mongo_url: str
) -> None:
    for number in range(MONTHS):
        write(database, number, "p0-5eedbeef", 1)
    write(database, 0, "p0-5eedbeef", 1, dies=True)
    seen(B, 4)
    with closing(IssueStore(mongo_url)) as store:
        store.merge([found(database)], B, NOW)
    assert seen.issue(B)["count"] == 3 * MONTHS + 4


Write = tuple[int, str, int, bool]


@st.composite
def histories(draw: st.DrawFn) -> list[Write]:
    """Counters that grow over years, each value written in time; and any of them again, ever after,
    by sinks some of which die.
    """
    cells = st.tuples(st.integers(0, MONTHS - 1), st.sampled_from(["p0-a", "p1-b", "p0-c"]))
    tops = draw(st.dictionaries(cells, st.integers(1, 4), min_size=1, max_size=12))
    first = [
        (cell, n, month_at(cell[0]) + timedelta(days=draw(st.integers(0, 150))))
        for cell, top in tops.items()
        for n in range(1, top + 1)
    ]
    again = [
        (cell, n, at + timedelta(days=draw(st.integers(0, 2000))))
        for cell, n, at in draw(st.lists(st.sampled_from(first), max_size=12))
    ]
    times = {id(one): one for one in [*first, *again]}
    in_time = sorted(times.values(), key=lambda one: one[2])
    dying = [draw(st.booleans()) for _ in in_time]
    return [(*cell, n, dies) for (cell, n, _), dies in zip(in_time, dying, strict=True)]


@given(histories())
@settings(
    max_examples=60,
    deadline=None,
    phases=[Phase.generate],  # to find a shorter one takes minutes
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
def test_in_any_order_the_sum_is_exact_and_never_falls(
    database: Issues, history: list[Write]
) -> None:
    database.issues.delete_many({})
    most: dict[tuple[int, str], int] = {}
    count = 0
    for number, source, n, dies in history:
        write(database, number, source, n, dies=dies)
        most[number, source] = max(n, most.get((number, source), 0))
        if not dies:
            assert found(database)["count"] == 3 * sum(most.values()) >= count
            count = found(database)["count"]
    database.issues.update_one({"_id": A}, derived())
    assert found(database)["count"] == 3 * sum(most.values())
    months = {part[:6] for part in found(database)["parts"]}
    assert len(months) <= MOST_OPEN + 1


@pytest.fixture(autouse=True)
def _emptied(database: Issues) -> Iterator[None]:
    yield
    database.issues.delete_many({})
