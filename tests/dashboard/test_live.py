"""The pages in a real browser: they keep themselves up to date, and nothing hostile runs."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import pytest

from tests.chromium import close
from tests.dashboard import documents as made

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page
    from pymongo.database import Database

    from tests.dashboard.conftest import Site
    from tests.dashboard.flow import Flow

    Mongo = Database[dict[str, Any]]

pytestmark = pytest.mark.browser

EVIL = """<script>document.title='run'</script><img src=x onerror="document.title='run'">"""


def test_a_new_issue_appears_within_two_seconds_without_a_reload(
    site: Site, mongo: Mongo, page: Page
):
    page.goto(site.url)
    page.evaluate("window.notReloaded = true")
    assert page.get_by_text("No error has been caught yet").is_visible()
    for name in ("first", "second"):
        mongo.issues.insert_one(made.issue(name, last_seen=made.moment()))
        since = time.monotonic()
        page.get_by_text(f"{name} is not a function").wait_for(timeout=5000)
        assert time.monotonic() - since < 2.0, name
    assert page.evaluate("window.notReloaded")
    assert page.locator("tbody tr").first.inner_text().count("second") == 1, (
        "the newest stands first"
    )


def test_scroll_focus_and_rows_that_did_not_change_stay_when_the_list_moves(
    site: Site, mongo: Mongo, page: Page
):
    mongo.issues.insert_many(
        [made.issue(f"f{i}", last_seen=made.moment(minutes=i + 1)) for i in range(30)]
    )
    page.goto(site.url)
    link = page.get_by_role("link", name="f20 is not")
    link.focus()
    page.evaluate("document.activeElement.closest('tr').known = true")
    before = page.evaluate("[scrollY, document.activeElement.getBoundingClientRect().top]")
    assert before[0] > 0
    one = made.issue("f25", last_seen=made.moment(), count=777)
    mongo.issues.replace_one({"_id": one["_id"]}, one)
    page.get_by_text("777").wait_for()
    rows = page.locator("tbody tr").all_inner_texts()
    assert "f25" in rows[0]
    assert len(rows) == 30
    assert page.evaluate("document.activeElement.textContent").count("f20")
    assert page.evaluate("document.activeElement.closest('tr').known"), (
        "this row did not change, so it is the same"
    )
    after = page.evaluate("document.activeElement.getBoundingClientRect().top")
    assert abs(after - before[1]) < 2, "what a person looks at does not jump"


def test_focus_stays_on_an_issue_whose_own_row_changes(site: Site, mongo: Mongo, page: Page):
    mongo.issues.insert_one(made.issue("pay"))
    page.goto(site.url)
    page.get_by_role("link", name="pay is not").focus()
    mongo.issues.update_one({}, {"$set": {"count": 4711}})
    page.get_by_text("4,711").wait_for()
    assert "pay" in page.evaluate("document.activeElement.textContent")


def test_the_page_can_be_told_to_stand_still_and_to_go_on(site: Site, mongo: Mongo, page: Page):
    page.clock.install()
    page.goto(site.url)
    live = page.get_by_role("button", name="Live")
    live.click()
    paused = page.get_by_role("button", name="Paused")
    assert paused.get_attribute("aria-pressed") == "false"
    mongo.issues.insert_one(made.issue("pay"))
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.clock.run_for(20_000)
    assert asked == []
    paused.click()
    page.get_by_text("pay is not a function").wait_for(timeout=2000)


def test_times_move_on_by_themselves(site: Site, mongo: Mongo, page: Page):
    mongo.issues.insert_one(made.issue("pay", last_seen=made.moment(seconds=3)))
    page.goto(site.url)
    before = page.locator("td.last_seen").inner_text()
    page.wait_for_function(
        "before => document.querySelector('td.last_seen').innerText !== before", arg=before
    )


def test_an_issue_s_page_counts_on_while_what_is_unfolded_stays(
    site: Site, mongo: Mongo, page: Page
):
    one = made.issue("pay", count=5)
    mongo.issues.insert_one(one)
    mongo.samples.insert_one(made.sample(one, "ab" * 16, made.moment(minutes=1)))
    page.goto(f"{site.url}/issues/{one['_id']}")
    page.get_by_text("2 frames of libraries").click()
    assert page.get_by_text("emit", exact=True).is_visible()
    mongo.issues.update_one({}, {"$set": {"count": 4711}})
    mongo.samples.insert_one(made.sample(one, "cd" * 16, made.moment()))
    page.get_by_text("4,711").wait_for()
    page.wait_for_function("document.querySelectorAll('.samples tbody tr').length === 2")
    assert page.get_by_text("emit", exact=True).is_visible()


def test_the_pipeline_page_moves_by_itself(site: Site, flow: Flow, page: Page):
    page.goto(f"{site.url}/pipeline")
    row = page.locator("tr", has_text="fingerprint")
    assert "raw" in row.inner_text()
    flow.accept(1)
    page.locator("tr", has_text="fingerprint").locator("td.strong", has_text="1").wait_for(
        timeout=4000
    )


def test_hostile_text_runs_on_no_page_not_even_when_it_arrives_later(
    site: Site, mongo: Mongo, page: Page
):
    page.goto(site.url)
    one = made.issue("pay", type=EVIL, message=EVIL, culprit=EVIL, level=EVIL)
    mongo.issues.insert_one(one)
    mongo.samples.insert_one(
        made.sample(one, "ab" * 16, made.moment(), extra={EVIL: EVIL}, page=EVIL)
    )
    page.get_by_text("<script>").first.wait_for()
    for path in (f"/issues/{one['_id']}", "/events/" + "ab" * 16):
        page.goto(site.url + path)
        assert page.get_by_text("<script>").first.is_visible()
        assert page.title() != "run"


@pytest.mark.parametrize("width", [320, 390, 768, 1280])
def test_no_page_is_wider_than_its_window_whatever_is_in_it(
    site: Site, mongo: Mongo, page: Page, width: int
):
    long = "x" * 8000
    one = made.issue(
        "pay", type=long, message=long, culprit=long, level="l" * 300, count=10**15, users=10**15
    )
    mongo.issues.insert_many([one, made.issue("words", message="word " * 1600)])
    mongo.tags.insert_one(made.tags(one, made.moment(), {"browser": {long[:400]: 10**12}}))
    frame = {"function": long, "file": long, "line": 10**9, "column": 10**9, "in_app": True}
    texts = dict.fromkeys(("type", "message", "page", "release", "browser", "culprit"), long)
    crumb = {"ts": 1, "kind": long, "message": long, "data": {long: long}}
    more = {
        "frames": [frame],
        "extra": {long: long},
        "tags": {long: long},
        "breadcrumbs": [crumb],
        "used": [long],
    }
    mongo.samples.insert_one(made.sample(one, "ab" * 16, made.moment(), **texts, **more))
    page.set_viewport_size({"width": width, "height": 800})
    for path in ("/", f"/issues/{one['_id']}", "/events/" + "ab" * 16, "/pipeline", "/?q=nothing"):
        page.goto(site.url + path)
        assert page.evaluate("document.documentElement.scrollWidth") <= width, path


def test_without_javascript_everything_is_there(site: Site, mongo: Mongo, chromium: Browser):
    mongo.issues.insert_many([made.issue("pay"), made.issue("other", culprit="elsewhere")])
    context = chromium.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(site.url)
    assert not page.get_by_role("button", name="Live").is_visible()
    page.get_by_role("searchbox").fill("pay")
    page.get_by_role("button", name="Search").click()
    page.get_by_role("link", name="other is not").wait_for(state="detached")
    page.get_by_role("link", name="pay is not").click()
    page.get_by_role("heading", level=1, name="TypeError").wait_for()
    close(context)


NOT_HELD = """() => {
  const found = [], walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    if (!/\\p{M}{20}/u.test(walker.currentNode.data)) continue;
    let box = walker.currentNode.parentElement;
    if (!box.checkVisibility()) continue;
    while (box !== document.body && getComputedStyle(box).overflowY === "visible")
      box = box.parentElement;
    if (box === document.body || box.matches("main, section, table, details"))
      found.push(walker.currentNode.parentElement.outerHTML.replace(/\\p{M}+/gu, "").slice(0, 200));
  }
  return found;
}"""
"""Where a text with piles of combining marks has no box of its own that cuts them off."""


def test_letters_with_piles_of_marks_stay_in_their_place(site: Site, mongo: Mongo, page: Page):
    """They covered the rows above and below."""
    pile = "Z" + "\u0301" * 300
    one = made.issue("pay", type=pile, message=pile, culprit=pile, level=pile)
    mongo.issues.insert_one(one)
    mongo.tags.insert_one(made.tags(one, made.moment(), {"browser": {pile: 3}}))
    texts = dict.fromkeys(("type", "message", "page", "release", "browser", "culprit", "os"), pile)
    frame = {"function": pile, "file": pile, "line": 1, "column": 1, "in_app": True}
    crumb = {"ts": 1, "kind": pile, "message": pile, "data": {pile: pile}}
    more = {
        "frames": [frame, frame | {"in_app": False}],
        "chain": [{"type": pile, "message": pile, "frames": [frame]}],
        "extra": {pile: pile},
        "user": {"id": pile},
        "tags": {pile: pile},
        "breadcrumbs": [crumb],
        "used": [pile],
        "ignored": [{"part": pile, "why": pile}],
    }
    mongo.samples.insert_one(made.sample(one, "ab" * 16, made.moment(), **texts, **more))
    for path in ("/", f"/issues/{one['_id']}", "/events/" + "ab" * 16):
        page.goto(site.url + path)
        page.evaluate("document.querySelectorAll('details').forEach(one => one.open = true)")
        found = page.evaluate(NOT_HELD)
        assert found == [], path
