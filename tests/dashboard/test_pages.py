from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from catchwater.streams.commit import OTHER_ABOUT
from catchwater.streams.counters import other_issue
from tests.dashboard import documents as made
from tests.dashboard.conftest import DEMO, INGEST, KEY
from tests.dashboard.markup import EVIL, Tags, assert_harmless

if TYPE_CHECKING:
    from pymongo.database import Database

    from catchwater.redis_client import Connection
    from tests.dashboard.conftest import Open, Site

    Mongo = Database[dict[str, Any]]

EVIL_FRAME = {
    "function": EVIL,
    "file": f"javascript:{EVIL}",
    "line": 1,
    "unmapped": EVIL,
    "context": {"pre": [EVIL], "line": EVIL, "post": [EVIL]},
    "generated": {"function": EVIL, "file": EVIL},
}
ONE = made.issue("pay")
ID = "ab" * 16

OF_AN_ISSUE = (
    """
pay|https://shop.example/app.js:12:7|(anonymous)|Caused by|NetworkError|no route|Chrome 156|75 %
https://shop.example/basket|u-81|type: TypeError|a library's
""".strip()
    .replace("\n", "|")
    .split("|")
)
OF_A_SAMPLE = (
    """
button#pay|click|tenant|north|basket|"items": 3|u-81|Windows 11|Chrome 156|https://search.example/|2026.11.3
production|onerror|message|catchwater/1.2.0|Mozilla/5.0 (made up)|"mechanism": "onerror"|v1:
""".strip()
    .replace("\n", "|")
    .split("|")
)


def test_html_in_every_field_is_shown_as_text_on_every_page(site: Site, mongo: Mongo):
    hostile: dict[str, Any] = made.named(ONE, ID, made.moment())
    texts = {name: EVIL for name, value in hostile.items() if isinstance(value, str)} | {
        "level": EVIL
    }
    nested = {
        "frames": [EVIL_FRAME | {"in_app": i < 1} for i in range(3)],
        "chain": [{"type": EVIL, "message": EVIL, "frames": [{"function": EVIL, "file": EVIL}]}],
        "user": {EVIL: EVIL, "id": EVIL},
        "tags": {EVIL: EVIL},
        "extra": {EVIL: {EVIL: [EVIL]}},
        "breadcrumbs": [{"ts": EVIL, "kind": EVIL, "message": EVIL, "data": {EVIL: EVIL}}],
        "used": [EVIL, {EVIL: EVIL}],
        "ignored": [{"part": EVIL, "why": EVIL}],
        "fingerprints": {EVIL: EVIL},
        "cut": [EVIL],
        "n": EVIL,
        "ts": EVIL,
    }
    issue = ONE | {"type": EVIL, "message": EVIL, "culprit": EVIL, "level": EVIL, "project": EVIL}
    mongo.issues.insert_one(issue)
    mongo.hours.insert_one(made.hour(issue, made.moment(), 4))
    mongo.tags.insert_one(
        made.tags(
            issue, made.moment(), {name: {EVIL: 3} for name in ("browser", "os", "page", EVIL)}
        )
    )
    mongo.samples.insert_one(made.sample(issue, ID, made.moment(), **(texts | nested)))
    mongo.samples.insert_one(made.sample(issue, EVIL, made.moment(hours=1), **texts))
    for path in (
        "/",
        f"/issues/{ONE['_id']}",
        f"/events/{ID}",
        f"/?project={made.quoted(EVIL)}&q={made.quoted('<script>')}",
    ):
        answer = site.get(path)
        assert answer.status == 200, path
        assert_harmless(answer.text)
    assert_harmless(site.get(f"/events/{made.quoted(EVIL)}").text)


@pytest.mark.parametrize(
    "path",
    [
        f"{before}%3Cscript%3Ealert(1)%3C%2Fscript%3E"
        for before in ("/", "/?sort=", "/issues/", "/events/")
    ],
)
def test_html_in_an_address_is_shown_as_text_on_the_page_that_refuses_it(site: Site, path: str):
    answer = site.get(path)
    assert answer.status in (400, 404)
    assert_harmless(answer.text)


def test_the_names_of_projects_are_text_too(site: Site, mongo: Mongo):
    mongo.issues.insert_one(made.issue("pay", project="2"))
    page = site.get("/").text
    assert "&lt;i&gt;Back&lt;/i&gt; office" in page
    assert "<i>" not in page


def test_the_list_shows_each_issue_with_its_numbers_and_a_sentence_for_its_bars(
    site: Site, mongo: Mongo
):
    one = made.issue(
        "pay", count=12_345, users=678, last_seen=made.moment(minutes=5), level="fatal"
    )
    mongo.issues.insert_one(one)
    mongo.hours.insert_many(
        [made.hour(one, made.moment(hours=1), 40), made.hour(one, made.moment(), 2)]
    )
    found = Tags(site.get("/").text)
    for text in (
        "TypeError",
        "pay is not a function",
        "app.js in pay",
        "12,345",
        "678",
        "5 min ago",
        "Tea shop",
        "fatal",
    ):
        assert text in found.text, text
    assert f"/issues/{one['_id']}".replace(":", "%3A") in [
        link.replace(":", "%3A") for link in found.links()
    ]
    (bars,) = [one for tag, one in found.elements if tag == "svg"]
    assert bars["role"] == "img"
    hour = f"{made.moment(hours=1):%H}:00 UTC"
    assert bars["aria-label"] == f"42 events in 24 hours, most of them at {hour}: 40"
    times = [attributes for tag, attributes in found.elements if tag == "time"]
    assert times[0]["datetime"] == made.iso(one["last_seen"])
    assert times[0]["title"] == made.iso(one["last_seen"]).replace("T", " ").replace("Z", " UTC")


