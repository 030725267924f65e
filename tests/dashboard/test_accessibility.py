"""Every page by axe-core, for WCAG 2.2 AA: light and dark, on a wide screen and on a phone."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Literal

import pytest

from tests.browser.toolchain import modules
from tests.chromium import close
from tests.dashboard import documents as made
from tests.missing import program

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page
    from pymongo.database import Database

    from tests.dashboard.conftest import Site

    Mongo = Database[dict[str, Any]]

pytestmark = pytest.mark.browser

RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
HEAVIEST = 100_000
"""Bytes of a page over the wire, with all that it loads."""

RELEASE = "shop@1.10.0"
EVENT = "f" * 32
PAGES = {
    "issues": "/",
    "issues over 90 days": "/?span=90d",
    "nothing found": "/?q=is:resolved+zzqq",
    "an issue": f"/issues/{made.quoted(made.identity('fresh'))}",
    "an issue over 90 days": f"/issues/{made.quoted(made.identity('fresh'))}?span=90d",
    "a resolved issue": f"/issues/{made.quoted(made.identity('done'))}",
    "an event": f"/events/{EVENT}",
    "releases": "/releases",
    "a release": f"/releases/1/{made.quoted(RELEASE)}",
    "the pipeline": "/pipeline",
    "no page": "/none",
}


WRONG = """() => {
  const pale = document.createElement("p");
  pale.textContent = "pale";
  pale.style.color = "#bbb";
  pale.style.background = "#fff";
  document.querySelector("main").prepend(pale, document.createElement("input"));
}"""


@pytest.fixture
def filled(mongo: Mongo) -> None:
    """Something of everything that pages show."""
    now, ago = made.moment(), made.moment(hours=2)
    fresh = made.issue("fresh", first_release=RELEASE, count=4_711, users=1_234)
    fresh["notes"] = [{"at": ago, "text": "see ticket 1204"}]
    done = made.issue("done", state="resolved", handling={"at": ago, "in": RELEASE}, level="fatal")
    again = made.issue("again", regressed={"at": ago, "release": RELEASE}, level="warning")
    quiet = made.issue("quiet", state="ignored", handling={"at": ago, "users": 10}, level="info")
    mongo.issues.insert_many([fresh, done, again, quiet])
    hours = [made.hour(fresh, made.moment(hours=n), 7 * n + 1) for n in range(20)]
    mongo.hours.insert_many(hours)
    counts = {now - timedelta(days=n): n * n % 97 for n in range(1, 95)}
    mongo.days.insert_many([made.folded(now), *made.days(fresh, counts)])
    seen = {"browser": {"Chrome 156": 9, "Safari 19": 4}, "page": {f"/p/{n}": n for n in range(12)}}
    mongo.tags.insert_one(made.tags(fresh, now, seen))
    mongo.samples.insert_one(made.sample(fresh, EVENT, ago))
    seen_at = {"first_seen": made.moment(days=1), "last_seen": now}
    mongo.releases.insert_one(
        {"_id": f"1:{RELEASE}", "project": "1", "release": RELEASE, **seen_at}
    )
    deploy = {"project": "1", "release": RELEASE, "environment": "production", "at": ago}
    mongo.deploys.insert_one({"_id": "a", **deploy})


@pytest.fixture(params=[(1280, "light"), (1280, "dark"), (390, "light"), (390, "dark")], ids=str)
def page(request: pytest.FixtureRequest, chromium: Browser) -> Iterator[Page]:
    width, scheme = request.param
    colours: Literal["light", "dark"] = scheme
    context = chromium.new_context(
        viewport={"width": width, "height": 800}, color_scheme=colours, reduced_motion="reduce"
    )
    yield context.new_page()
    close(context)


def violations(page: Page) -> list[str]:
    found = page.evaluate("rules => axe.run({runOnly: rules})", RULES)["violations"]
    return [f"{one['id']}: {node['html'][:200]}" for one in found for node in one["nodes"]]


@pytest.mark.usefixtures("filled")
def test_no_page_breaks_a_rule_or_is_wider_than_its_screen(site: Site, page: Page):
    program("npm")
    axe = (modules() / "axe-core" / "axe.min.js").read_text()
    found: dict[str, list[str]] = {}
    for name, path in PAGES.items():
        page.goto(site.url + path)
        page.evaluate(axe)
        wide = page.evaluate("document.documentElement.scrollWidth - innerWidth")
        found[name] = [*violations(page), *([f"{wide} pixels too wide"] if wide else [])]
    page.goto(site.url)
    page.evaluate(axe)
    page.keyboard.press("?")
    page.get_by_role("dialog").wait_for()
    found["the keys"] = violations(page)
    assert {name: wrong for name, wrong in found.items() if wrong} == {}
    assert len(found) > len(PAGES)


def test_the_check_finds_what_breaks_a_rule(site: Site, page: Page):
    program("npm")
    page.goto(site.url)
    page.evaluate((modules() / "axe-core" / "axe.min.js").read_text())
    page.evaluate(WRONG)
    assert {one.partition(":")[0] for one in violations(page)} >= {"label", "color-contrast"}


@pytest.mark.usefixtures("filled")
def test_a_page_weighs_less_than_100_kb_with_all_that_it_loads(site: Site):
    files = [one.split('"')[0] for one in site.get("/").text.split('"/static/')[1:]]
    assert len(files) >= 3
    loaded = sum(_weight(site, f"/static/{one}") for one in set(files))
    for name, path in PAGES.items():
        assert (name, loaded + _weight(site, path) < HEAVIEST) == (name, True)


def _weight(site: Site, path: str) -> int:
    return len(site.get(path, Accept_Encoding="gzip").body)
