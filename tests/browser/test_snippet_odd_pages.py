"""Pages that have changed the browser's own things, or misunderstood ours: they are told of all
the same.
"""

from __future__ import annotations

import pytest

from tests.browser.recorder import KEY

pytestmark = pytest.mark.browser

THROWING = "<script>setTimeout(function () { first() })</script>"
AGAIN = "<script>function again() { nowhere() }</script>"
PROTOTYPE_1_7 = """Array.prototype.each = function (tell) { for (var i = 0; i < this.length; i++) tell(this[i], i) };
Array.prototype.map = function (change) {
  var found = []; this.each(function (one, at) { found.push(change(one, at)) }); return found }"""  # noqa: E501 - one piece of text, as it is sent or run
QUIET_FETCH = """var theirs = fetch;
window.fetch = async function () { try { return await theirs.apply(this, arguments) } catch (_) {} }"""  # noqa: E501 - one piece of text, as it is sent or run
CHROME_49 = """delete window.queueMicrotask; delete window.AbortController; delete window.IntersectionObserver;
delete window.ResizeObserver; delete window.globalThis; delete window.BigInt; delete window.Intl;
delete Crypto.prototype.randomUUID; delete Crypto.prototype.subtle; delete Navigator.prototype.connection;
["keepalive", "signal", "priority"].forEach(function (name) { delete Request.prototype[name] });
["finally"].forEach(function (name) { delete Promise.prototype[name] });
["allSettled", "any"].forEach(function (name) { delete Promise[name] });
["entries", "values", "fromEntries", "getOwnPropertyDescriptors", "hasOwn"].forEach(function (name) { delete Object[name] });
["flat", "flatMap", "at", "findLast", "toSorted"].forEach(function (name) { delete Array.prototype[name] });
["padStart", "padEnd", "matchAll", "replaceAll", "trimStart", "at"].forEach(function (name) { delete String.prototype[name] })"""  # noqa: E501 - one piece of text, as it is sent or run
"""What that browser does not have of what others do; its engine itself is not here."""

ODD = {
    "Array.prototype.map of Prototype.js": PROTOTYPE_1_7,
    "a function that every object has": "Object.prototype.extend = function () {}",
    "nothing that every object has": "Object.prototype.parent = null",
    "two copies of the inline part": "catchwater = {report: function () {}}",
}
EARLY = "<script>{}</script>"
KEYS = "Object.keys(localStorage).length"


def told(recorder, text: str) -> int:
    return sum(report["n"] for report in recorder.reports if text in report["message"])


def test_where_there_is_no_more_than_in_the_first_browsers_that_have_fetch(
    visit, recorder, own_errors, page
):
    nine = (
        "for (var i = 0; i < 9; i++) setTimeout(again); onpagehide = function () { "
        "catchwater.report('last') }"
    )
    visit(AGAIN + EARLY.format(nine), EARLY.format(CHROME_49))
    recorder.wait(lambda recorder: told(recorder, "nowhere") == 9, "all nine")
    page.goto(recorder.serve("else", "<!doctype html>"))
    visit("<p>back</p>", EARLY.format(CHROME_49))
    recorder.wait(
        lambda recorder: told(recorder, "last") == 1,
        "what the page ended with is told by the next one",
    )
    assert own_errors == ["nowhere is not defined"] * 9
    assert {request.headers["Content-Type"] for request in recorder.requests} == {
        "text/plain;charset=UTF-8"
    }


@pytest.mark.parametrize("change", ODD.values(), ids=ODD)
def test_every_occurrence_is_told_of(visit, recorder, own_errors, change):
    page = visit(AGAIN, EARLY.format(change))
    page.evaluate("for (var i = 0; i < 9; i++) setTimeout(again)")
    page.evaluate("new Promise(function (done) { setTimeout(done, 50) })")
    page.goto("about:blank")
    recorder.wait(lambda recorder: told(recorder, "nowhere") == 9, "all nine")
    assert own_errors == ["nowhere is not defined"] * 9


def test_a_fetch_that_the_page_has_put_around_the_browsers_and_that_hides_failures(
    visit, recorder, own_errors
):
    """What it answers then is `undefined`: no answer, no error of ours, and reports are sent
    again.
    """
    page = visit(AGAIN, EARLY.format(QUIET_FETCH), attributes="crossorigin=anonymous")
    recorder.go_down()
    with page.expect_event("requestfailed"):
        page.evaluate("setTimeout(again)")
    recorder.come_up()
    recorder.wait_for_reports(1)
    assert own_errors == ["nowhere is not defined"]


