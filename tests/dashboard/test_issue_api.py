from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import pytest

from catchwater.issues.narrowing import Wanted, steps
from catchwater.issues.search import SORTS, Search
from dashboard.query import Cursor
from dashboard.reader import _beyond
from sink.indexes import INDEXES
from tests.dashboard import documents as made

if TYPE_CHECKING:
    from pymongo.database import Database

    from tests.dashboard.conftest import Site

    Mongo = Database[dict[str, Any]]

FIELDS = [
    "id",
    "project",
    "type",
    "message",
    "culprit",
    "count",
    "users",
    "trend",
    "first_seen",
    "last_seen",
    "level",
    "state",
    "regressed",
    "hours",
]
COUNTS = {"count": 42, "users": 7, "trend": 3}
UNTOUCHED = {"level": "error", "state": "unresolved", "regressed": {}}


def ids(found: Any) -> list[str]:
    return [one["id"] for one in found["issues"]]


def test_an_issue_has_every_field_of_its_document_and_its_last_24_hours(site: Site, mongo: Mongo):
    one = made.issue("pay", **COUNTS, last_seen=made.moment(minutes=2))
    mongo.issues.insert_one(one)
    mongo.hours.insert_many(
        [
            made.hour(one, made.moment(), 9, more=5),
            made.hour(one, made.moment(hours=23), 6),
            made.hour(one, made.moment(hours=24), 1000),
            made.hour(made.issue("other"), made.moment(), 1000),
        ]
    )
    found = site.issues()
    assert found == {
        "issues": [
            {
                "id": one["_id"],
                "project": "1",
                "type": "TypeError",
                "message": "pay is not a function",
                "culprit": "app.js in pay",
                **COUNTS,
                "first_seen": made.iso(one["first_seen"]),
                "last_seen": made.iso(one["last_seen"]),
                **UNTOUCHED,
                "hours": [6, *[0] * 22, 14],
            }
        ],
        "next": None,
    }
    assert list(found["issues"][0]) == FIELDS


def test_a_document_with_nothing_but_its_id_is_shown_with_empty_fields(site: Site, mongo: Mongo):
    mongo.issues.insert_one({"_id": "9:v1:ab"})
    mongo.hours.insert_one(
        {"_id": "odd", "issue": "9:v1:ab", "hour": made.moment(), "parts": "what"}
    )
    (one,) = site.issues()["issues"]
    empty = {
        "type": "",
        "message": "",
        "culprit": "",
        "count": 0,
        "users": 0,
        "trend": 0,
        "first_seen": None,
        "last_seen": None,
    }
    assert one == {"id": "9:v1:ab", "project": "9", "hours": [0] * 24, **UNTOUCHED, **empty}
    assert site.get("/").status == 200
    assert site.get("/issues/9:v1:ab").status == 200


@pytest.mark.parametrize("sort", SORTS)
def test_pages_in_any_order_hold_every_issue_once_however_many_are_equal(
    site: Site, mongo: Mongo, sort: str
):
    moments = [made.moment(hours=hours) for hours in (1, 2, 3)]
    made_issues = [
        made.issue(
            f"f{i}",
            last_seen=moments[i % 3],
            first_seen=moments[i % 2],
            count=i % 4,
            users=i // 5,
            trend=i % 3 - 1,
        )
        for i in range(23)
    ]
    mongo.issues.insert_many(made_issues)
    expected = sorted(made_issues, key=lambda one: (one[sort], one["_id"]), reverse=True)
    seen, cursor = [], ""
    while cursor is not None:
        page = site.issues(sort=sort, limit=4, **({"cursor": cursor} if cursor else {}))
        seen += ids(page)
        cursor = page["next"]
    assert seen == [one["_id"] for one in expected]


def test_a_search_is_taken_literally_and_looks_at_type_message_and_culprit(
    site: Site, mongo: Mongo
):
    mongo.issues.insert_many(
        [
            made.issue("a", message="cost is 4.50$ (net)"),
            made.issue("b", message="cost is 4x50"),
            made.issue("c", type="Odd[Type"),
            made.issue("d", culprit="lib/odd[type.js in f"),
        ]
    )
    assert ids(site.issues(q="4.50$ (NET)")) == [made.identity("a")]
    assert sorted(ids(site.issues(q="odd[t"))) == sorted([made.identity("c"), made.identity("d")])
    assert ids(site.issues(q=".*")) == []
    assert ids(site.issues(q="(a+)+$")) == []
    assert len(ids(site.issues(q="  "))) == 4


def test_project_and_since_leave_out_the_others(site: Site, mongo: Mongo):
    mongo.issues.insert_many(
        [
            made.issue("new", last_seen=made.moment(minutes=5)),
            made.issue("old", last_seen=made.moment(hours=30)),
            made.issue("other", project="2"),
        ]
    )
    assert sorted(ids(site.issues(project="1"))) == sorted(
        [made.identity("new"), made.identity("old")]
    )
    assert ids(site.issues(project="1", since="24h")) == [made.identity("new")]
    since = made.iso(made.moment(hours=40))
    assert len(ids(site.issues(since=since))) == 3
    assert ids(site.issues(project="no such")) == []


