"""The tags that `catchwater snippet` prints, in Chromium, with a real ingest behind them."""

from __future__ import annotations

import json
import urllib.request

import pytest

from catchwater.event import CLIENT_REPORT
from catchwater.local.servers import free_port
from ingest.tags import Page
from tests.browser.sites import by_aiohttp, by_caddy, by_nginx
from tests.ingest.conftest import KEY, made
from tests.waiting import wait_until

pytestmark = pytest.mark.browser

TAGS = ["plain", "immutable", "checked", "inline"]
THROWING = "<script nonce=abc>nowhere()</script>"


@pytest.fixture
def ingest(redis_server, redis_url, tmp_path):
    """An ingest that browsers reach as `localhost`, for pages that are on 127.0.0.1."""
    with made(redis_server, tmp_path) as one:
        yield one


@pytest.fixture
def tags(ingest):
    """The project's tags, with the nonce that the pages of these tests have."""
    return Page(f"http://localhost:{ingest.port}", KEY, "abc")


@pytest.fixture
def complaints(page):
    said = []
    page.on(
        "console", lambda message: said.append(message.text) if message.type == "error" else None
    )
    return said


def wait_for_the_error(ingest):
    (event,) = wait_until(ingest.events, "the error is on the stream")
    assert event.json["message"] == "nowhere is not defined"


@pytest.mark.parametrize("way", TAGS)
def test_each_tag_reports_under_a_strict_policy(page, recorder, ingest, tags, complaints, way):
    policy = f"default-src 'none'; script-src 'nonce-abc'; connect-src {tags.address}"
    html = f"<!doctype html>{getattr(tags, way)()}{THROWING}"
    page.goto(recorder.serve("page", html, Content_Security_Policy=policy))
    wait_for_the_error(ingest)
    assert [one for one in complaints if "Policy" in one or "integrity" in one] == []


FILTERED = """  - id: "6"
    name: filtered
    key: "{key}"
    filters:
      messages: ["*noise*", "RangeError: *"]
      pages: ["*/preview*"]
      allowed_scripts: ["{origin}/*"]
"""


@pytest.fixture
def filtered(recorder, ingest):
    """The plain tag of a project with filters."""
    text = FILTERED.format(key="6" * 32, origin=recorder.origin)
    projects = ingest.folder / "projects.yaml"
    projects.write_text(projects.read_text() + text)
    ingest.stop()
    ingest.start()
    return Page(f"http://localhost:{ingest.port}", "6" * 32)


UNWANTED = {
    "filter:messages": ["Error('some noise')", "TypeError('noise')", "RangeError('x')"],
    "filter:allowed_scripts": [],
    "filter:pages": ["Error('on a page')"],
}
OTHER = "function other() { elsewhere() }"


@pytest.mark.parametrize("reason", UNWANTED)
def test_what_the_project_s_filters_drop_stays_in_the_page_and_is_counted(
    page, recorder, ingest, filtered, reason
):
    other = recorder.origin.replace("127.0.0.1", "localhost")
    allowed = {"Access_Control_Allow_Origin": "*"}
    recorder.serve("other.js", OTHER, "text/javascript", **allowed)
    ways = [f"function () {{ throw {error} }}" for error in UNWANTED[reason]] or ["other", "other"]
    throwing = "".join(f"setTimeout({way});" for way in ways)
    scripts = f"<script crossorigin src='{other}/other.js'></script><script>{throwing}</script>"
    where = "preview" if reason == "filter:pages" else "page"
    page.goto(recorder.serve(where, f"<!doctype html><head>{filtered.plain()}</head>{scripts}"))
    page.evaluate("new Promise(done => setTimeout(done, 100))")
    page.goto("about:blank")
    (event,) = wait_until(ingest.events, "the count is on the stream")
    assert (event.kind, event.facts) == (CLIENT_REPORT, {reason: len(ways)})


def test_what_no_filter_drops_is_sent_and_the_immutable_script_has_no_filters(
    page, recorder, ingest, filtered
):
    page.goto(recorder.serve("page", f"<!doctype html>{filtered.plain()}{THROWING}"))
    wait_for_the_error(ingest)
    page.goto(recorder.serve("preview", f"<!doctype html>{filtered.checked()}{THROWING}"))
    wait_until(
        lambda: any("/preview" in one.json.get("page", "") for one in ingest.events()),
        "the stage is left to drop it",
        timeout=60,
    )


