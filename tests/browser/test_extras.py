"""The second file: what it puts around the page's own things behaves as they do, and tells no
secrets.
"""

from __future__ import annotations

import pytest

from tests.browser.recorder import KEY

pytestmark = pytest.mark.browser


@pytest.fixture
def shop(visit, recorder):
    """A page with both files; `before` stands in front of them."""

    def shop(before: str = "", body: str = ""):
        second = f"<script src='{recorder.ingest}/c/key.extras.js' crossorigin></script>"
        return visit(body, f"<script>{before}</script>{second}")

    return shop


def crumbs(page) -> list[str]:
    return page.evaluate(
        "catchwater.breadcrumbs.map(function (one) { return one.kind + ' ' + one.message })"
    )


LOGGED = {
    "without a prototype": ("Object.create(null)", None),
    "that throws when it is written": ("{toString: function () { throw 5 }}", None),
    "a symbol": ("Symbol('s')", "console Symbol(s)"),
    "a list": ("[1, 2]", "console 1,2"),
    "a long list": ("new Float64Array(3e6)", "console [object Float64Array]"),
    "an error": ("Error('e')", "console Error: e"),
    "nothing": ("null, undefined", "console null undefined"),
}


@pytest.mark.parametrize(("thing", "crumb"), LOGGED.values(), ids=LOGGED)
@pytest.mark.parametrize("level", ["log", "error"])
def test_anything_may_be_given_to_the_console(shop, recorder, own_errors, thing, crumb, level):
    page = shop("catchwater = {console: true}")
    assert page.evaluate(f"console.{level}({thing})") is None
    assert own_errors == []
    logged = [one for one in crumbs(page) if one.startswith("console")]  # it may be sent by now
    assert logged == ([crumb] if crumb else [])


def test_what_was_logged_is_not_kept_in_memory(shop):
    page = shop()
    page.evaluate("for (var i = 0; i < 30; i++) console.log(i + Array(4e6).join('x'))")
    devtools = page.context.new_cdp_session(page)
    devtools.send("HeapProfiler.collectGarbage")
    assert page.evaluate("performance.memory.usedJSHeapSize") < 30e6, "30 texts of 4 MB were logged"
    assert max(map(len, crumbs(page))) < 250


FETCHES = {
    "no promise": ("function () { return 'now' }", "'now'"),
    "nothing": ("function () {}", "undefined"),
    "a promise of nothing": ("function () { return Promise.resolve() }", "undefined"),
    "what is thrown": ("function () { throw 'at once' }", "'at once'"),
    "what it was given": (
        (
            "function () { return Promise.resolve([].slice.call(arguments, 1).join() + (this === "
            "window)) }"
        ),
        "'[object Object]true'",
    ),
}


@pytest.mark.parametrize(("theirs", "answer"), FETCHES.values(), ids=FETCHES)
def test_a_fetch_of_the_page_s_own_answers_as_it_did(shop, own_errors, theirs, answer):
    page = shop(f"window.fetch = {theirs}")
    found = page.evaluate(
        "(async function () { try { return await window.fetch('/a', {}) } catch (e) { return "
        "e } "
        "})()"
    )
    assert found == page.evaluate(answer)
    assert own_errors == []


def test_a_request_object_that_is_used_again_is_told_of_as_often_as_it_was_sent(shop, recorder):
    recorder.serve("a", "a")
    page = shop()
    page.evaluate("""new Promise(function (done) {
      var request = new XMLHttpRequest(), left = 3;
      request.onloadend = function () { if (left--) again(); else setTimeout(done) };
      function again() { for (var i = 0; i < 100; i++) request.open("GET", "/a?" + left); request.send() }
      again() })""")  # noqa: E501 - one piece of text, as it is sent or run
    assert crumbs(page) == ["xhr GET /a"] * 4


SECRETS = {
    "data:text/plain,my typed secret": "data:",
    "http://jane:secret@127.0.0.1:1/x": "http://127.0.0.1:1/x",
    "/x?token=secret": "/x",
    "/x#secret": "/x",
    "//127.0.0.1:1/@name": "//127.0.0.1:1/@name",
}


@pytest.mark.parametrize(("address", "told"), SECRETS.items())
def test_addresses_are_told_without_what_may_be_secret(shop, address, told):
    page = shop()
    page.evaluate(f"fetch({address!r}).catch(function () {{}})")
    page.evaluate(f"""new Promise(function (done) {{ var request = new XMLHttpRequest();
      request.onloadend = function () {{ setTimeout(done) }}; request.open('GET', {address!r}); request.send() }})""")  # noqa: E501 - one piece of text, as it is sent or run
    page.wait_for_function("catchwater.breadcrumbs.length > 1")
    assert sorted(crumbs(page)) == [f"fetch GET {told}", f"xhr GET {told}"]


def test_it_stands_in_the_report(shop, recorder):
    page = shop()
    page.evaluate("console.log('before'); catchwater.report('now')")
    (report,) = recorder.wait_for_reports(1)
    assert [crumb["message"] for crumb in report["breadcrumbs"]] == ["before"]
    assert KEY not in str(report["breadcrumbs"])
