"""Ids accepted by ingest = ids made in the page.

Occurrences accepted = errors thrown - those it says it left out.

A browser walks through pages that throw in every way and are left at any moment; a real ingest
server is up, stopped, killed and started again under it. The pages are the same in each run; how
far each comes, and how its requests meet the weather, is not. No page is left before the script has
come: what only the inline part has heard ends with the page.
"""

from __future__ import annotations

import json
import time
from collections import Counter
from signal import SIGCONT, SIGKILL, SIGSTOP

import pytest

from catchwater.event import CLIENT_REPORT
from tests.browser.toolchain import BUILT
from tests.ingest.conftest import KEY, made
from tests.waiting import wait_until

pytestmark = [pytest.mark.browser, pytest.mark.timeout(300)]

PAGES = 60
WEATHER = {
    8: "slow",
    16: "up",
    24: "down",
    30: "up",
    38: "killed and back",
    44: "slow",
    50: "down",
    56: "up",
}
"""What becomes of ingest while that page is open.

There are never more unanswered reports than are kept.
"""

CONFIG = """catchwater = {ignore: ["unwanted"], cap: 4, before: function (report) {
  localStorage["id " + report.id] = location.pathname + " " + report.message; return report } };
function thrown(what) { localStorage["thrown " + what] = -~localStorage["thrown " + what] }
"""
WAYS = {
    "inline": "thrown('inline'); throw Error('inline')",
    "timer": "setTimeout(function () { thrown('timer'); nothing.timer() })",
    "handler": (
        "document.body.onclick = function () { thrown('handler'); null.handler }; "
        "document.body.click()"
    ),
    "listener": "addEventListener('x', function () { thrown('listener'); throw "
    "TypeError('listener') });"
    " dispatchEvent(new Event('x'))",
    "promise": "thrown('promise'); Promise.reject(new RangeError('promise'))",
    "text": "thrown('text'); Promise.reject('text')",
    "async": "(async function () { await 0; thrown('async'); throw Error('async') })()",
    "chain": "thrown('chain'); throw Error('chain', {cause: Error('cause')})",
    "manual": "thrown('manual'); catchwater.report(Error('manual'), {at: 1})",
    "leaving": (
        "addEventListener('pagehide', function () { thrown('leaving'); "
        "catchwater.report('leaving') })"
    ),
    "storm": (
        "function again() { thrown('storm'); throw Error('storm') } for (i = 0; i < 40; i++) "
        "setTimeout(again, i)"
    ),
    "unwanted": (
        "for (i = 0; i < 3; i++) setTimeout(function () { thrown('unwanted'); throw "
        "Error('unwanted') })"
    ),
    "various": "function fail(i) { thrown('various'); throw Error('various ' + i) }"
    " for (i = 0; i < 9; i++) setTimeout(fail, 5, i)",
}
PAGE = """<!doctype html><head><script>{config}</script>{snippet}</head><body><script{type}>{way}</script><script>
function leave() {{ if (catchwater.sdk) location.href = "p{next}"; else setTimeout(leave, 5) }}
{leaving}</script>"""  # noqa: E501 - one piece of text, as it is sent or run


def snippet(recorder, ingest, number: int) -> str:
    """As a blocking script, or as the inline part with an asynchronous one.

    From the page's own host, so that it comes while ingest is away.
    """
    text = (BUILT / "snippet.min.js").read_text()
    script = text.replace('"__CATCHWATER_ENDPOINT__"', f'"http://127.0.0.1:{ingest.port}/e/{KEY}"')
    address = recorder.serve("snippet.js", script, "text/javascript")
    if number % 2:
        return f"<script src={address}></script>"
    return (
        f"<script>{(BUILT / 'inline.min.js').read_text()}</script><script async "
        f"src={address}></script>"
    )


