"""The snippet in Firefox and in WebKit: what it promises in Chromium it keeps there."""

from __future__ import annotations

import re

import pytest

from tests.browser.engines import Window, command
from tests.browser.toolchain import BUILT
from tests.missing import missing

pytestmark = [pytest.mark.browser, pytest.mark.timeout(180)]

PATIENCE = 60  # seconds: a browser's first start
FIRST = """<!doctype html><head>{tag}</head><body><script>
function again() {{ nowhere() }}
setTimeout(function checkout() {{ null.amount }});
Promise.reject(new RangeError("in a promise"));
try {{ throw new Error("outer", {{cause: new Error("inner")}}) }} catch (e) {{ catchwater.report(e, {{order: 7}}) }}
for (i = 0; i < 100; i++) setTimeout(again);
addEventListener("pagehide", function () {{ catchwater.report("last words") }});
setTimeout(function () {{ location.href = "second" }}, 1500);
</script>"""  # noqa: E501 - one piece of text, as it is sent or run


@pytest.fixture(params=["firefox", "webkit"])
def window(request, tmp_path):
    """Opens an address in the engine."""
    started = command(request.param, tmp_path)
    if started is None:
        missing(f"{request.param} is not installed: see ops/setup/system_packages.txt")
    opened = []

    def show(address: str) -> None:
        opened.append(Window(started, address, tmp_path))

    show.agent = {"firefox": r"Firefox/\d", "webkit": r"AppleWebKit/.*Version/\d"}[request.param]
    yield show
    for one in opened:
        one.close()


@pytest.fixture
def pages(recorder):
    """Two pages with the snippet, which comes from their own origin so that it is there while
    ingest is away.
    """
    endpoint = f'"{recorder.ingest}/e/0123456789abcdef0123456789abcdef"'
    script = (BUILT / "snippet.min.js").read_text().replace('"__CATCHWATER_ENDPOINT__"', endpoint)
    extras = (BUILT / "extras.min.js").read_text()
    tag = "".join(
        f"<script src={recorder.serve(name, text, 'text/javascript')}></script>"
        for name, text in (("snippet.js", script), ("extras.js", extras))
    )
    recorder.serve(
        "second", f"<!doctype html><head>{tag}</head><title>second</title><img src=shown>"
    )
    return recorder.serve("first", FIRST.format(tag=tag))


def by_message(recorder) -> dict[str, dict]:
    return {
        re.sub(r"nowhere.*|.*nowhere", "nowhere", report["message"]): report
        for report in recorder.reports
    }


def occurrences(recorder, text: str) -> int:
    return sum(report["n"] for report in recorder.reports if text in report["message"])


def test_every_kind_of_error_arrives_and_is_counted_to_the_digit(window, pages, recorder):
    window(pages)
    recorder.wait(
        lambda seen: occurrences(seen, "last words") and occurrences(seen, "nowhere") == 100,
        "all",
        PATIENCE,
    )
    told = by_message(recorder)
    assert {told[name]["mechanism"] for name in ("outer", "last words")} == {"manual"}
    assert (told["in a promise"]["type"], told["in a promise"]["mechanism"]) == (
        "RangeError",
        "unhandledrejection",
    )
    assert told["nowhere"]["mechanism"] == "onerror"
    assert [cause["message"] for cause in told["outer"]["cause"]] == ["inner"]
    assert (told["outer"]["extra"], "checkout" in str(recorder.reports)) == ({"order": 7}, True)
    assert all(re.fullmatch("[0-9a-f]{32}", report["id"]) for report in recorder.reports)
    assert all(
        re.fullmatch(r"\d+x\d+", report["context"]["viewport"]) for report in recorder.reports
    )
    assert {request.method for request in recorder.requests} == {"POST"}, "no preflight"
    assert not [request for request in recorder.requests if "Cookie" in request.headers]
    assert all(
        re.search(window.agent, request.headers["User-Agent"]) for request in recorder.requests
    )


def test_what_a_page_could_not_send_is_sent_by_the_next_one(window, pages, recorder):
    recorder.go_down()
    window(pages)
    recorder.wait_until_served(
        "shown", PATIENCE
    )  # by then the first page is gone, and its beacons with it
    recorder.come_up()
    recorder.wait(
        lambda seen: len(by_message(seen)) == 5 and occurrences(seen, "nowhere") == 100,
        "all",
        PATIENCE,
    )
    assert occurrences(recorder, "last words") == 1
