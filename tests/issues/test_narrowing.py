"""What few issues fulfil is read off an index, without a look at one issue."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing

import pytest

from catchwater.config.streamdefs import Retention
from catchwater.issues import narrowing
from catchwater.issues.narrowing import Wanted
from catchwater.issues.search import FILTERS, asked, parse
from catchwater.issues.store import IssueStore
from sink.writer import MongoWriter
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


@pytest.mark.parametrize("query", [*NARROW.values(), "is:resolved", "is:ignored", "word"])
def test_each_filter_names_an_index_that_the_sink_makes(seen: Seen, query: str):
    seen("1:v1:a")
    wanted = Wanted(parse(query), NOW, "count", 51)
    for one in asked(wanted.search, NOW).narrow:
        if one.collection == "issues":
            stages = seen.database.issues.find(one.condition).hint(wanted.index(one)).explain()
            assert "COLLSCAN" not in str(stages)


class Searching(IssueStore):
    """Remembers what was looked up and which index was found best."""

    def __init__(self, url: str) -> None:
        super().__init__(url)
        self.counted: list[int] = []
        self.index: narrowing.Index | None = None

    def _looked_up(self, lookup: narrowing.Lookup) -> list[str] | int:
        found = super()._looked_up(lookup)
        if isinstance(found, int):
            self.counted.append(found)
        return found

    def _selected(self, wanted: Wanted) -> narrowing.Selection:
        selection = super()._selected(wanted)
        self.index = selection.index
        return selection

    def ids(self, query: str, limit: int = 0) -> list[str]:
        found = self.find(parse(query), NOW, "last_seen", limit)
        return sorted(one["_id"] for one in found)


@pytest.fixture
def store(seen: Seen, mongo_url: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Searching]:
    """120 issues: 30 have the page /cart, of which 6 have iOS; 24 others have iOS and /pay."""
    monkeypatch.setattr(narrowing, "FEW", 5)
    monkeypatch.setattr(narrowing, "MANY", 80)
    for n in range(120):
        page = "/cart" if n < 30 else "/pay" if n < 54 else "/"
        system = "iOS" if page == "/pay" or n < 6 else "Windows"
        project = "2" if n in (0, 40, 100) else "1"
        seen(f"{project}:v1:{n:03}", tags={"page": page, "os": system}, hours=n)
    store = Searching(mongo_url)
    yield store
    store.close()


FACETS = [("facets", 1), ("_id", 1)]
OF_LIST = [("last_seen", -1), ("_id", -1)]
BY_ID = [("_id", 1)]


def test_a_condition_of_few_issues_is_all_that_is_looked_at(seen: Seen, store: Searching):
    for n in range(4):
        seen(f"1:v1:rare{n}", tags={"page": "/rare", "os": "iOS" if n else "Windows"})
    assert store.ids("os:windows page:/rare") == ["1:v1:rare0"]
    assert (store.index, store.counted) == (FACETS, [4])


def test_what_many_have_is_found_in_the_order_of_the_list(store: Searching):
    """A page of it is full sooner than all that have it are looked at."""
    assert store.ids("os:windows", 3) == ["1:v1:006", "1:v1:007", "1:v1:008"]
    assert (store.index, store.counted) == (OF_LIST, [6])


def test_of_conditions_that_seldom_come_together_the_rarest_says_what_is_looked_at(
    store: Searching,
):
    """The list would have come to the last of 24 issues of /pay only."""
    assert store.ids("page:/pay os:windows", 3) == []
    assert (store.index, store.counted) == (FACETS, [6, 6, 24, 81, 120])
    assert len(store.ids("page:/pay os:ios", 0)) == 24, "all of them"


def test_of_conditions_that_often_come_together_the_list_soon_has_a_page(store: Searching):
    assert store.ids("page:/cart os:windows", 1) == ["1:v1:006"]
    assert store.index == BY_ID
    assert len(store.ids("page:/cart os:windows", 50)) == 24, "there is no whole page"
    assert store.index == FACETS


def test_a_small_project_is_looked_at_as_a_whole(store: Searching):
    assert store.ids("project:2 page:/pay os:ios", 3) == ["2:v1:040"]
    assert (store.index, store.counted) == ([("project", 1), *OF_LIST], [3])


def test_issues_of_a_version_that_wrote_no_words_are_found_after_the_sink_has_started(
    seen: Seen, store: Searching, mongo_url: str
):
    seen.database.issues.update_many({"_id": {"$lt": "1:v1:003"}}, {"$unset": {"words": ""}})
    with closing(MongoWriter(mongo_url, Retention())) as writer:
        writer.prepare()
    assert len(store.ids("undefined")) == 120
    assert store.ids("page:/cart project:2 undefined") == ["2:v1:000"]
