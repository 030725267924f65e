"""Pages that take away or replace what the snippet stands on: what is thrown there is counted all
the same.
"""

from __future__ import annotations

import pytest

from tests.browser.tabs import Tabs
from tests.chromium import program
from tests.waiting import wait_until

pytestmark = pytest.mark.browser

AGAIN = "<script>function again() { nowhere() }</script>"
EARLY = "<script>{}</script>"
FREEZE = """[Object, Array, Function, String, Error, Promise, Event, EventTarget, Window, Storage].forEach(
  function (one) { Object.freeze(one.prototype); Object.freeze(one) })"""  # noqa: E501 - one piece of text, as it is sent or run
LISTS_AS_TEXT = """Array.prototype.toJSON = function () {
  return "[" + this.map(function (one) { return JSON.stringify(one) }).join(", ") + "]" }"""
"""What Prototype.js 1.6 and before do, which were written before browsers had JSON."""

EVERYTHING_AS_TEXT = "Object.prototype.toJSON = function () { return '{}' }"
TO_JSON = {"lists": LISTS_AS_TEXT, "everything": EVERYTHING_AS_TEXT}


def told(recorder, text: str) -> int:
    return sum(report["n"] for report in recorder.reports if text in report["message"])


def throw_and_leave(page, recorder, times: int = 9) -> None:
    """Throw so many in a task each, and go to a page without the snippet."""
    page.evaluate(
        "times => new Promise(function (done) { while (times--) setTimeout(again);"
        " setTimeout(done, 20) })",
        times,
    )
    page.goto(recorder.serve("else", "<!doctype html>"))


HOSTILE = {
    "it freezes all prototypes": FREEZE,
    "it has no stacks": "Error.stackTraceLimit = 0",
    "a blocker has taken fetch away": "delete window.fetch; delete window.XMLHttpRequest",
    "a blocker has put one there that throws": "window.fetch = function () { throw Error('no') }",
    "a blocker has put one there that never ends": (
        "window.fetch = function () { return new Promise(function () {}) }"
    ),
    "its settings are frozen": "catchwater = Object.freeze(window.catchwater || {})",
    "lists become texts": LISTS_AS_TEXT,
    "everything becomes a text": EVERYTHING_AS_TEXT,
}


@pytest.mark.parametrize("change", HOSTILE.values(), ids=HOSTILE)
@pytest.mark.parametrize("when", ["before", "after"])
def test_every_occurrence_is_counted_where(visit, recorder, own_errors, change, when):
    early = {when: EARLY.format(change)}
    page = visit(early.get("after", "") + AGAIN, early.get("before", ""))
    throw_and_leave(page, recorder)
    visit("<p>the next page sends what this one could not</p>")
    recorder.wait(lambda recorder: told(recorder, "nowhere") == 9, "all nine", 60)
    assert own_errors == ["nowhere is not defined"] * 9


@pytest.mark.parametrize("change", TO_JSON.values(), ids=TO_JSON)
def test_a_report_has_its_causes_and_what_happened_before(visit, recorder, change):
    second = f"<script src='{recorder.ingest}/c/key.extras.js' crossorigin></script>"
    page = visit("", EARLY.format(change) + second)
    page.evaluate("console.log('before')")
    page.evaluate("catchwater.report(Error('outer', {cause: Error('inner')}), {order: 1})")
    (report,) = recorder.wait_for_reports(1)
    assert [cause["message"] for cause in report["cause"]] == ["inner"]
    if change == LISTS_AS_TEXT:  # else it is the page that says what becomes of such objects
        assert [crumb["message"] for crumb in report["breadcrumbs"]] == ["before"]
        assert report["extra"] == {"order": 1}


@pytest.mark.parametrize("change", TO_JSON.values(), ids=TO_JSON)
def test_what_the_page_leaves_out_is_counted(visit, recorder, change):
    page = visit(AGAIN, EARLY.format(change + "; catchwater = {ignore: 'nowhere'}"))
    throw_and_leave(page, recorder)
    recorder.wait(lambda recorder: recorder.dropped == {"ignored": 9}, "all nine", 60)


@pytest.mark.parametrize("change", TO_JSON.values(), ids=TO_JSON)
def test_different_errors_are_not_folded_into_one(visit, recorder, change):
    page = visit("", EARLY.format(change))
    page.evaluate("catchwater.report('one'); catchwater.report('two')")
    assert {one["message"] for one in recorder.wait_for_reports(2)} == {"one", "two"}


@pytest.mark.parametrize("change", TO_JSON.values(), ids=TO_JSON)
def test_what_could_not_be_sent_is_sent_by_the_next_page(visit, recorder, page, change):
    visit(AGAIN, EARLY.format(change))
    recorder.go_down()
    throw_and_leave(page, recorder)
    recorder.come_up()
    visit("<p>back</p>", EARLY.format(change))
    recorder.wait(lambda recorder: told(recorder, "nowhere") == 9, "all nine", 60)


@pytest.mark.parametrize("name", ["crypto", "fetch", "navigator", "localStorage"])
def test_a_script_may_call_its_own_things_as_the_browser_calls_its(visit, recorder, name):
    """What `const` declares in a script hides from all others what the window has."""
    page = visit(EARLY.format(f"const {name} = {{}}") + AGAIN)
    throw_and_leave(page, recorder)
    visit("<p>the next page</p>")
    recorder.wait(lambda recorder: told(recorder, "nowhere") == 9, "all nine", 60)


