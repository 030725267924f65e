from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.dashboard import documents as made

if TYPE_CHECKING:
    from pymongo.database import Database

    from tests.dashboard.conftest import Site

    Mongo = Database[dict[str, Any]]


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        (
            "sort=size",
            "sort: 'size' is not allowed; use one of last_seen, first_seen, count, users",
        ),
        ("limit=0", "limit: '0' is not allowed; use a whole number from 1 to 200"),
        ("limit=201", "limit: '201' is not allowed; use a whole number from 1 to 200"),
        ("limit=ten", "limit: 'ten' is not allowed; use a whole number from 1 to 200"),
        ("limit=%C2%B2", "limit: '\u00b2' is not allowed; use a whole number from 1 to 200"),
        (
            "since=soon",
            "since: 'soon' is not allowed; use a duration such as 24h or 7d, or a time such as",
        ),
        ("since=999999999d", "since: '999999999d' is not allowed"),
        ("since=0001-01-01T00:00%2B14:00", "since: '0001-01-01T00:00+14:00' is not allowed"),
        ("cursor=!!", "cursor: '!!' is not one of ours"),
        ("cursor=e30", "cursor: 'e30' is not one of ours"),
        ("q=" + "x" * 501, "q: 501 characters are too many; at most 500 are allowed"),
        ("q=a%00b", "q: a NUL character is not allowed"),
    ],
)
def test_a_parameter_that_cannot_be_used_is_named_with_what_is_allowed(
    site: Site, query: str, expected: str
):
    answer = site.get(f"/api/issues?{query}")
    assert answer.status == 400
    assert list(answer.json) == ["error"]
    assert expected in answer.json["error"]
    page = site.get(f"/?{query}")
    assert page.status == 400
    assert page.headers["content-type"].startswith("text/html")


@pytest.mark.parametrize(
    "cursor",
    [
        # ["count",9999999999999999999,"x"]: no 64-bit number
        "WyJjb3VudCIsOTk5OTk5OTk5OTk5OTk5OTk5OSwieCJd",
        "WyJjb3VudCIseyIkZ3QiOjB9LCJ4Il0",  # ["count",{"$gt":0},"x"]
        "W1tdLDEsIngiXQ",  # [[],1,"x"]
        "WyJjb3VudCIsMSx7IiRuZSI6MX1d",  # ["count",1,{"$ne":1}]
    ],
)
def test_a_forged_cursor_reaches_no_query(site: Site, mongo: Mongo, cursor: str):
    mongo.issues.insert_one(made.issue("a"))
    assert site.get(f"/api/issues?sort=count&cursor={cursor}").status == 400


def test_a_cursor_belongs_to_its_order(site: Site, mongo: Mongo):
    mongo.issues.insert_many([made.issue("a"), made.issue("b")])
    cursor = site.issues(limit=1, sort="count")["next"]
    answer = site.get(f"/api/issues?sort=users&cursor={cursor}")
    assert answer.status == 400
    assert "belongs to sort=count, not to sort=users" in answer.json["error"]