ANSWERS = {
    "the report": "report",
    "yes": "true",
    "a promise": "Promise.resolve(report)",
    "a copy": "Object.assign({}, report)",
    "an object of its own": "{message: report.message}",
}


@pytest.mark.parametrize("answer", ANSWERS.values(), ids=ANSWERS)
def test_whatever_a_hook_answers_but_nothing_the_report_goes(visit, recorder, answer):
    before = f"catchwater = {{before: function (report) {{ report.tags = {{seen: 1}}; return {answer} }}}}"  # noqa: E501 - one piece of text, as it is sent or run
    visit(THROWING, EARLY.format(before))
    (report,) = recorder.wait_for_reports(1)
    assert (len(report["id"]), report["message"], report["tags"]) == (
        32,
        "first is not defined",
        {"seen": 1},
    )


def test_a_report_that_can_no_longer_be_written_holds_up_no_other(visit, recorder):
    keep = "if (/nowhere/.test(report.message)) report.shop = shop; return report"
    config = f"shop = {{}}; catchwater = {{before: function (report) {{ {keep} }}}}"
    page = visit(AGAIN + "<script>function other() { elsewhere() }</script>", EARLY.format(config))
    page.evaluate("setTimeout(again); setTimeout(other)")
    recorder.wait_for_reports(2)
    page.evaluate(
        "setTimeout(again); setTimeout(other); setTimeout(function () { shop.shop = shop }, 10)"
    )
    page.evaluate("new Promise(function (done) { setTimeout(done, 800) })")
    page.goto("about:blank")
    recorder.wait(lambda recorder: told(recorder, "elsewhere") == 2, "the other's repeat")
    assert told(recorder, "nowhere") == 1


@pytest.mark.parametrize("seconds", ["2592000", "99999999999"])
def test_a_pause_longer_than_a_timer_can_be_is_a_pause(visit, recorder, page, seconds):
    recorder.status, recorder.headers = 429, {"Retry-After": seconds}
    visit(THROWING)
    recorder.wait(lambda recorder: recorder.requests, "the first attempt")
    page.evaluate("new Promise(function (done) { setTimeout(done, 1000) })")
    assert len(recorder.requests) == 1


def test_long_messages_are_compared_and_held_by_their_first_2000_characters(visit, recorder):
    visit("""<script>var long = Array(5e6).join("m");
      for (let i = 0; i < 20; i++) setTimeout(function () { catchwater.report({name: "E", message: long + i}) })
      </script>""")  # noqa: E501 - one piece of text, as it is sent or run
    recorder.wait(lambda recorder: told(recorder, "m") == 20, "all twenty")
    assert {report["message"] for report in recorder.reports} == {"m" * 2000}
    assert len(recorder.reports) == 2, "the first, and nineteen more of it"


def test_off_takes_along_what_earlier_pages_have_kept(visit, recorder, page):
    page.goto(recorder.serve("else", "<!doctype html>"))
    kept = (
        "JSON.stringify([JSON.stringify({id: '0'.repeat(32), ts: Date.now(), message: 'first'})])"
    )
    page.evaluate(f"localStorage['{recorder.ingest}/e/{KEY}'] = {kept}")
    visit("<script>catchwater.off()</script>")
    assert page.evaluate(KEYS) == 0
    visit("<script>catchwater.report('second')</script>")
    assert [report["message"] for report in recorder.wait_for_reports(1)] == ["second"]


def test_one_pattern_may_stand_alone(visit, recorder, page):
    visit(
        THROWING + "<script>setTimeout(function () { last() })</script>",
        attributes="data-ignore='first is'",
    )
    assert [report["message"] for report in recorder.wait_for_reports(1)] == ["last is not defined"]
    page.goto("about:blank")
    recorder.wait(lambda recorder: recorder.dropped == {"ignored": 1}, "the other is counted")


def test_fifty_large_reports_of_earlier_pages_do_not_keep_a_page_from_telling_its_own(
    visit, recorder, page
):
    """All of them together are more than a browser lets go at the end of a page: 64 KiB."""
    visit("<p>here</p>", EARLY.format("catchwater = {cap: 99}"))
    recorder.go_down()
    page.evaluate(
        "for (let i = 0; i < 50; i++) catchwater.report(Error('e' + i), {more: "
        "Array(2000).join('x'), also: Array(1000).join('y')})"
    )
    page.goto(recorder.serve("else", "<!doctype html>"))
    assert page.evaluate("localStorage[Object.keys(localStorage)[0]].length") > 2 * 65_536
    recorder.come_up()
    visit("<script>catchwater.report('own')</script>")
    page.goto("about:blank")
    recorder.wait(lambda recorder: told(recorder, "own") == 1, "its own error")