def test_the_order_is_told_to_readers_and_can_be_chosen_by_the_headings(site: Site, mongo: Mongo):
    mongo.issues.insert_one(made.issue("pay"))
    found = Tags(site.get("/?sort=users&q=pay&project=1").text)
    (sorted_by,) = [one for tag, one in found.elements if tag == "th" and "aria-sort" in one]
    assert sorted_by["aria-sort"] == "descending"
    assert "users" in str(sorted_by["class"])
    assert {"/?q=pay&project=1&sort=count", "/?sort=count&q=pay&project=1"} & set(found.links())


def test_more_issues_are_a_link_away_and_the_way_back_too(site: Site, mongo: Mongo):
    mongo.issues.insert_many([made.issue(f"f{i}") for i in range(5)])
    page = Tags(site.get("/?limit=3&q=function").text)
    (more,) = [link for link in page.links() if "cursor=" in link]
    assert "limit=3" in more
    assert "q=function" in more
    second = site.get(more).text
    assert second.count('data-key="1:v1:') == 2
    assert "First page" in second
    assert 'rel="next"' not in second


def test_a_newcomer_is_told_what_to_do_next(site: Site):
    found = Tags(site.get("/").text)
    assert "No error has been caught yet" in found.text
    assert f'<script src="{INGEST}/c/{KEY}.js"></script>' in found.text
    assert "/pipeline" in found.links()
    assert DEMO in found.links()


def test_a_project_with_an_address_of_its_own_shows_that(
    opened: Open, mongo: Mongo, mongo_url: str, redis: Connection
):
    own = f'projects: [{{id: "1", name: shop, key: "{KEY}", url: "https://shop.example/cw"}}]'
    found = Tags(opened(mongo_url, redis.url, projects=own).get("/").text)
    assert f'<script src="https://shop.example/cw/c/{KEY}.js"></script>' in found.text


def test_without_a_project_the_newcomer_is_told_to_make_one(
    opened: Open, mongo: Mongo, mongo_url: str, redis: Connection
):
    assert (
        "catchwater project add"
        in opened(mongo_url, redis.url, projects="projects: []").get("/").text
    )


def test_a_search_without_matches_says_so_and_offers_all(site: Site, mongo: Mongo):
    mongo.issues.insert_one(made.issue("pay"))
    page = site.get("/?q=nothing+like+it").text
    assert "Nothing matches" in page
    assert "No error has been caught yet" not in page


def test_an_issue_s_page_shows_stack_causes_tags_samples_and_the_explanation(
    site: Site, mongo: Mongo
):
    mongo.issues.insert_one(ONE)
    mongo.tags.insert_one(
        made.tags(ONE, made.moment(), {"browser": {"Chrome 156": 3, "Firefox 1": 1}})
    )
    mongo.samples.insert_many(
        [
            made.sample(ONE, ID, made.moment(minutes=1)),
            made.sample(ONE, "cd" * 16, made.moment(minutes=2)),
        ]
    )
    page = site.get(f"/issues/{ONE['_id']}").text
    text = Tags(page).text
    for expected in OF_AN_ISSUE:
        assert expected in text, expected
    assert "2 frames of libraries and the browser" in text
    assert page.count('class="frame own"') == 2
    assert page.index(ID) < page.index("cd" * 16), "newest first"


def test_an_issue_without_samples_still_shows_its_counts(site: Site, mongo: Mongo):
    mongo.issues.insert_one(ONE | {"count": 99})
    text = Tags(site.get(f"/issues/{ONE['_id']}").text).text
    assert "99" in text
    assert "No sample of this issue is kept any more" in text


def test_events_of_issues_beyond_the_limit_are_an_issue_that_says_so(site: Site, mongo: Mongo):
    mongo.issues.insert_one(ONE | OTHER_ABOUT | {"_id": other_issue("1")})
    for path in ("/", f"/issues/{other_issue('1')}"):
        text = Tags(site.get(path).text).text
        assert "Other errors" in text
        assert "beyond the limit" in text


@pytest.mark.parametrize(
    ("message", "advised"), [("Script error.", True), ("Script error in row 7", False)]
)
def test_an_error_of_another_origin_s_script_comes_with_what_to_do(
    site: Site, mongo: Mongo, message, advised
):
    mongo.issues.insert_one(ONE | {"message": message})
    mongo.samples.insert_one(
        made.sample(ONE, ID, made.moment(), message=message, frames=[], chain=[])
    )
    for path in (f"/issues/{ONE['_id']}", f"/events/{ID}"):
        text = site.get(path).text
        assert ("crossorigin=" in text) is advised
        assert ("The browser sent no stack with it." in text) is not advised


def test_a_sample_s_page_shows_all_of_it(site: Site, mongo: Mongo):
    mongo.samples.insert_one(made.sample(ONE, ID, made.moment(), cut=["message"]))
    text = Tags(site.get(f"/events/{ID}").text).text
    for expected in OF_A_SAMPLE:
        assert expected in text, expected
