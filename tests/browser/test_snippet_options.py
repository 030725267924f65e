"""What a page may set and call: what it leaves out is counted, and what it asks for is done."""

from __future__ import annotations

import pytest

from tests.browser.recorder import KEY

pytestmark = pytest.mark.browser

NEXT = "<script>setTimeout(function () { last() })</script>"


def wait_for_dropped(recorder, page, counts: dict[str, int]) -> None:
    """Leave the page, and wait until it has said that it left out as many, by reason."""
    page.goto("about:blank")
    recorder.wait(lambda recorder: recorder.dropped == counts, f"{counts} were left out")


def extras(recorder, attributes: str = "crossorigin") -> str:
    return f"<script src='{recorder.ingest}/c/key.extras.js' {attributes}></script>"


def options(text: str) -> str:
    return f"<script>catchwater = {text}</script>"


@pytest.mark.parametrize(
    ("chosen", "reason"),
    [
        ("{ignore: ['first is']}", "ignored"),
        ("{ignore: [/^ReferenceError: fi/]}", "ignored"),
        ("{ignore: [/FIRST/gi]}", "ignored"),
        ("{ignore: [/first/y, /first/g]}", "ignored"),
        ("{allow: [/127/], ignore: ['first']}", "ignored"),
        (
            (
                "{before: function (report) { return report.message.indexOf('last') < 0 ? null : "
                "report }}"
            ),
            "before",
        ),
        (
            "{before: function (report) { return report.message.match(/last/).input && report }}",
            "failed",
        ),
    ],
)
def test_what_the_page_does_not_want_is_left_out_and_counted(visit, recorder, chosen, reason):
    page = visit(
        "<script>for (i = 0; i < 3; i++) setTimeout(function () { first() })</script>" + NEXT,
        options(chosen),
    )
    (report,) = recorder.wait_for_reports(1)
    assert report["message"] == "last is not defined"
    wait_for_dropped(recorder, page, {reason: 3})


def test_only_scripts_that_are_allowed_are_told_of(visit, recorder):
    other = recorder.serve("widget.js", "setTimeout(function () { widget() })", "text/javascript")
    page = visit(f"<script src='{other}'></script>{NEXT}", options("{allow: ['/page']}"))
    (report,) = recorder.wait_for_reports(1)
    assert report["message"] == "last is not defined"
    wait_for_dropped(recorder, page, {"ignored": 1})


def test_errors_beyond_the_cap_are_counted(visit, recorder):
    body = (
        "<script>function fail(i) { throw Error(i) } for (i = 0; i < 9; i++) setTimeout(fail, "
        "0, i)</script>"
    )
    page = visit(body, options("{cap: 4}"))
    recorder.wait_for_reports(4)
    page.evaluate("void setTimeout(fail, 0, 0)")  # one that is known goes on being counted
    recorder.wait_for_reports(5)
    assert sum(report["n"] for report in recorder.reports) == 5
    wait_for_dropped(recorder, page, {"cap": 5})


def test_a_hook_may_change_a_report_and_one_that_throws_harms_nobody(visit, recorder, page):
    visit(
        NEXT,
        options("{before: function (r) { r.message = 'changed'; r.extra = {a: 1}; return r }}"),
    )
    (report,) = recorder.wait_for_reports(1)
    assert (report["message"], report["extra"]) == ("changed", {"a": 1})
    visit(
        NEXT + "<p id=alive>yes</p>",
        options("{before: function () { throw Error('in the hook') }}"),
    )
    assert page.text_content("#alive") == "yes"
    page.evaluate("new Promise(function (done) { setTimeout(done, 300) })")
    wait_for_dropped(recorder, page, {"failed": 1})


def test_what_was_left_out_while_the_server_was_away_is_told_by_the_next_page_and_once(
    visit, recorder, page
):
    visit("<p>here</p>", options("{ignore: ['lonely']}"))
    recorder.go_down()
    page.evaluate("for (var i = 0; i < 5; i++) setTimeout(function () { lonely() })")
    page.evaluate("new Promise(function (done) { setTimeout(done, 300) })")
    page.goto(recorder.serve("else", "<!doctype html>"))
    recorder.come_up()
    visit("<p>back</p>")
    recorder.wait(lambda recorder: recorder.dropped == {"ignored": 5}, "the five are told")
    wait_for_dropped(recorder, page, {"ignored": 5})


