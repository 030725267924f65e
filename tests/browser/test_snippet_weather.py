"""The server is slow, asks for a pause, or there is no network: the page does not notice, and
nothing is lost.
"""

from __future__ import annotations

import pytest

from tests.browser.distance import Distance
from tests.browser.recorder import KEY
from tests.browser.toolchain import BUILT
from tests.waiting import wait_until

pytestmark = pytest.mark.browser

THROWING = "<script>setTimeout(function () { first() })</script>"
SLOW = 3.0  # seconds to the server


def wait_for_messages(recorder, *messages: str) -> None:
    recorder.wait(
        lambda recorder: {report["message"] for report in recorder.reports} == set(messages),
        str(messages),
    )


def asynchronous(endpoint: str) -> str:
    """The inline part, and the script from the slow server itself."""
    inline = (BUILT / "inline.min.js").read_text()
    return (
        f"<!doctype html><head><script>{inline}</script><script async "
        f"src={endpoint}/c/key.js></script></head>"
    )


def test_a_page_does_not_wait_for_a_slow_server_and_nothing_is_lost(page, recorder):
    with Distance(int(recorder.ingest.rpartition(":")[2]), SLOW) as distance:
        body = "<body><script>early(); </script><p>here</p>"
        address = recorder.serve("page", asynchronous(f"http://127.0.0.1:{distance.port}") + body)
        page.goto(address, wait_until="domcontentloaded")
        assert page.evaluate("performance.now()") < SLOW * 1000, (
            "it was there before the script could be"
        )
        assert page.text_content("p") == "here"
        page.wait_for_function("catchwater.sdk")
        page.evaluate("for (i = 0; i < 3; i++) setTimeout(function () { late() })")
        recorder.wait_for_reports(2)
    assert {report["message"] for report in recorder.reports} == {
        "early is not defined",
        "late is not defined",
    }


def test_errors_while_a_request_is_on_its_slow_way_follow_it_or_leave_with_the_page(
    visit, recorder, page
):
    with Distance(int(recorder.ingest.rpartition(":")[2]), SLOW) as distance:
        script = (BUILT / "snippet.min.js").read_text()
        slow = script.replace(
            '"__CATCHWATER_ENDPOINT__"', f"'http://127.0.0.1:{distance.port}/e/{KEY}'"
        )
        page.goto(recorder.serve("page", f"<!doctype html><script>{slow}</script>{THROWING}"))
        wait_until(lambda: distance.started, "the first is on its way")
        page.evaluate("setTimeout(function () { second() })")
        page.evaluate("new Promise(function (done) { setTimeout(done, 300) })")
        assert recorder.requests == []
        page.goto("about:blank")
        wait_for_messages(recorder, "first is not defined", "second is not defined")
    assert len(recorder.requests) == 2, "what was on its way already did not go once more"


@pytest.mark.parametrize("status", [429, 503])
def test_a_server_that_asks_for_a_pause_is_not_asked_at_the_end_of_the_page_either(
    visit, recorder, page, status
):
    recorder.status, recorder.headers = status, {"Retry-After": "60"}
    visit(THROWING)
    recorder.wait(lambda recorder: len(recorder.requests) == 1, "the first attempt")
    page.evaluate("new Promise(function (done) { setTimeout(done, 200) })")
    recorder.status = 202
    page.goto(recorder.serve("else", "<!doctype html>"))
    page.evaluate("new Promise(function (done) { setTimeout(done, 300) })")
    assert len(recorder.requests) == 1
    visit("<p>the next page asks again</p>")
    wait_for_messages(recorder, "first is not defined")


def test_without_a_network_errors_wait_and_the_page_is_told_of_nothing(
    visit, recorder, page, own_errors
):
    visit("<p>here</p>")
    page.context.set_offline(True)
    page.evaluate("setTimeout(function () { first() }); setTimeout(function () { second() }, 300)")
    page.evaluate("new Promise(function (done) { setTimeout(done, 1000) })")
    page.context.set_offline(False)
    wait_for_messages(recorder, "first is not defined", "second is not defined")
    assert own_errors == ["first is not defined", "second is not defined"]


def test_a_server_that_is_away_makes_the_browser_complain_ever_more_rarely(visit, recorder, page):
    """A browser itself writes a line for each request that fails; a script can only ask less
    often.
    """
    said = []
    page.on("console", lambda message: said.append(message.text))
    page.clock.install()
    visit("<p>here</p>")
    recorder.go_down()
    page.evaluate("void dispatchEvent(new ErrorEvent('error', {message: 'first'}))")
    for _ in range(600):
        page.clock.run_for(1000)
    assert 5 < len([text for text in said if "ERR_CONNECTION_REFUSED" in text]) < 60
