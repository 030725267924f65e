"""Trends of 24 hours, 14 days and 90 days: exact, in the address, with deploys, in words."""

from __future__ import annotations

import random
from collections.abc import Iterator
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from pymongo.database import Database

from catchwater.config.streamdefs import Retention
from catchwater.issues.days import DAY, day_of
from sink import days as folding
from sink.writer import MongoWriter
from tests.dashboard import documents as made
from tests.dashboard.markup import Tags

if TYPE_CHECKING:
    from tests.dashboard.conftest import Site

Mongo = Database[dict[str, Any]]
HOUR = timedelta(hours=1)


@pytest.fixture
def indexed(mongo: Mongo, mongo_url: str) -> Iterator[Mongo]:
    """With the indexes that the sink makes."""
    writer = MongoWriter(mongo_url, Retention())
    writer.prepare()
    yield mongo
    writer.close()


def of_one(site: Site, name: str, span: str) -> list[int]:
    found: list[int] = site.get(f"/api/issues/{made.identity(name)}?span={span}").json["days"]
    return found


def sentence(page: str, name: str = "") -> str:
    """What the chart says, of the row of an issue in a list or of its page."""
    row = page.partition(f'data-key="{made.identity(name)}"')[2] if name else page
    return row.partition('aria-label="')[2].partition('"')[0] if name else str(_bars(page))


def _bars(page: str) -> str:
    (found,) = [
        str(one["aria-label"])
        for tag, one in Tags(page).elements
        if tag == "svg" and "bars" in str(one["class"])
    ]
    return found