def test_one_issue_has_its_tags_over_all_months_and_partitions_its_samples_and_why_it_was_grouped(
    site: Site, mongo: Mongo
):
    one = made.issue("pay")
    mongo.issues.insert_one(one)
    this_month, before = made.moment(), made.moment(days=32)
    mongo.tags.insert_many(
        [
            made.tags(
                one,
                this_month,
                {"browser": {"Chrome 156": 4, "(other)": 50}, "page": {"https://a.b/?x=%20$1": 2}},
            ),
            made.tags(one, before, {"browser": {"Chrome 156": 3, "Firefox 1.5": 9}, "os": {"": 1}}),
        ]
    )
    mongo.samples.insert_many(
        [
            made.sample(one, "e" * 32, made.moment(minutes=3)),
            made.sample(one, "f" * 32, made.moment(minutes=1), release="", user={}),
            made.sample(made.issue("other"), "0" * 32, made.moment()),
        ]
    )
    found = site.get(f"/api/issues/{quote(one['_id'])}").json
    assert {name: found[name] for name in FIELDS} == site.issues()["issues"][0]
    assert found["tags"] == {
        "browser": {"Firefox 1.5": 9, "Chrome 156": 7, "(other)": 50},
        "os": {"": 1},
        **{name: {} for name in ("device", "release", "environment")},
        "page": {"https://a.b/?x=%20$1": 2},
    }
    assert list(found["tags"]["browser"]) == ["Firefox 1.5", "Chrome 156", "(other)"], (
        "most first, the rest last"
    )
    assert [sample["id"] for sample in found["samples"]] == ["f" * 32, "e" * 32]
    assert found["samples"][1] == {
        "id": "e" * 32,
        "received": made.iso(mongo.samples.find_one({"_id": "e" * 32})["received"]),
        "page": "https://shop.example/basket",
        "browser": "Chrome 156",
        "os": "Windows 11",
        "release": "2026.11.3",
        "environment": "production",
        "type": "TypeError",
        "message": "pay is not a function",
        "culprit": "app.js in pay",
        "level": "error",
        "user": "u-81",
        "n": 1,
    }
    fingerprint = one["_id"].partition(":")[2]
    assert found["explain"] == {
        "fingerprint": fingerprint,
        "fingerprints": {"v1": fingerprint},
        "used": ["type: TypeError", "frame: app.js pay"],
        "ignored": [{"part": "frame: lib.js emit", "why": "a library's"}],
    }
    assert len(found["days"]) == 14
    assert found["newest"]["id"] == "f" * 32


@pytest.mark.parametrize(
    "path", ["/api/issues/1:v1:no", "/api/events/no", "/api/no", "/api/issues/a/b"]
)
def test_what_is_not_there_is_a_404_with_a_reason(site: Site, path: str):
    answer = site.get(path)
    assert answer.status == 404
    assert list(answer.json) == ["error"]
    assert len(answer.json["error"]) > 20


def test_projects_are_those_declared_and_those_with_issues(site: Site, mongo: Mongo):
    one, two = made.issue("a"), made.issue("b", project="77")
    mongo.issues.insert_many([one, made.issue("c"), two])
    mongo.hours.insert_many(
        [
            made.hour(one, made.moment(), 5, more=2),
            made.hour(one, made.moment(hours=20), 1),
            made.hour(one, made.moment(hours=24), 100),
            made.hour(two, made.moment(), 4),
        ]
    )
    assert site.get("/api/projects").json == [
        {"project": "1", "name": "Tea shop", "issues": 2, "events_24h": 8},
        {"project": "2", "name": "<i>Back</i> office", "issues": 0, "events_24h": 0},
        {"project": "77", "name": "77", "issues": 1, "events_24h": 4},
    ]


def test_an_answer_the_client_has_is_not_sent_again_until_it_changes(site: Site, mongo: Mongo):
    mongo.issues.insert_one(made.issue("a"))
    for path in ("/api/issues", "/"):
        first = site.get(path)
        again = site.get(path, If_None_Match=first.headers["etag"])
        assert (again.status, again.body) == (304, b"")
    mongo.issues.insert_one(made.issue("b"))
    assert site.get("/api/issues", If_None_Match=first.headers["etag"]).status == 200
    assert site.get("/", If_None_Match=first.headers["etag"]).status == 200


def test_the_list_is_read_in_the_order_of_an_index(mongo: Mongo):
    """Sorting all issues for each page would make the list slow just when there are many."""
    for name, fields in INDEXES:
        mongo[name].create_index(fields)
    mongo.issues.insert_many([made.issue(f"f{i}") for i in range(30)])
    for sort in SORTS:
        for project in ("", "1"):
            value = made.milliseconds(made.moment()) if sort.endswith("seen") else 3
            after = _beyond(Cursor(sort, value, "1:v1:b"))
            wanted = Wanted(Search().with_(project=project), made.moment(), sort, 10)
            with pytest.raises(StopIteration) as end:
                next(steps(wanted, after))
            found = (
                mongo.issues.find(end.value.value.condition)
                .sort([(sort, -1), ("_id", -1)])
                .limit(10)
                .explain()
            )
            stages = str(found["queryPlanner"]["winningPlan"])
            assert "IXSCAN" in stages, (sort, project)
            assert "'SORT'" not in stages, (sort, project)
