"""Where an error may come from: each place, with the stack, or what there is of it."""

from __future__ import annotations

from itertools import product
from pathlib import Path

import pytest

pytestmark = pytest.mark.browser

PLACES = {
    "while the page is read": "function guilty() { nowhere() } guilty()",
    "timer": "setTimeout(function guilty() { nowhere() })",
    "interval": "var i = setInterval(function guilty() { clearInterval(i); nowhere() })",
    "frame": "requestAnimationFrame(function guilty() { nowhere() })",
    "microtask": "queueMicrotask(function guilty() { nowhere() })",
    "handler in an attribute": "document.body.setAttribute('onclick', 'guilty()'); function "
    "guilty() { nowhere() }"
    " document.body.click()",
    "handler as a property": (
        "document.body.onclick = function guilty() { nowhere() }; document.body.click()"
    ),
    "listener": (
        "document.body.addEventListener('click', function guilty() { nowhere() }); "
        "document.body.click()"
    ),
    "listener that stops the event": "addEventListener('error', function (e) { "
    "e.stopImmediatePropagation() }, true);"
    " setTimeout(function guilty() { nowhere() })",
    "observer": "new MutationObserver(function guilty() { nowhere() }).observe(document.body, "
    "{attributes: true});"
    " document.body.title = 'x'",
    "custom element": "customElements.define('x-y', class extends HTMLElement { "
    "connectedCallback() { this.guilty() }"
    " guilty() { nowhere() } }); document.body.append(document.createElement('x-y'))",
    "then": "Promise.resolve().then(function guilty() { nowhere() })",
    "executor": "new Promise(function guilty() { nowhere() })",
    "async function": "(async function guilty() { await 0; nowhere() })()",
    "generator": "(function* guilty() { nowhere() })().next()",
    "eval": "setTimeout(function guilty() { eval('nowhere()') })",
    "message": "onmessage = function guilty() { nowhere() }; postMessage(1, '*')",
}


GLOBAL = {
    "handler in an attribute"
}  # what a module declares is no global: the attribute would not find it


@pytest.mark.parametrize(
    ("kind", "place"),
    [
        *product([""], PLACES),
        *product(["module"], [place for place in PLACES if place not in GLOBAL]),
    ],
)
def test_an_error_is_heard_wherever_it_is_thrown(visit, recorder, kind, place):
    visit(f"<script type='{kind}'>{PLACES[place]}</script>")
    (report,) = recorder.wait_for_reports(1)
    assert (report["type"], report["message"]) == ("ReferenceError", "nowhere is not defined")
    assert "guilty" in report["stack"]
    promised = place in ("then", "executor", "async function")
    assert report["mechanism"] == ("unhandledrejection" if promised else "onerror")


def test_an_imported_module_and_one_that_cannot_be_parsed(visit, recorder):
    good = recorder.serve("good.js", "export function guilty() { nowhere() }", "text/javascript")
    bad = recorder.serve("bad.js", "export const = 1", "text/javascript")
    importing = f"<script type=module>import {{guilty}} from '{good}'; guilty()</script>"
    visit(f"{importing}<script type=module src='{bad}'></script>")
    told = {report["type"]: report for report in recorder.wait_for_reports(2)}
    assert "good.js" in told["ReferenceError"]["stack"]
    assert told["SyntaxError"]["source"] == bad


def test_an_error_in_a_worker_is_told_once(visit, recorder):
    """HTML reports it at the Worker, then at the window of the page that started it."""
    work = recorder.serve("work.js", "\n\n  (function guilty() { nowhere() })()", "text/javascript")
    page = visit(f"<script>var worker = new Worker('{work}')</script>")
    recorder.wait_for_reports(1)
    page.evaluate("dispatchEvent(new ErrorEvent('error', {message: 'afterwards'}))")
    first, second = recorder.wait_for_reports(2)
    assert first["message"] == "Uncaught ReferenceError: nowhere is not defined"
    assert (first["source"], first["line"], first["mechanism"]) == (work, 3, "onerror")
    assert first["column"] > 1
    assert second["message"] == "afterwards"


WORKER = """<script>var worker = new Worker('{}');
  worker.addEventListener("error", function (event) {{ if (window.{}) {} }})</script>"""


def worker(recorder) -> str:
    text = "onmessage = function guilty() { nowhere() }"
    return recorder.serve("work.js", text, "text/javascript")


def counts(recorder) -> dict[str, int]:
    found: dict[str, int] = {}
    for report in recorder.reports:
        found[report["mechanism"]] = found.get(report["mechanism"], 0) + report["n"]
    return found


