"""Every filter of a search, in each place that takes one, of issues that the sink has written."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import orjson
import pytest
from click.testing import CliRunner

from catchwater.answers import Stored
from catchwater.commands.issue import command
from catchwater.config.streamdefs import Retention
from catchwater.event import Event
from catchwater.issues import narrowing
from catchwater.issues.search import FILTERS
from catchwater.issues.store import IssueStore
from sink.work import store_in
from sink.writer import MongoWriter
from tests.dashboard.documents import quoted
from tests.issues.conftest import tally

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pymongo.database import Database

    from tests.dashboard.conftest import Site

NOW = datetime.now(UTC)
CART, PAY, OLD, PART = "1:v1:cart", "1:v1:pay", "2:v1:old", "1:v1:part"

CASES = {
    "is:resolved": {OLD},
    "is:unresolved": {CART, PAY},
    "project:2": {OLD},
    "level:warning": {PAY},
    "user:u-81": {CART},
    "user:jane@example.com": {PAY},
    "user:nobody": set(),
    "new-in:shop@1.0.0": {CART},
    "new-in:SHOP@2*": {PAY},
    "release:shop@2.0.0": {CART, PAY},
    "release:shop@1.0.0 release:shop@2.0.0": {CART},
    "release:shop@1.0.0 !release:shop@3.0.0": {CART},
    "release:shop@2.0.0 !browser:chrome*": set(),
    "!project:2 !level:warning": {CART},
    "!tag.tenant:north": {PAY},
    "release:shop@3.0.0": {PAY},  # seen in the part of it
    "regressed-in:shop@2.0.0": {CART},
    "since:2h": {CART, PAY},
    "until:30d": {OLD},
    "new-since:2h": {PAY},
    f"since:{NOW - timedelta(days=50):%Y-%m-%d} until:3h": {CART, OLD},
    "environment:staging": {PAY},
    'browser:"Chrome 156"': {CART},
    "browser:chrome*": {CART, PAY},
    "browser:chrome": set(),
    "os:ios*": {OLD},
    "device:iphone": {OLD},
    "page:/orders/*": {CART},
    "tag.tenant:north": {CART, OLD},
    'tag."my tag":x': {PAY},
    "browser:chrome* tag.tenant:north is:unresolved": {CART},
    "charge": {CART, PAY},  # in the message of one, a function of the other
    "src/cart": {CART},
    "undefined browser:chrome*": {CART},
    "release:shop@2.0.0 page:/none": set(),
}


def written(writer: MongoWriter, issue: str, user: str = "", **given: Any) -> None:
    at = given.pop("at", NOW - timedelta(hours=1))
    assert store_in(writer, [tally(issue, 1, at, **given)]) == [Stored()]
    if user:
        facts = {"issue": issue, "user": user}
        project, received = issue[0], int(at.timestamp() * 1000)
        event = Event(f"{hash(issue) % 2**60:032x}", project, received, "named", b"{}", facts)
        assert store_in(writer, [event]) == [Stored()]


@pytest.fixture
def issues(mongo: Database[dict[str, Any]], mongo_url: str) -> Iterator[None]:
    """As they come to be: seen in one release after the other, resolved, seen again, merged."""
    writer, store = MongoWriter(mongo_url, Retention()), IssueStore(mongo_url)
    chrome, mac = {"browser": "Chrome 156"}, {"browser": "Chrome 99", "environment": "staging"}
    cart = {**chrome, "tenant": "north", "page": "/orders/*"}
    places = "add (src/cart/add.js)\ncharge (app.js)"
    earlier = NOW - timedelta(hours=4)
    written(writer, CART, at=earlier, release="shop@1.0.0", tags=cart, places=places)
    said = {"level": "warning", "message": "no charge"}
    mac |= {"my tag": "x"}
    written(writer, PAY, "email:jane@example.com", tags=mac, release="shop@2.0.0", **said)
    written(writer, PART, tags={}, release="shop@3.0.0")
    phone = {"os": "iOS 19", "device": "iPhone", "tenant": "north"}
    written(writer, OLD, at=NOW - timedelta(days=40), tags=phone)
    store.set_state(store.named([OLD]), lambda _one: {"state": "resolved", "handling": {"at": NOW}})
    until = {"state": "resolved", "handling": {"at": earlier, "in": "shop@2.0.0"}}
    store.set_state(store.named([CART]), lambda _one: until)
    written(writer, CART, "id:u-81", release="shop@2.0.0", tags=cart)
    store.merge(store.named([PART]), PAY, NOW)
    yield
    writer.close()
    store.close()


def of_the_command_line(mongo_url: str, query: str) -> set[str]:
    done = CliRunner().invoke(command, ["--mongo-url", mongo_url, "list", "--json", query])
    assert done.exit_code == 0, done.output
    return {orjson.loads(line)["id"] for line in done.stdout.splitlines()}


@pytest.mark.usefixtures("issues")
@pytest.mark.parametrize(("few", "many"), [(1_000, 1_000), (0, 1_000), (0, 0)])
def test_a_filter_finds_the_same_issues_in_the_api_the_page_and_the_command_line(
    site: Site, mongo_url: str, few: int, many: int, monkeypatch: pytest.MonkeyPatch
):
    """By the index of what few issues have, and in the order of the list, too."""
    monkeypatch.setattr(narrowing, "FEW", few)
    monkeypatch.setattr(narrowing, "MANY", many)
    for query, expected in CASES.items():
        found = {one["id"] for one in site.issues(q=query)["issues"]}
        assert (query, found) == (query, expected)
        assert (query, of_the_command_line(mongo_url, query)) == (query, expected)
        page = site.get(f"/?q={quoted(query)}").text
        shown = {one for one in (CART, PAY, OLD, PART) if f'href="/issues/{quoted(one)}"' in page}
        assert (query, shown) == (query, expected)


def test_every_filter_is_among_the_cases():
    asked = " ".join(CASES)
    missing = [one for one in FILTERS if f"{one.removesuffix('NAME')}" not in asked]
    assert not missing


@pytest.mark.usefixtures("issues")
def test_an_issue_of_two_merged_ones_is_found_by_the_users_of_both(site: Site, mongo_url: str):
    store = IssueStore(mongo_url)
    store.merge(store.named([CART]), PAY, NOW)
    store.close()
    assert [one["id"] for one in site.issues(q="user:u-81")["issues"]] == [PAY]
    assert [one["id"] for one in site.issues(q="page:/orders/*")["issues"]] == [PAY]