def serve_pages(recorder, ingest) -> None:
    for number in range(PAGES):
        name = list(WAYS)[number % len(WAYS)]
        parts = {"config": CONFIG, "snippet": snippet(recorder, ingest, number), "way": WAYS[name]}
        kind = " type=module" if name == "chain" else ""
        stay = 40 * (number % 4) + 200 * (name in ("storm", "chain"))
        leaving = "" if number in WEATHER else f"setTimeout(leave, {stay})"
        recorder.serve(
            f"p{number}", PAGE.format(**parts, type=kind, next=number + 1, leaving=leaving)
        )
    recorder.serve(
        f"p{PAGES}",
        f"<!doctype html><head>{snippet(recorder, ingest, 1)}</head><title>over</title>",
    )


def change(ingest, weather: str) -> None:
    running = ingest.process.poll() is None
    if weather == "slow":
        ingest.process.send_signal(SIGSTOP)
    elif weather in ("down", "killed and back"):
        ingest.stop(SIGKILL)
    elif running:
        ingest.process.send_signal(SIGCONT)
    if ingest.process.poll() is not None and weather != "down":
        ingest.start()


def walk(page, recorder, ingest) -> None:
    page.goto(f"{recorder.origin}/p0", wait_until="commit")
    for number, weather in WEATHER.items():
        page.wait_for_url(f"**/p{number}", timeout=60_000)
        change(ingest, weather)
        page.evaluate("void setTimeout(leave)")
    recorder.wait_until_served(f"p{PAGES}", 60)
    wait_until(lambda: page.title() == "over", "all pages were left")


def in_storage(page) -> tuple[dict[str, str], Counter[str]]:
    """The ids that were made, with page and message; and how often what was thrown."""
    stored = json.loads(page.evaluate("JSON.stringify(localStorage)"))
    parts: dict[str, dict[str, str]] = {"id": {}, "thrown": {}}
    for name, value in stored.items():
        kind, _, rest = name.partition(" ")
        parts.get(kind, {})[rest] = value
    return parts["id"], Counter({what: int(n) for what, n in parts["thrown"].items()})


def wait_for(ingest, made: dict[str, str]) -> None:
    """Return when ingest has accepted every id."""
    deadline = time.monotonic() + 60
    while missing := {id_: what for id_, what in made.items() if id_ not in accepted(ingest)[0]}:
        assert time.monotonic() < deadline, f"never arrived: {missing}"


def accepted(ingest) -> tuple[set[str], Counter[str], Counter[str]]:
    """Ids of errors, their occurrences by what was thrown, and what the pages say that they
    left out; each id once.
    """
    events = {event.id: event for event in ingest.events()}.values()
    occurrences: Counter[str] = Counter()
    left_out: Counter[str] = Counter()
    for event in events:
        if event.kind == CLIENT_REPORT:
            left_out.update(event.facts)
        else:
            occurrences[way_of(event.json["message"])] += event.json["n"]
    return {event.id for event in events if event.kind != CLIENT_REPORT}, occurrences, left_out


def way_of(message: str) -> str:
    known = {
        "nothing is not defined": "timer",
        "Cannot read properties of null (reading 'handler')": "handler",
    }
    return known.get(message, message.split(maxsplit=1)[0])


@pytest.fixture
def ingest(redis_server, redis_url, tmp_path):
    with made(redis_server, tmp_path) as one:
        yield one
        one.process.send_signal(SIGCONT)


def test_what_ingest_has_is_what_was_thrown_less_what_the_pages_left_out(
    page, recorder, ingest, figures
):
    serve_pages(recorder, ingest)
    walk(page, recorder, ingest)
    ids, thrown = in_storage(page)
    wait_for(ingest, ids)
    arrived, occurrences, left_out = accepted(ingest)
    assert arrived == set(ids)
    assert set(thrown) == set(WAYS), "every way was taken"
    assert left_out == {
        "ignored": thrown["unwanted"],
        "cap": thrown["various"] - occurrences["various"],
    }
    assert occurrences + Counter(unwanted=left_out["ignored"], various=left_out["cap"]) == thrown
    copies = len(ingest.events()) - len(ids)
    told = f"{thrown.total()} errors thrown, {occurrences.total()} accepted in {len(ids)} reports"
    figures(
        f"{PAGES} pages, ingest slow, down, killed: {told} ({copies} more for copies and counts), "
        f"{dict(left_out)} left out"
    )