def test_a_policy_without_the_nonce_of_the_tag_is_the_one_that_stops_it(page, recorder, tags):
    policy = f"script-src 'nonce-other'; connect-src {tags.address}"
    page.goto(recorder.serve("page", tags.plain(), Content_Security_Policy=policy))
    assert page.evaluate("typeof catchwater") == "undefined"


def test_a_script_that_was_tampered_with_is_refused(page, recorder, ingest, tags, complaints):
    def tampered(route):
        answer = route.fetch()
        route.fulfill(response=answer, body=answer.body() + b" ")

    page.route("**/c/*.js", tampered)
    page.goto(recorder.serve("page", f"{tags.checked()}{THROWING}"))
    assert page.evaluate("typeof catchwater") == "undefined"
    assert any("integrity" in one for one in complaints)
    page.goto(recorder.serve("unchecked", f"{tags.immutable()}{THROWING}"))
    wait_for_the_error(ingest)


@pytest.fixture(
    params=[by_nginx, by_caddy, by_aiohttp],
    ids=["nginx", "caddy", "a proxy that cuts nothing off"],
)
def shop(request, redis_server, redis_url, tmp_path):
    """A site that hands /assets/cw on to ingest, and that ingest: its address, and what stands
    in its pages.
    """
    port = free_port()
    address = f"http://127.0.0.1:{port}/assets/cw"
    settings = (
        () if request.param is by_aiohttp else ("--public-url", address)
    )  # else the request itself says it all
    (tmp_path / "site").mkdir()
    with (
        made(redis_server, tmp_path, "--trust-proxy", *settings) as ingest,
        request.param(port, ingest.port, tmp_path / "site"),
    ):
        yield address, ingest


@pytest.mark.parametrize("way", TAGS)
def test_a_blocked_ingest_host_does_not_matter_to_a_first_party_path(page, shop, way):
    address, ingest = shop
    blocked = f"http://localhost:{ingest.port}"
    stopped = []
    page.route(f"{blocked}/**", lambda route: (stopped.append(route.request.url), route.abort()))
    pages = {
        "third": Page(blocked, KEY).plain(),
        "first": getattr(Page(address, KEY, "abc"), way)(),
    }
    policy = {"Content-Security-Policy": f"script-src 'nonce-abc' {blocked}; connect-src 'self'"}
    page.route(
        "**/*.html",
        lambda route: route.fulfill(
            content_type="text/html",
            headers=policy,
            body=pages[route.request.url.split("/")[-1][:-5]] + THROWING,
        ),
    )
    page.goto(address.replace("/assets/cw", "/third.html"))
    assert page.evaluate("typeof catchwater") == "undefined"
    assert (len(stopped), ingest.events()) == (1, [])
    page.goto(address.replace("/assets/cw", "/first.html"))
    wait_for_the_error(ingest)
    assert len(stopped) == 1


@pytest.mark.parametrize(
    ("site", "address"),
    [(by_nginx, "192.0.2.7, 127.0.0.1"), (by_caddy, "127.0.0.1")],
    ids=["nginx appends it", "caddy replaces what strangers say"],
)
def test_the_shipped_file_keeps_the_visitors_cookies_and_tells_their_address(
    recorder, tmp_path, site, address
):
    port = free_port()
    with site(port, int(recorder.ingest.rpartition(":")[2]), tmp_path):
        headers = {
            "Cookie": "session=secret",
            "Authorization": "Basic x",
            "X-Forwarded-For": "192.0.2.7",
        }
        report = json.dumps([{"id": "0" * 32, "message": "boom"}]).encode()
        asked = urllib.request.Request(
            f"http://127.0.0.1:{port}/assets/cw/e/{KEY}", report, headers
        )
        with urllib.request.urlopen(asked, timeout=10) as answer:
            assert answer.status == 202
    (request,) = recorder.requests
    assert {"Cookie", "Authorization"} & set(request.headers) == set()
    assert request.headers["X-Forwarded-For"] == address
