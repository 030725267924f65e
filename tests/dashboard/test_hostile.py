"""Markup in what people and clients say beside events: releases, deploys, states, notes, names."""

from __future__ import annotations

from http.client import HTTPConnection
from typing import TYPE_CHECKING, Any
from xml.etree import ElementTree as ET

import pytest

from dashboard.proxy_sign_in import ProxySignIn
from dashboard.security import Guard
from tests.dashboard import documents as made
from tests.dashboard.conftest import PROJECTS
from tests.dashboard.markup import EVIL, assert_harmless

if TYPE_CHECKING:
    from pymongo.database import Database

    from catchwater.redis_client import Connection
    from tests.dashboard.conftest import Open, Site

    Mongo = Database[dict[str, Any]]

AT = made.moment(minutes=3)
NAME = EVIL.lower()
"""As an index has it."""
NEW = made.issue("new", first_release=NAME, regressed={"at": AT, "release": EVIL})
PATHS = (
    *(
        "/",
        "/releases",
        f"/releases/1/{made.quoted(EVIL)}",
        f"/releases?project={made.quoted(EVIL)}",
    ),
    *(f"/issues/{NEW['_id']}", f"/issues/{made.identity('done')}", f"/?q={made.quoted(EVIL)}"),
    *(f"/issues/{made.identity('quiet')}", f"/?cursor={made.quoted(EVIL)}", "/?since=24h"),
    *(f"/?{name}={made.quoted(EVIL)}" for name in ("since", "state", "limit", "span", "project")),
)


@pytest.fixture
def filled(site: Site, mongo: Mongo) -> Site:
    done = made.issue("done", state="resolved", handling={"at": AT, "in": EVIL, "after": EVIL})
    quiet = made.issue("quiet", state="ignored", handling={"at": AT, "in": EVIL})
    said = {"notes": [{"at": EVIL, "text": EVIL}], "escalated": {"at": AT, "why": EVIL}}
    late = {"state": "merged", "continued": {"at": AT}, "handling": {"at": AT, "into": NEW["_id"]}}
    merged = made.issue("old", message=EVIL, culprit=EVIL, type=EVIL, **late)
    absorbed = {"absorbed": {merged["_id"].replace(".", "%2E"): 3}}
    mongo.issues.insert_many([NEW | said | absorbed, done, quiet, merged])
    mongo.hours.insert_one(made.hour(NEW, AT, 5))
    mongo.tags.insert_one(made.tags(NEW, AT, {EVIL: {EVIL: 3}, "release": {EVIL: 2}}))
    mongo.samples.insert_one(made.sample(NEW, "ab" * 16, AT, release=EVIL))
    seen = {"project": "1", "release": EVIL, "first_seen": made.moment(days=1), "last_seen": AT}
    mongo.releases.insert_one({"_id": f"1:{EVIL}", **seen})
    deploy = {"project": "1", "release": EVIL, "environment": EVIL, "at": AT}
    mongo.deploys.insert_one({"_id": EVIL, **deploy})
    return site


@pytest.mark.parametrize("path", PATHS, ids=lambda path: path.partition("%")[0])
def test_it_is_shown_as_text_on_every_page(filled: Site, path: str):
    answer = filled.get(path)
    assert answer.status in (200, 400), answer.text
    assert_harmless(answer.text, shown=False)


def test_marks_and_bars_of_a_chart_are_shapes_with_text(filled: Site):
    page = filled.get(f"/issues/{NEW['_id']}").text
    charts = [one.partition("</svg>")[0] + "</svg>" for one in page.split('<svg class="bars')[1:]]
    drawn = [ET.fromstring('<svg class="bars' + one) for one in charts]
    marks = [one for chart in drawn for one in chart.iter("rect") if one.get("class") == "mark"]
    assert marks
    assert all(one.findtext("title", "").startswith(EVIL) for one in marks)
    assert {one.tag for chart in drawn for one in chart.iter()} == {"svg", "rect", "title"}


def test_it_is_shown_as_text_where_who_is_signed_in_stands(
    opened: Open, mongo: Mongo, mongo_url: str, redis: Connection
):
    mongo.issues.insert_one(NEW)
    name = EVIL[:80].replace(",", "")
    projects = PROJECTS.replace("Tea shop", "'" + EVIL[:90].replace("'", "''") + "'")
    guard = Guard(sign_in=ProxySignIn.of("X-User", "127.0.0.1"))
    site = opened(mongo_url, redis.url, guard, projects)
    for path in ("/", "/releases", "/nowhere", "/pipeline"):
        connection = HTTPConnection(site.host, site.port, timeout=60)
        connection.request("GET", path, headers={"X-User": name})
        page = connection.getresponse().read().decode()
        connection.close()
        assert "Signed in as" in page
        assert_harmless(page, shown=False)