def test_days_are_exact_whether_they_are_folded_or_not(site: Site, indexed: Mongo):
    """Two issues with hours at random, folded up to any day: the same counts, whole and merged."""
    now, chance = made.moment(), random.Random(11)
    whole, part = made.issue("whole"), made.issue("part", state="merged")
    whole["absorbed"] = {part["_id"]: 1}
    indexed.issues.insert_many([whole, part])
    expected = [0] * 90
    for ago in chance.sample(range(95 * 24), 400):
        at, n = now - ago * HOUR, chance.randint(1, 50)
        indexed.hours.insert_one(made.hour(chance.choice((whole, part)), at, n, more=ago % 3))
        if (place := 89 - (day_of(now) - day_of(at)) // DAY) >= 0:
            expected[place] += n + ago % 3
    assert of_one(site, "whole", "90d") == expected
    for days in (88, 40, 13, 2, 0):
        folding.fold_until(indexed, now - days * DAY)
        assert of_one(site, "whole", "90d") == expected
        (listed,) = site.issues(span="90d")["issues"]
        assert listed["days"] == expected
    assert of_one(site, "whole", "14d") == expected[-14:]
    (listed,) = site.issues(span="14d")["issues"]
    assert listed["days"] == expected[-14:]
    assert sum(listed["hours"]) == sum(site.issues()["issues"][0]["hours"])


def test_days_outlast_the_hours_that_they_were_folded_from(site: Site, mongo: Mongo):
    one, now = made.issue("pay"), made.moment()
    mongo.issues.insert_one(one)
    mongo.hours.insert_one(made.hour(one, now - 80 * DAY, 9))
    folding.fold_until(mongo, now)
    mongo.hours.delete_many({})
    assert of_one(site, "pay", "90d") == [*[0] * 9, 9, *[0] * 80]


def test_what_is_folded_too_early_does_not_hide_today(site: Site, mongo: Mongo):
    """As by a sink whose clock is ahead."""
    one, now = made.issue("pay"), made.moment()
    mongo.issues.insert_one(one)
    mongo.days.insert_many([made.folded(now + 2 * DAY), *made.days(one, {now: 4})])
    mongo.hours.insert_one(made.hour(one, now, 5))
    assert of_one(site, "pay", "14d") == [*[0] * 13, 5]


def test_an_issue_without_events_and_one_older_than_the_chart_have_a_chart_of_nothing(
    site: Site, mongo: Mongo
):
    old, now = made.issue("old"), made.moment()
    mongo.issues.insert_many([made.issue("empty"), old])
    mongo.days.insert_many([made.folded(now), *made.days(old, {now - 90 * DAY: 7})])
    for name in ("empty", "old"):
        assert of_one(site, name, "90d") == [0] * 90
        page = site.get(f"/issues/{made.identity(name)}?span=90d").text
        assert sentence(page) == "0 events in 90 days (UTC)"
    assert sentence(site.get("/?span=14d").text, "old") == "0 events in 14 days (UTC)"


def test_odd_documents_are_no_failure(site: Site, mongo: Mongo):
    one, now = made.issue("pay"), made.moment()
    mongo.issues.insert_one(one)
    about: dict[str, Any] = {"issue": one["_id"], "month": now}
    mongo.days.insert_many(
        [
            {"_id": "folded", "until": "soon"},
            {"_id": "a", "issue": one["_id"], "month": "what", "counts": {"01": 1}},
            {"_id": "b", **about, "counts": {"x": 1, "01": "many", "99": 3}},
            {"_id": "c", **about, "counts": [1]},
        ]
    )
    assert of_one(site, "pay", "90d") == [0] * 90
    assert site.get("/?span=90d").status == 200


def test_an_erased_issue_keeps_its_counts_as_it_keeps_those_by_the_hour(site: Site, mongo: Mongo):
    """Of one that has expired nothing is shown, whatever days are left of it."""
    one, now = made.issue("pay"), made.moment()
    mongo.days.insert_many([made.folded(now), *made.days(one, {now - DAY: 7})])
    assert site.issues(span="14d")["issues"] == []
    assert site.get(f"/issues/{one['_id']}?span=14d").status == 404
    mongo.issues.insert_one(one | {"type": "(erased)", "message": "", "culprit": ""})
    assert of_one(site, "pay", "14d")[-2:] == [7, 0]


def test_the_span_is_in_the_address_and_stays_there(site: Site, mongo: Mongo):
    one = made.issue("pay")
    mongo.issues.insert_many([one, made.issue("other", last_seen=made.moment(hours=1))])
    links = Tags(site.get("/?span=14d&q=pay&limit=1").text).links()
    others = [link for link in links if link.startswith("/?")]
    assert len(others) > 5
    assert all("q=pay" in link and "span=" in link for link in others)
    assert {link.partition("span=")[2][:3] for link in others} == {"24h", "14d", "90d"}
    assert f"/issues/{made.quoted(one['_id'])}?span=14d" in links
    assert '<input type="hidden" name="span" value="14d">' in site.get("/?span=14d").text
    own = Tags(site.get(f"/issues/{made.quoted(one['_id'])}?span=90d").text)
    chosen = [at["href"] for tag, at in own.elements if tag == "a" and "aria-current" in at]
    assert f"/issues/{made.quoted(one['_id'])}?span=90d" in chosen


@pytest.mark.parametrize("path", ["/", "/api/issues", f"/issues/{made.identity('pay')}"])
def test_another_span_is_refused_and_says_which_there_are(site: Site, mongo: Mongo, path: str):
    mongo.issues.insert_one(made.issue("pay"))
    answer = site.get(f"{path}?span=30d", Accept="application/json")
    assert answer.status == 400
    assert "24h, 14d, 90d" in answer.text


def test_charts_say_their_numbers_and_that_days_are_utc_s(site: Site, mongo: Mongo):
    one, now = made.issue("pay"), made.moment()
    mongo.issues.insert_one(one)
    counts = {now - 80 * DAY: 40, now - 3 * DAY: 12}
    mongo.days.insert_many([made.folded(now - DAY), *made.days(one, counts)])
    mongo.hours.insert_one(made.hour(one, now, 2))
    said = f"54 events in 90 days (UTC), most of them on {now - 80 * DAY:%d %b}: 40"
    page = site.get(f"/issues/{one['_id']}?span=90d").text
    assert sentence(page) == said
    assert f"<title>{now - 3 * DAY:%d %b}: 12 events</title>" in page
    assert "Days are UTC" in page
    listed = site.get("/?span=90d").text
    assert sentence(listed, "pay") == said
    assert f"<title>{said}</title>" in listed
    said = f"14 events in 14 days (UTC), most of them on {now - 3 * DAY:%d %b}: 12"
    assert sentence(site.get("/?span=14d").text, "pay") == said
    assert "Days are UTC" not in site.get(f"/issues/{one['_id']}").text


def test_deploys_stand_in_the_charts_of_a_list_each_in_those_of_its_project(
    site: Site, mongo: Mongo
):
    now = made.moment()
    mongo.issues.insert_many([made.issue("pay"), made.issue("other", project="2")])
    deploys = [
        {"project": "1", "release": f"r{n}", "environment": "", "at": now - n * DAY}
        for n in range(60)
    ]
    mongo.deploys.insert_many(deploys)
    page = site.get("/?span=90d").text
    own = page.partition(f'data-key="{made.identity("pay")}"')[2].partition("</svg>")[0]
    assert own.count('class="mark"') == 10, "the latest ones"
    assert "; r0 deployed at" in own
    assert page.count('class="mark"') == 10, "none in those of the other project"
    whole = site.get(f"/issues/{made.identity('pay')}?span=90d").text
    assert whole.count('class="mark"') == 50
    assert "<title>r0 deployed at" in whole
    assert site.get("/").text.count('class="mark"') == 1
