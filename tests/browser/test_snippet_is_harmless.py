"""Whatever page, error or server it meets: the snippet adds nothing to what goes wrong."""

from __future__ import annotations

import pytest

pytestmark = pytest.mark.browser


def test_handlers_set_before_and_after_are_called_as_if_it_were_not_there(visit, recorder):
    handler = "function () { (window.got = window.got || []).push(arguments.length); return true }"
    page = visit(
        (
            f"<script>early()</script><script>window.onerror = "
            f"{handler}</script><script>late()</script>"
        ),
        before=f"<script>window.onerror = {handler}</script>",
    )
    recorder.wait_for_reports(2)
    assert page.evaluate("got") == [5, 5]


def test_the_error_still_reaches_the_console(visit, recorder, own_errors):
    visit("<script>nowhere()</script>")
    recorder.wait_for_reports(1)
    assert own_errors == ["nowhere is not defined"]


def test_a_page_that_wraps_fetch_does_not_see_the_requests(visit, recorder):
    page = visit(
        "<script>window.fetch = function () { window.seen = 1; throw Error('no') }; "
        "nowhere()</script>"
    )
    recorder.wait_for_reports(1)
    assert page.evaluate("window.seen") is None


HOSTILE = {
    "a message that throws": (
        "Object.defineProperty(Error('x'), 'message', {get: function () { throw 1 }})"
    ),
    "a text that throws": "{message: {toString: function () { throw 1 }}}",
    "a proxy that throws": "new Proxy({}, {get: function () { throw Error('trap') }})",
    "no prototype": "Object.create(null)",
    "a proxy that is no more": (
        "(function () { var made = Proxy.revocable({}, {}); made.revoke(); return made.proxy })()"
    ),
    "a symbol": "Symbol('s')",
    "a stack that throws": (
        "Object.defineProperty(Error('x'), 'stack', {get: function () { throw 1 }})"
    ),
    "a function": "function thrown() {}",
}


@pytest.mark.parametrize("thrown", HOSTILE.values(), ids=HOSTILE)
def test_a_hostile_error_harms_neither_the_page_nor_the_next_report(visit, recorder, thrown):
    page = visit(f"<script>setTimeout(function () {{ next() }}); throw {thrown}</script>")
    page.evaluate("new Promise(function (done) { setTimeout(done, 50) })")
    page.goto("about:blank")
    recorder.wait(
        lambda recorder: any("next" in r["message"] for r in recorder.reports), "the next report"
    )
    recorder.wait(lambda recorder: told(recorder) > 0, "it is told of, or counted as it could not")
    assert told(recorder) == 1


def told(recorder) -> int:
    """Reports besides the next error's, and errors that could not be reported."""
    return len(recorder.reports) - 1 + recorder.dropped.get("failed", 0)


def test_a_message_that_is_no_text_is_told_as_one(visit, recorder):
    visit("<script>throw Object.assign(Error(), {message: Symbol('s'), name: 'E'})</script>")
    (report,) = recorder.wait_for_reports(1)
    assert (report["type"], report["message"]) == ("E", "Symbol(s)")


def test_an_error_made_while_one_is_told_does_not_make_a_circle(visit, recorder):
    page = visit("""<script>var calls = 0; var error = Object.defineProperty(Error("x"), "message", {
      get: function () { if (calls++ < 500) dispatchEvent(new ErrorEvent("error", {error: error})); return "x" }});
      setTimeout(function () { next() }); throw error</script>""")  # noqa: E501 - one piece of text, as it is sent or run
    assert [report["message"] for report in recorder.wait_for_reports(2)] == [
        "x",
        "next is not defined",
    ]
    assert page.evaluate("calls") < 10


EXTRAS = {
    "circular": "(function () { var o = {}; o.o = o; return o })()",
    "big": "{list: Array(1e5).fill(Array(99).join('x'))}",
    "bigint": "{n: 10n}",
    "throwing": "{toJSON: function () { throw 1 }}",
    "deep": "(function () { var o = {}; for (var i = 0; i < 1e5; i++) o = {o: o}; return o })()",
}


