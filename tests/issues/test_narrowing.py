"""What few issues fulfil is read off an index, without a look at one issue."""

from __future__ import annotations

from datetime import timedelta

import pytest
from pymongo import MongoClient

from catchwater.issues import narrowing
from catchwater.issues.search import FILTERS, asked, parse
from catchwater.issues.store import IssueStore
from tests.issues.conftest import NOW, Seen

TAGS = ("environment", "browser", "os", "device", "page")
NARROW = {
    **{name: f"{name}:value" for name in (*TAGS, "release", "level", "new-in", "regressed-in")},
    "tag.NAME": "tag.tenant:value*",
    "user": "user:value",
    "since": "since:1h",
    "until": "until:7d",
    "new-since": "new-since:1h",
}


@pytest.mark.parametrize("query", NARROW.values())
def test_each_filter_has_an_index_that_alone_knows_the_ids(seen: Seen, query: str):
    tags = dict.fromkeys((*TAGS, "tenant"), "value")
    seen("1:v1:a", release="value", tags=tags, days=1)
    (one,) = asked(parse(query), NOW).narrow
    fields = {"_id": False} | {one.ids: True}
    found = seen.database[one.collection].find(one.condition, fields).explain()
    stages = str(found["queryPlanner"]["winningPlan"])
    assert "IXSCAN" in stages
    assert found["executionStats"]["totalDocsExamined"] == 0


def test_every_filter_is_narrow_but_those_that_order_a_list_anyhow():
    assert set(FILTERS) - set(NARROW) == {"is", "project"}


def followed(plan: narrowing.Steps, mongo_url: str, looked: list[int]) -> narrowing.Selection:
    with MongoClient[dict[str, str]](mongo_url) as client:
        try:
            lookup = next(plan)
            while True:
                found = list(client.catchwater[lookup.collection].aggregate(lookup.pipeline))
                looked.append(len(found))
                lookup = plan.send([one["_id"] for one in found])
        except StopIteration as end:
            selection: narrowing.Selection = end.value
            return selection


def test_a_condition_of_few_issues_is_all_that_is_looked_at(
    seen: Seen, mongo_url: str, monkeypatch: pytest.MonkeyPatch
):
    """Five of twenty have the page, and one of those the system."""
    monkeypatch.setattr(narrowing, "FEW", 5)
    for n in range(20):
        page = {"page": "/rare"} if n % 4 == 0 else {"page": "/common"}
        seen(f"1:v1:{n:02}", tags=page | {"os": "iOS" if n == 4 else "Windows"})
    plan = narrowing.steps(parse("os:windows page:/rare"), NOW + timedelta(hours=1))
    looked: list[int] = []
    selected = followed(plan, mongo_url, looked)
    assert (looked, selected.few) == ([5], True)
    store = IssueStore(mongo_url)
    found = store.find(parse("os:windows page:/rare"), NOW, "last_seen", 0)
    store.close()
    assert sorted(one["_id"] for one in found) == ["1:v1:00", "1:v1:08", "1:v1:12", "1:v1:16"]
