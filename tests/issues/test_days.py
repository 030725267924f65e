"""Hours are folded into days, on a real MongoDB; the sums are exact whatever dies or is late."""

from __future__ import annotations

import random
from collections import Counter, defaultdict
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from pymongo.database import Database
from pymongo.errors import AutoReconnect, BulkWriteError, DuplicateKeyError

from catchwater.config.streamdefs import Retention
from catchwater.errors import UnavailableError
from catchwater.issues.days import DAY, FOLDED, day_of, foldable_until, late_before
from sink import days
from sink.indexes import expiries
from sink.trends import TrendStore
from tests.issues.conftest import NOW, Seen
from tests.waiting import wait_until

A, B = "1:v1:a", "1:v1:b"
AT = datetime(2026, 11, 28, 12, tzinfo=UTC)

Counts = dict[str, dict[str, int]]


@pytest.fixture
def store(mongo_url: str) -> Iterator[TrendStore]:
    opened = TrendStore(mongo_url)
    yield opened
    opened.close()


def counted(database: Database[dict[str, Any]]) -> Counts:
    """Of each issue, its counts by day: `20261128`."""
    found: defaultdict[str, dict[str, int]] = defaultdict(dict)
    for one in database.days.find({"_id": {"$ne": FOLDED}}):
        assert one["_id"] == f"{one['issue']}:{one['month']:%Y%m}"
        found[one["issue"]] |= {f"{one['month']:%Y%m}{day}": n for day, n in one["counts"].items()}
    return found


def put(database: Database[dict[str, Any]], issue: str, hour: datetime, **parts: int) -> None:
    """An hour as the sink has written it, `parts` being of two partitions, say."""
    begun = hour.replace(minute=0, second=0, microsecond=0)
    document = {"issue": issue, "hour": begun, "parts": parts}
    database.hours.replace_one({"_id": f"{issue}:{begun:%Y%m%d%H}"}, document, upsert=True)


def scattered(database: Database[dict[str, Any]], until: datetime) -> Counts:
    """Hours of 60 days, of both issues, at random. Returns what the days before `until` have."""
    chance = random.Random(5)
    found: defaultdict[str, Counter[str]] = defaultdict(Counter)
    for ago in chance.sample(range(60 * 24), 300):
        issue, hour = chance.choice((A, B)), AT - timedelta(hours=ago)
        parts = {"202611-p0-life-1": chance.randint(1, 9), "202611-p1-life-2": 3}
        put(database, issue, hour, **parts)
        if hour < until:
            found[issue][f"{hour:%Y%m%d}"] += sum(parts.values())
    return {issue: dict(one) for issue, one in found.items()}


def test_days_that_are_over_are_the_sums_of_their_hours(database: Database[dict[str, Any]]):
    until = day_of(AT)
    expected = scattered(database, until)
    assert sum(map(len, expected.values())) > 80
    for _ in range(2):
        days.fold_until(database, AT)
        assert counted(database) == expected


def test_occurrences_beyond_one_for_each_event_are_counted(database: Database[dict[str, Any]]):
    put(database, A, AT - 3 * DAY, x=2)
    database.hours.update_one({}, {"$set": {"more": {"x": 40}}})
    days.fold_until(database, AT)
    assert counted(database) == {A: {"20261125": 42}}
    assert database.days.find_one({"counts.25": {"$type": "int"}}), "and not as 64 bits"


def test_a_day_is_folded_some_hours_after_it_is_over_and_not_again(
    database: Database[dict[str, Any]],
):
    put(database, A, AT - DAY, x=1)
    put(database, A, AT, x=2)
    for hours, expected in ((-10, 27), (3, 27), (15, 27), (16, 28), (17, 28)):
        days.fold_until(database, AT + timedelta(hours=hours))
        until = database.days.find_one({"_id": FOLDED})
        assert until
        assert until["until"].day == expected + (hours >= -8)
    assert counted(database) == {A: {"20261127": 1, "20261128": 2}}


def test_folding_that_was_cut_short_goes_on_where_it_was(
    database: Database[dict[str, Any]], monkeypatch: pytest.MonkeyPatch
):
    expected = scattered(database, day_of(AT))
    fold, done = days.fold, []

    def dies(*arguments: Any) -> None:
        if len(done) == 20:
            raise KeyboardInterrupt
        done.append(arguments)
        fold(*arguments)

    monkeypatch.setattr(days, "fold", dies)
    with pytest.raises(KeyboardInterrupt):
        days.fold_until(database, AT)
    monkeypatch.setattr(days, "fold", fold)
    days.fold_until(database, AT)
    assert counted(database) == expected
    assert database.days.find_one({"_id": FOLDED, "until": day_of(AT)})


