"""Reports outlive their page: kept while the server is away, sent by the next page, counted
once.
"""

from __future__ import annotations

import pytest

pytestmark = pytest.mark.browser

FIRST = "<script>setTimeout(function () { first() })</script>"


def kept(page) -> list[str]:
    return page.evaluate(
        "Object.keys(localStorage).flatMap(name => JSON.parse(localStorage[name]))"
    )


def test_what_a_page_could_not_send_is_sent_by_the_next_one(visit, recorder, page):
    visit("<p>here</p>")
    recorder.go_down()
    page.evaluate("setTimeout(function () { first() })")
    page.evaluate("new Promise(function (done) { setTimeout(done, 300) })")
    page.goto(recorder.serve("else", "<!doctype html>"))
    assert len(kept(page)) == 1
    recorder.come_up()
    visit("<p>back</p>")
    (report,) = recorder.wait_for_reports(1)
    assert report["message"] == "first is not defined"
    recorder.wait(
        lambda recorder: page.evaluate("1") and kept(page) == [], "nothing is kept any more"
    )


def test_an_error_right_before_leaving_arrives_once_though_it_may_be_sent_twice(
    visit, recorder, page
):
    visit("<script>addEventListener('pagehide', function () { catchwater.report('bye') })</script>")
    page.goto(recorder.serve("else", "<!doctype html>"))
    visit("<p>back</p>")
    recorder.wait(lambda recorder: len(recorder.requests) >= 2, "it is sent again")
    assert [report["message"] for report in recorder.reports] == ["bye"]


def test_what_was_kept_too_long_is_let_go_since_the_server_may_have_forgotten_that_it_has_it(
    visit, recorder, page
):
    page.goto(recorder.serve("else", "<!doctype html>"))
    endpoint = f"{recorder.ingest}/e/0123456789abcdef0123456789abcdef"
    old = (
        "JSON.stringify([JSON.stringify({id: '0'.repeat(32), ts: Date.now() - 8e7, message: "
        "'old'})])"
    )
    page.evaluate(f"localStorage['{endpoint}'] = {old}")
    visit(FIRST)
    (report,) = recorder.wait_for_reports(1)
    assert report["message"] == "first is not defined"


@pytest.mark.parametrize("junk", ["{", "7", "[7]", "null", '["{"]'])
def test_junk_in_the_storage_harms_nobody(visit, recorder, page, junk):
    page.goto(recorder.serve("else", "<!doctype html>"))
    page.evaluate(
        f"localStorage['{recorder.ingest}/e/0123456789abcdef0123456789abcdef'] = '{junk}'"
    )
    visit(FIRST)
    assert recorder.wait_for_reports(1)[0]["message"] == "first is not defined"
    recorder.go_down()
    page.evaluate("catchwater.report('second')")
    page.goto(recorder.serve("else", "<!doctype html>"))
    assert "second" in kept(page)[-1]  # the first's answer may have been cut off


def test_at_most_fifty_reports_are_kept(visit, recorder, page):
    visit("<p>here</p>", "<script>catchwater = {cap: 99}</script>")
    recorder.go_down()
    page.evaluate("for (let i = 0; i < 70; i++) setTimeout(function () { throw Error('e' + i) })")
    page.evaluate("new Promise(function (done) { setTimeout(done, 100) })")
    page.goto(recorder.serve("else", "<!doctype html>"))
    assert len(kept(page)) == 50


def test_a_server_that_asks_for_a_pause_is_left_alone(visit, recorder, page):
    recorder.status, recorder.headers = 503, {"Retry-After": "2"}
    visit(FIRST + "<script>function again() { third() }</script>")
    recorder.wait(lambda recorder: len(recorder.requests) == 1, "the first attempt")
    started = page.evaluate("Date.now()")
    page.evaluate(
        "setTimeout(function () { second() }, 200); setTimeout(again); setTimeout(again, 100)"
    )
    recorder.status = 202
    recorder.wait_for_reports(2)
    assert page.evaluate("Date.now()") - started > 1500
    assert [request.status for request in recorder.requests][:2] == [503, 202]


def test_a_page_without_storage_works(visit, recorder, page):
    page.add_init_script(
        "Object.defineProperty(window, 'localStorage', {get: function () { throw "
        "Error('denied') "
        "}})"
    )
    visit(FIRST)
    assert len(recorder.wait_for_reports(1)) == 1
    page.goto("about:blank")


def test_nothing_of_ours_is_in_the_console(visit, recorder, page):
    said = []
    page.on("console", lambda message: said.append(message.location["url"]))
    visit(FIRST)
    recorder.wait_for_reports(1)
    page.goto(recorder.serve("else", "<!doctype html>"))
    assert [address for address in said if address.startswith(recorder.ingest)] == []
