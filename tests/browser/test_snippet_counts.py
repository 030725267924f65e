"""Folded, retried, cut off by the end of the page: what arrives adds up to what happened."""

from __future__ import annotations

import pytest

pytestmark = pytest.mark.browser

BUTTON = "<button onclick='failing()'>x</button><script>function failing() { nowhere() }</script>"


def occurrences(recorder, message=""):
    return sum(report["n"] for report in recorder.reports if message in report["message"])


def wait_for_occurrences(recorder, count):
    recorder.wait(lambda recorder: occurrences(recorder) >= count, f"{count} occurrences")
    assert occurrences(recorder) == count


def test_a_hundred_repeats_are_a_few_reports_of_a_hundred_occurrences(visit, recorder):
    visit(
        "<script>function again() { nowhere() } for (i = 0; i < 100; i++) "
        "setTimeout(again)</script>"
    )
    wait_for_occurrences(recorder, 100)
    first, rest = recorder.reports[:2]
    assert first["n"] == 1
    assert len(recorder.reports) < 5
    assert first["first_ts"] == first["ts"] <= rest["first_ts"] <= rest["ts"]


def test_the_first_occurrence_does_not_wait_for_its_repeats(visit, recorder):
    visit(
        "<script>function again() { nowhere() } setTimeout(again); setTimeout(again, 200)</script>"
    )
    (first,) = recorder.wait_for_reports(1)[:1]
    assert first["n"] == 1


def test_one_message_thrown_in_two_places_is_not_folded(visit, recorder):
    places = "function a() { throw Error('x') }\nfunction b() { throw Error('x') }"
    visit(f"<script>{places}\nsetTimeout(a); setTimeout(b)</script>")
    lines = [report["line"] for report in recorder.wait_for_reports(2)]
    assert sorted(lines) == [1, 2]


def test_clicks_that_come_one_by_one_are_all_told_soon(visit, recorder):
    page = visit(BUTTON)
    for count in range(1, 6):
        page.click("button")
        wait_for_occurrences(recorder, count)


def test_a_storm_that_goes_on_is_told_in_few_reports_and_to_the_last(visit, recorder):
    page = visit("""<script>var count = 0; function again() {
      if (count++ < 300) setTimeout(again, 10); else document.title = "over"; if (count < 301) nowhere() }
      setTimeout(again)</script>""")  # noqa: E501 - one piece of text, as it is sent or run
    page.wait_for_function("document.title == 'over'")
    page.goto("about:blank")
    wait_for_occurrences(recorder, 300)
    assert len(recorder.reports) < 10


def test_a_storm_of_ten_minutes_is_few_reports_and_after_it_repeats_are_told_soon_again(
    page, visit, recorder
):
    page.clock.install()
    visit("""<script>var made = 0, storm;
      function again() { made++; dispatchEvent(new ErrorEvent("error", {message: "again"})) }
      storm = setInterval(again, 200)</script>""")
    page.clock.run_for(600_000)
    page.evaluate("clearInterval(storm)")
    page.clock.run_for(60_000)  # the last repeats are told at most so much later
    made = page.evaluate("made")
    assert made >= 3000
    wait_for_occurrences(recorder, made)
    assert len(recorder.reports) < 40
    page.clock.fast_forward(300_000)
    page.evaluate("setTimeout(again)")
    page.clock.run_for(1000)
    wait_for_occurrences(recorder, made + 1)


def test_only_fifty_different_errors_of_one_page_are_told(visit, recorder):
    page = visit("""<script>for (let i = 0; i < 80; i++) setTimeout(function () { throw Error("e" + i) });
      setTimeout(function () { throw Error("e0") }, 50)</script>""")  # noqa: E501 - one piece of text, as it is sent or run
    page.evaluate("new Promise(done => setTimeout(done, 60))")  # after all others are thrown
    page.goto("about:blank")
    recorder.wait(
        lambda recorder: len({report["message"] for report in recorder.reports}) == 50, "50 errors"
    )
    assert occurrences(recorder, "e79") == 0


@pytest.mark.parametrize(
    "leaving", ["page.goto('about:blank')", "page.reload()", "page.close(run_before_unload=True)"]
)
def test_repeats_not_yet_told_are_delivered_when_the_page_ends(visit, recorder, leaving):
    page = visit(BUTTON)
    page.evaluate("document.querySelector('button').click()")
    recorder.wait_for_reports(1)
    page.evaluate("for (var i = 0; i < 7; i++) document.querySelector('button').click()")
    eval(leaving, {"page": page})
    wait_for_occurrences(recorder, 8)


def test_errors_made_while_the_page_ends_are_delivered(visit, recorder):
    page = visit("""<script>addEventListener("pagehide", function () {
      dispatchEvent(new ErrorEvent("error", {message: "last", error: new Error("last words")})) })</script>""")  # noqa: E501 - one piece of text, as it is sent or run
    page.goto("about:blank")
    (report,) = recorder.wait_for_reports(1)
    assert report["message"] == "last words"


def test_many_errors_just_before_the_page_ends_are_all_delivered(visit, recorder):
    page = visit(
        "<script>function fail(i) { setTimeout(function () { throw Error('e' + i + Array(90)) "
        "}) "
        "}</script>"
    )
    page.evaluate(
        "for (var i = 0; i < 40; i++) fail(i); setTimeout(function () { location = 'about:blank' })"
    )
    wait_for_occurrences(recorder, 40)


def attempts(recorder):
    return [[report["id"] for report in request.reports] for request in recorder.requests]


@pytest.mark.parametrize("status", [408, 429, 500, 503])
def test_what_the_server_refuses_for_now_is_sent_again_with_the_same_id(visit, recorder, status):
    recorder.status = status
    visit("<script>nowhere()</script>")
    recorder.wait(lambda recorder: len(recorder.requests) >= 2, "a second attempt")
    recorder.status = 202
    recorder.wait_for_reports(1)
    assert len({tuple(ids) for ids in attempts(recorder)}) == 1


def test_what_the_server_refuses_for_good_is_not_sent_again(visit, recorder):
    recorder.status = 403
    visit(BUTTON)
    page = visit("<script>first()</script><button onclick='second()'>x</button>")
    recorder.wait(lambda recorder: len(recorder.requests) == 1, "the first attempt")
    page.click("button")
    recorder.wait(lambda recorder: len(recorder.requests) == 2, "the second error")
    assert [len(ids) for ids in attempts(recorder)] == [1, 1]


def test_a_page_outlives_its_server_and_every_occurrence_is_counted_once(visit, recorder):
    page = visit("<p id=alive>no</p>" + BUTTON)
    recorder.go_down()
    with page.expect_event("requestfailed"):
        page.evaluate("for (var i = 0; i < 9; i++) document.querySelector('button').click()")
    page.evaluate(
        "setTimeout(function () { throw Error('another') }); document.all.alive.textContent = 'yes'"
    )
    assert page.text_content("#alive") == "yes"
    recorder.come_up()
    wait_for_occurrences(recorder, 10)


def test_a_report_too_long_for_keepalive_arrives_without_it(visit, recorder):
    visit("""<script>var e = Error("\\u20ac"); e.stack = Error("\\u20ac").stack + Array(2e4).join("\\u20ac");
      e.cause = Error("b"); e.cause.stack = e.stack; throw e</script>""")  # noqa: E501 - one piece of text, as it is sent or run
    (report,) = recorder.wait_for_reports(1)
    assert len(report["stack"]) > 19_000
    assert int(recorder.requests[0].headers["Content-Length"]) > 65_536