def test_a_day_that_a_clock_ahead_closed_too_early_is_folded_again(
    database: Database[dict[str, Any]],
):
    put(database, A, AT, x=1)
    days.fold_until(database, AT + DAY)
    assert counted(database) == {A: {"20261128": 1}}
    put(database, A, AT, x=5)
    days.fold_until(database, AT + 2 * DAY)
    assert counted(database) == {A: {"20261128": 5}}


def test_a_day_never_shrinks_when_its_hours_have_expired(database: Database[dict[str, Any]]):
    put(database, A, AT - 2 * DAY, x=3)
    put(database, A, AT - 2 * DAY + timedelta(hours=1), x=4)
    days.fold_until(database, AT)
    database.hours.delete_one({})
    days.fold(database, day_of(AT - 2 * DAY), [A])
    days.fold_until(database, AT + DAY)
    assert counted(database) == {A: {"20261126": 7}}


def test_what_is_written_late_is_in_its_day_before_the_write_is_acknowledged(seen: Seen):
    """As after an outage, or when a dead letter is replayed: nobody folds that day again."""
    days.fold_until(seen.database, NOW)
    seen(A, 3, days=5)
    seen(B, 2, days=5)
    seen(A, 4, days=5)
    seen(A, 1)
    name = f"{NOW - 5 * DAY:%Y%m%d}"
    assert counted(seen.database) == {A: {name: 7}, B: {name: 2}}


def test_a_late_write_that_is_cut_short_before_its_day_is_not_acknowledged(
    seen: Seen, monkeypatch: pytest.MonkeyPatch
):
    """So the batch is read again, by this sink or another one."""
    fold = days.fold

    def dies(*_: Any) -> None:
        raise AutoReconnect("connection reset")

    monkeypatch.setattr(days, "fold", dies)
    with pytest.raises(UnavailableError):
        seen(A, 3, days=5)
    assert seen.database.hours.count_documents({}) == 1
    assert counted(seen.database) == {}
    monkeypatch.setattr(days, "fold", fold)
    seen(A, 2, days=5)
    assert counted(seen.database) == {A: {f"{NOW - 5 * DAY:%Y%m%d}": 5}}


def test_many_sinks_may_fold_at_once(database: Database[dict[str, Any]]):
    expected = scattered(database, day_of(AT))
    with ThreadPoolExecutor(4) as pool:
        turns = [
            pool.submit(wait_until, lambda: folds(database), "days are folded") for _ in range(4)
        ]
        assert all(one.result() for one in turns)
    assert counted(database) == expected


def folds(database: Database[dict[str, Any]]) -> bool:
    """Of two that insert a document at once one loses, and looks again, as the thread does."""
    try:
        days.fold_until(database, AT)
    except DuplicateKeyError:
        return False
    except BulkWriteError as error:
        if {one["code"] for one in error.details["writeErrors"]} != {11_000}:
            raise
        return False
    return True


def test_only_what_is_late_costs_the_sink_anything():
    hours = [f"{A}:2026112{day}{hour:02}" for day in (6, 7, 8) for hour in (0, 23)]
    early = datetime(2026, 11, 28, 2, 59, tzinfo=UTC)
    assert set(days.late_days(hours, early)) == {datetime(2026, 11, 26, tzinfo=UTC)}
    assert set(days.late_days(hours, AT)) == {datetime(2026, 11, n, tzinfo=UTC) for n in (26, 27)}
    assert days.late_days([f"{A}:2026112812"], AT) == {}


@pytest.mark.parametrize("hour", range(24))
def test_nothing_is_on_time_for_a_day_that_may_be_folded(hour: int):
    """An hour that was not late when its write began has another hour to arrive."""
    at = AT.replace(hour=hour, minute=30)
    assert foldable_until(at) <= late_before(at)
    assert foldable_until(at + timedelta(minutes=59)) <= late_before(at)


def test_hours_outlast_the_folding_of_their_day():
    kept = {name: after for name, _, after in expiries(Retention(hours="1d"))}
    assert kept["hours"] >= 2 * DAY
    assert {name: after for name, _, after in expiries(Retention())}["hours"] == 90 * DAY


def test_the_sink_s_thread_folds_days(seen: Seen, store: TrendStore):
    put(seen.database, A, NOW - 3 * DAY, x=6)
    store.fold_days(NOW)
    assert counted(seen.database) == {A: {f"{NOW - 3 * DAY:%Y%m%d}": 6}}