@pytest.mark.parametrize("extra", EXTRAS.values(), ids=EXTRAS)
def test_extra_that_is_no_json_or_too_much_is_left_out(visit, recorder, own_errors, extra):
    page = visit()
    page.evaluate(f"catchwater.report(Error('kept'), {extra})")
    (report,) = recorder.wait_for_reports(1)
    assert report["message"] == "kept"
    assert "extra" not in report
    assert own_errors == []


def test_a_long_list_is_cut_and_bytes_are_no_harm(visit, recorder):
    page = visit()
    page.evaluate(
        "catchwater.report(Error('kept'), {list: Array(1e5).fill(1), bytes: new Uint8Array(3), "
        "file: new Blob(['x'])})"
    )
    (report,) = recorder.wait_for_reports(1)
    assert report["extra"] == {"list": [1] * 2000, "bytes": {"0": 0, "1": 0, "2": 0}, "file": {}}


def test_settings_that_are_no_json_cost_the_errors_nothing_but_themselves(
    visit, recorder, own_errors
):
    """Each of them is counted as what could not be told of, and an error after that is told
    again.
    """
    page = visit("<script>function again() { nowhere() }</script>")
    page.evaluate("catchwater.shop = window; for (var i = 0; i < 3; i++) setTimeout(again)")
    page.evaluate("new Promise(function (done) { setTimeout(done, 700) })")
    page.evaluate("delete catchwater.shop; setTimeout(again)")
    (report,) = recorder.wait_for_reports(1)
    page.goto("about:blank")
    recorder.wait(lambda recorder: recorder.dropped == {"failed": 3}, "three could not be told of")
    assert (report["message"], report["n"]) == ("nowhere is not defined", 1)
    assert own_errors == ["nowhere is not defined"] * 4


def test_texts_arrive_as_they_were_even_half_characters(visit, recorder):
    page = visit()
    page.evaluate(
        r"catchwater.report(Error('half \ud83d, whole \ud83d\ude00, \\ud83d, \\\\, \0, \u2028, "
        r"\"'))"
    )
    (report,) = recorder.wait_for_reports(1)
    assert report["message"] == 'half \ud83d, whole \U0001f600, \\ud83d, \\\\, \0, \u2028, "'


def test_an_endless_message_is_cut_and_the_frames_stay(visit, recorder):
    page = visit()
    page.evaluate("(function guilty() { catchwater.report(Error(Array(5e6).join('m$&'))) })()")
    (report,) = recorder.wait_for_reports(1)
    assert report["message"] == ("m$&" * 1000)[:2000]
    assert "guilty" in report["stack"]


def test_a_second_copy_on_the_page_does_nothing(visit, recorder):
    page = visit(f"<script src='{recorder.ingest}/c/key.js'></script><script>nowhere()</script>")
    page.goto("about:blank")
    recorder.wait_for_reports(1)
    assert len(recorder.reports) == 1


def test_a_strict_policy_with_nonce_and_connect_src_is_enough(visit, recorder):
    policy = f"default-src 'none'; script-src 'nonce-abc'; connect-src {recorder.ingest}"
    visit(
        "<script nonce=abc>nowhere()</script>",
        attributes="nonce=abc",
        Content_Security_Policy=policy,
    )
    recorder.wait_for_reports(1)


def test_a_policy_that_forbids_the_endpoint_costs_reports_and_nothing_else(
    visit, recorder, own_errors
):
    policy = f"script-src 'unsafe-inline' {recorder.ingest}; connect-src 'none'"
    page = visit("<script>nowhere()</script><p>here</p>", Content_Security_Policy=policy)
    assert page.text_content("p") == "here"
    assert own_errors == ["nowhere is not defined"]
    assert recorder.requests == []


def test_a_page_whose_snippet_does_not_come_works(visit, recorder, own_errors):
    recorder.go_down()
    page = visit("<script>document.title = 'runs'</script>", attributes="async")
    assert page.title() == "runs"
    assert own_errors == []


def test_an_address_that_answers_without_cors_gives_no_error(
    visit, recorder, own_errors, monkeypatch
):
    monkeypatch.setattr("tests.browser.recorder.CORS", {})
    visit("<script>nowhere()</script>")
    recorder.wait(
        lambda recorder: len(recorder.requests) >= 2, "an attempt with and one without keepalive"
    )
    assert own_errors == ["nowhere is not defined"]
