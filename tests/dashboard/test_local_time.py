"""Times are the reader's own where a script runs; else they are said to be in UTC."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest

from tests.chromium import close
from tests.dashboard import documents as made

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page
    from pymongo.database import Database

    from tests.dashboard.conftest import Site

    Mongo = Database[dict[str, Any]]

pytestmark = pytest.mark.browser

AT = datetime(2026, 11, 23, 14, 28, tzinfo=UTC)
EVENT = "ab" * 16


@pytest.fixture
def tokyo(chromium: Browser) -> Iterator[Page]:
    """A reader nine hours ahead of UTC."""
    context = chromium.new_context(timezone_id="Asia/Tokyo", locale="en-GB")
    yield context.new_page()
    close(context)


@pytest.fixture
def address(site: Site, mongo: Mongo) -> str:
    one = made.issue("pay", last_seen=AT)
    mongo.issues.insert_one(one)
    at_ms = int(AT.timestamp() * 1000)
    crumb = {"ts": at_ms, "kind": "click", "message": "button#pay", "data": None}
    mongo.samples.insert_one(made.sample(one, EVENT, AT, breadcrumbs=[crumb]))
    return site.url


def test_a_reader_sees_the_time_of_the_own_clock_and_utc_beside_it(address: str, tokyo: Page):
    tokyo.goto(address)
    title = tokyo.locator("tbody time").first.get_attribute("title")
    assert title is not None
    assert title.startswith("23 Nov 2026, 23:28:00")
    assert title.endswith("(2026-11-23 14:28:00.000 UTC)")
    tokyo.goto(f"{address}/events/{EVENT}")
    assert tokyo.locator(".clock time").inner_text() == "23:28:00"


def test_rows_stay_the_same_ones_though_their_times_were_changed(
    address: str, tokyo: Page, mongo: Mongo
):
    tokyo.goto(address)
    tokyo.evaluate("document.querySelector('tbody tr').known = true")
    mongo.issues.insert_one(made.issue("other", last_seen=made.moment()))
    tokyo.get_by_text("other is not a function").wait_for()
    known = "[...document.querySelectorAll('tbody tr')].some((row) => row.known)"
    assert tokyo.evaluate(known)


def test_without_a_script_times_are_said_to_be_in_utc(address: str, chromium: Browser):
    context = chromium.new_context(java_script_enabled=False, timezone_id="Asia/Tokyo")
    page = context.new_page()
    page.goto(address)
    title = page.locator("tbody time").first.get_attribute("title")
    assert title == "2026-11-23 14:28:00.000 UTC"
    page.goto(f"{address}/events/{EVENT}")
    assert page.locator(".clock time").inner_text() == "14:28:00"
    close(context)