def test_a_page_that_is_written_anew_with_its_tag_is_heard_again_and_once(visit, recorder):
    """`document.open` takes all listeners off the window, which stays."""
    page = visit(AGAIN)
    page.evaluate("setTimeout(again)")
    recorder.wait_for_reports(1)
    page.evaluate(
        """source => { document.open();
          document.write("<head><script src='" + source + "'><\\/script></head>"); document.close() }""",  # noqa: E501 - one piece of text, as it is sent or run
        f"{recorder.ingest}/c/key.js",
    )
    page.wait_for_function("document.scripts.length == 1 && document.readyState == 'complete'")
    throw_and_leave(page, recorder)
    recorder.wait(lambda recorder: told(recorder, "nowhere") >= 10, "all ten", 60)
    assert told(recorder, "nowhere") == 10


THROWING = {
    "fetch": "Object.defineProperty(window, 'fetch', {get: function () { throw Error('no') }})",
    "a method of the console": (
        "Object.defineProperty(console, 'log', {get: function () { throw Error('no') }})"
    ),
    "the settings are a text": "catchwater = 'on'",
}


@pytest.mark.parametrize("change", THROWING.values(), ids=THROWING)
def test_what_cannot_be_had_while_it_starts_gives_the_page_no_error(
    visit, recorder, own_errors, change
):
    """As blockers have it, which let a page fail that reads what they want nobody to read."""
    second = f"<script src='{recorder.ingest}/c/key.extras.js' crossorigin></script>"
    page = visit(AGAIN, EARLY.format(change) + second)
    throw_and_leave(page, recorder)
    assert own_errors == ["nowhere is not defined"] * 9


def test_a_frame_without_an_origin_is_heard(page, recorder):
    """It has no storage, and its requests are of the origin `null`."""
    throwing = f"<script src='{recorder.ingest}/c/key.js'></script><script>nowhere()</script>"
    frame = f'<iframe sandbox=allow-scripts srcdoc="{throwing}"></iframe>'
    page.goto(recorder.serve("page", f"<!doctype html><body>{frame}"))
    (report,) = recorder.wait_for_reports(1)
    assert (report["message"], report["page"]) == ("nowhere is not defined", "about:srcdoc")
    assert recorder.requests[0].headers["Origin"] == "null"


def test_a_page_behind_a_service_worker_is_heard(visit, recorder):
    handler = "onfetch = function (event) { event.respondWith(fetch(event.request)) }"
    recorder.serve("worker.js", handler, "text/javascript")
    page = visit(AGAIN)
    page.evaluate("""navigator.serviceWorker.register("/worker.js").then(function () {
      return navigator.serviceWorker.ready })""")
    page.reload()
    page.wait_for_function("navigator.serviceWorker.controller")
    throw_and_leave(page, recorder)
    recorder.wait(lambda recorder: told(recorder, "nowhere") == 9, "all nine", 60)


def test_a_page_of_xml_is_heard(page, recorder):
    tag = f"<script src='{recorder.ingest}/c/key.js' data-release='a@1'></script>"
    html = (
        f"<html xmlns='http://www.w3.org/1999/xhtml'><head>{tag}</head><body>{AGAIN}</body></html>"
    )
    page.goto(recorder.serve("page", html, "application/xhtml+xml"))
    page.evaluate("void setTimeout(again)")
    (report,) = recorder.wait_for_reports(1)
    assert report["release"] == "a@1"


def test_a_hundred_thousand_different_errors_at_once_are_counted_and_not_kept(visit, recorder):
    page = visit("<p id=here>here</p>")
    page.evaluate("""for (var i = 0; i < 1e5; i++) dispatchEvent(new ErrorEvent("error",
      {message: "m", error: {name: "E", message: i + Array(999).join("x"), stack: "at " + i}}))""")
    devtools = page.context.new_cdp_session(page)
    devtools.send("HeapProfiler.collectGarbage")
    assert page.evaluate("performance.memory.usedJSHeapSize") < 30e6, "100 MB were thrown"
    page.goto("about:blank")
    recorder.wait(lambda recorder: recorder.dropped == {"cap": 100_000 - 50}, "all others", 60)
    assert told(recorder, "x") == 50


def test_a_page_that_comes_back_from_the_browser_s_cache_goes_on_counting(recorder, tmp_path):
    head = f"<!doctype html><head><script src='{recorder.ingest}/c/key.js'></script></head>"
    shown = "<script>onpageshow = function (event) { document.title = event.persisted }</script>"
    first = recorder.serve("first", head + AGAIN + shown)
    recorder.serve("second", head + "<script>setTimeout(function () { elsewhere() })</script>")
    with Tabs(program(), tmp_path) as tabs:
        tab = tabs.open(first)
        wait_until(lambda: tab.evaluate("document.title") == "false", "the page is shown", 60)
        tab.evaluate("for (i = 0; i < 4; i++) setTimeout(again)")
        tab.evaluate("setTimeout(function () { location.href = 'second' }, 50)")
        recorder.wait(lambda recorder: told(recorder, "elsewhere") == 1, "the second page", 60)
        tab.evaluate("history.back()")
        wait_until(lambda: tab.evaluate("document.title") == "true", "the first is back", 60)
        tab.evaluate("for (i = 0; i < 5; i++) setTimeout(again)")
        recorder.wait(lambda recorder: told(recorder, "nowhere") >= 9, "all nine", 60)
    assert told(recorder, "nowhere") == 9
