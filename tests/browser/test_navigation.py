"""An error right before the page goes, a tenth of a second from its server: how many arrive,
for each way to send.

CATCHWATER_NAVIGATIONS sets how many pages are left.
"""

from __future__ import annotations

import os

import pytest

from tests.browser.distance import Distance
from tests.browser.recorder import KEY
from tests.browser.toolchain import BUILT
from tests.waiting import wait_until

pytestmark = [pytest.mark.browser, pytest.mark.timeout(900)]

AWAY = 0.1  # seconds to the server
NAVIGATIONS = int(os.environ.get("CATCHWATER_NAVIGATIONS", "150"))
WAYS = {
    "XMLHttpRequest": "var x = new XMLHttpRequest(); x.open('POST', to); x.send(body)",
    "fetch": "fetch(to, {method: 'POST', body: body})",
    "fetch keepalive": "fetch(to, {method: 'POST', body: body, keepalive: true})",
    "sendBeacon": "navigator.sendBeacon(to, body)",
    "snippet": "setTimeout(function () { throw Error('number ' + at) })",
}
PAGE = """<!doctype html><head>{head}</head><body><script>
var at = +location.hash.slice(1), to = {to!r};
var body = JSON.stringify([{{id: ('0'.repeat(32) + at).slice(-32), message: 'number ' + at, n: 1}}]);
{way};
setTimeout(function () {{
  if (at + 1 < {count}) {{ location.href = 'go?' + at + '#' + (at + 1) }}
  else location.href = 'over' }})
</script>"""  # noqa: E501 - one piece of text, as it is sent or run


def numbers(recorder) -> set[str]:
    return {report["message"] for report in recorder.reports}


def leave_pages(way, page, recorder, address) -> None:
    script = (
        (BUILT / "snippet.min.js").read_text().replace('"__CATCHWATER_ENDPOINT__"', f"{address!r}")
    )
    tag = f"<script src='{recorder.serve('snippet.js', script, 'text/javascript')}'></script>" * (
        way == "snippet"
    )
    recorder.serve("go", PAGE.format(head=tag, to=address, way=WAYS[way], count=NAVIGATIONS))
    recorder.serve("over", f"<!doctype html><head>{tag}</head><title>over</title>")
    page.goto(f"{recorder.origin}/go?start#0", wait_until="commit")
    wait_until(lambda: page.title() == "over", "all pages were left", timeout=600)


@pytest.mark.parametrize("way", WAYS)
def test_what_arrives_of_errors_right_before_a_navigation(way, page, recorder, figures):
    with Distance(int(recorder.ingest.rpartition(":")[2]), AWAY) as distance:
        leave_pages(way, page, recorder, f"http://127.0.0.1:{distance.port}/e/{KEY}")
        page.evaluate("new Promise(function (done) { setTimeout(done, 2000) })")
    arrived = len(numbers(recorder))
    figures(f"left the page at once, {NAVIGATIONS} times, {way}: {NAVIGATIONS - arrived} lost")
    if way == "snippet":
        assert arrived == NAVIGATIONS
    elif way == "fetch":
        assert arrived < NAVIGATIONS, (
            "this way from page to server would not show that anything is lost"
        )