def test_an_error_in_a_worker_that_the_page_tells_of_as_well_is_told_once(visit, recorder):
    """Those that the page does not tell of are heard all the same."""
    page = visit(WORKER.format(worker(recorder), "telling", "catchwater.report(event, {own: 1})"))
    for telling in (1, 0, 1, 1, 0):
        page.evaluate(
            "telling => { window.telling = telling; worker.postMessage(1);"
            " return new Promise(done => addEventListener('error', () => setTimeout(done))) }",
            telling,
        )
    page.goto("about:blank")
    recorder.wait(lambda _: sum(counts(recorder).values()) >= 5, "all five", 60)
    assert sum(counts(recorder).values()) == 5
    assert recorder.reports[0]["extra"] == {"own": 1}


def test_an_error_in_a_worker_that_goes_no_further_leaves_the_next_one_alone(visit, recorder):
    stopping = "{ event.preventDefault(); catchwater.report(event); telling = 0; ended() }"
    page = visit(WORKER.format(worker(recorder), "telling", stopping))
    page.evaluate(
        "new Promise(done => { window.ended = done; window.telling = 1; worker.postMessage(1) })"
    )
    page.evaluate("new Promise(done => { addEventListener('error', done); worker.postMessage(1) })")
    page.goto("about:blank")
    recorder.wait(lambda _: sum(counts(recorder).values()) >= 2, "both", 60)
    assert sum(counts(recorder).values()) == 2


@pytest.mark.parametrize(
    ("listening", "throwing"),
    [
        ("onerror = function (m, s, l, c, error) { catchwater.report(error) }", "throw Error('x')"),
        ("addEventListener('error', function (e) { catchwater.report(e) })", "throw Error('x')"),
        ("addEventListener('error', function (e) { catchwater.report(e) })", "throw 'x'"),
        (
            "onunhandledrejection = function (event) { catchwater.report(event.reason) }",
            "Promise.reject(Error('x'))",
        ),
    ],
)
def test_what_was_heard_and_is_then_reported_by_hand_is_told_once(
    visit, recorder, listening, throwing
):
    page = visit(f"<script>{listening}; setTimeout(function () {{ {throwing} }})</script>")
    page.evaluate("new Promise(function (done) { setTimeout(done, 200) })")
    page.evaluate("catchwater.report(Error('x'))")
    page.goto("about:blank")
    recorder.wait(lambda _: sum(counts(recorder).values()) >= 2, "the one, and another one", 60)
    assert sum(counts(recorder).values()) == 2


def test_the_error_event_gives_all_five_of_its_arguments(visit, recorder):
    """Message, source, line and column stand in the report even where the error itself has none
    of them.
    """
    event = "{message: 'm', filename: 'f', lineno: 2, colno: 3}"
    visit(f"<script>dispatchEvent(new ErrorEvent('error', {event}))</script>")
    (report,) = recorder.wait_for_reports(1)
    assert [report.get(name) for name in ("message", "source", "line", "column", "stack")] == [
        "m",
        "f",
        2,
        3,
        None,
    ]


def test_an_error_reported_and_thrown_before_the_script_has_come_is_told_once(page, recorder):
    stub = (Path(__file__).parents[2] / "ingest/snippet/built/inline.min.js").read_text()
    early = "var e = Error('early'); catchwater.report(e, {order: 1}); throw e"
    tag = f"<script async src='{recorder.ingest}/c/key.js'></script>"
    page.goto(
        recorder.serve(
            "page", f"<!doctype html><script>{stub}</script><script>{early}</script>{tag}"
        )
    )
    page.wait_for_function("catchwater.sdk")
    page.goto("about:blank")
    (report,) = recorder.wait_for_reports(1)
    assert (report["message"], report["extra"], report["n"]) == ("early", {"order": 1}, 1)


def test_more_than_the_inline_part_keeps_is_counted(page, recorder):
    stub = (Path(__file__).parents[2] / "ingest/snippet/built/inline.min.js").read_text()
    early = (
        "for (var i = 0; i < 300; i++) dispatchEvent(new ErrorEvent('error', {message: 'early'}))"
    )
    tag = f"<script async src='{recorder.ingest}/c/key.js'></script>"
    page.goto(
        recorder.serve(
            "page", f"<!doctype html><script>{stub}</script><script>{early}</script>{tag}"
        )
    )
    page.wait_for_function("catchwater.sdk")
    page.goto("about:blank")
    recorder.wait(
        lambda recorder: sum(report["n"] for report in recorder.reports) == 99, "99 are told of"
    )
    recorder.wait(lambda recorder: recorder.dropped == {"cap": 201}, "the others are counted")