@pytest.mark.parametrize(("share", "arrives"), [("1", True), ("0", False), ("'0'", False)])
def test_a_session_is_told_whole_or_only_counted(visit, recorder, share, arrives):
    for _ in range(3):
        page = visit(NEXT, options(f"{{sample: {share}}}"))
        page.evaluate("new Promise(function (done) { setTimeout(done, 300) })")
    wait_for_dropped(recorder, page, {} if arrives else {"sample": 3})
    assert len(recorder.reports) == (3 if arrives else 0)


@pytest.mark.parametrize("share", ["0.5", "'0.5'", "'.5'"])
def test_a_session_that_was_chosen_stays_chosen(visit, recorder, page, share):
    page.add_init_script("Math.random = function () { return sessionStorage.again ? 0.9 : 1e-7 }")
    for number in range(3):
        visit(
            f"<script>setTimeout(function () {{ throw Error('{number}') }})</script>",
            options(f"{{sample: {share}}}"),
        )
        recorder.wait_for_reports(number + 1)
        page.evaluate("sessionStorage.again = 1")


def test_off_ends_it(visit, recorder):
    page = visit("<script>setTimeout(function () { first(); })</script>")
    recorder.wait_for_reports(1)
    page.evaluate(
        "catchwater.off(); setTimeout(function () { second() }); catchwater.report('third')"
    )
    page.goto(recorder.serve("else", "<!doctype html>"))
    assert len(recorder.wait_for_reports(1)) == 1
    assert page.evaluate("localStorage.length") == 0


def test_console_error_is_told_on_demand(visit, recorder):
    visit(
        (
            "<script>console.error('disk', 7, 'is full'); console.error(new RangeError('too "
            "much'))</script>"
        ),
        options("{console: true}"),
        "></script>" + extras(recorder) + "<script",
    )
    reports = {report["message"]: report for report in recorder.wait_for_reports(2)}
    assert set(reports) == {"disk 7 is full", "too much"}
    assert {report["mechanism"] for report in reports.values()} == {"console"}
    assert reports["too much"]["type"] == "RangeError"


def test_what_happened_before_is_told_without_what_may_be_secret(visit, recorder):
    page = visit(
        "<button id=pay class='big red'>Pay jane@example.com</button><script>function go() {"
        " history.pushState(0, '', '/page?token=1'); console.log('going');"
        " fetch('/missing?password=x').then(function () { setTimeout(function () { last() }) }) "
        "}</script>",
        extras(recorder),
    )
    page.evaluate("void (document.getElementById('pay').onclick = go)")
    page.click("#pay")
    (report,) = recorder.wait_for_reports(1)
    crumbs = [
        (crumb["kind"], crumb["message"].replace(recorder.origin, ""))
        for crumb in report["breadcrumbs"]
    ]
    assert crumbs == [
        ("click", "button#pay.big.red"),
        ("navigation", "/page"),
        ("console", "going"),
        ("fetch", "GET /missing"),
    ]
    assert report["breadcrumbs"][-1]["data"]["status"] == 404
    assert "password" not in str(report["breadcrumbs"])


@pytest.mark.parametrize("attributes", ["crossorigin", ""])
def test_a_request_that_fails_is_still_told_by_the_browser(visit, recorder, attributes):
    """Without `crossorigin` the second file leaves fetch alone: browsers would keep the
    rejection to themselves.
    """
    visit("<script>fetch('http://127.0.0.1:1/')</script>", extras(recorder, attributes))
    (report,) = recorder.wait_for_reports(1)
    assert (report["message"], report["mechanism"]) == ("Failed to fetch", "unhandledrejection")


def test_the_context_is_told(visit, recorder):
    visit(NEXT, extras(recorder))
    (report,) = recorder.wait_for_reports(1)
    context = report["context"]
    assert (context["viewport"], context["visibility"]) == ("1280x900", "visible")
    assert context["language"].startswith("en")
    assert 0 <= context["age"] < 60_000


def test_a_module_has_the_attributes_of_its_tag(page, recorder):
    """Browsers do not tell a module which tag it has."""
    tag = f"<script type=module src='{recorder.ingest}/c/{KEY}.js' data-release='a@1'></script>"
    body = f"{tag}<script type=module>setTimeout(function () {{ last() }})</script>"
    page.goto(recorder.serve("page", f"<!doctype html>{body}"))
    (report,) = recorder.wait_for_reports(1)
    assert report["release"] == "a@1"
