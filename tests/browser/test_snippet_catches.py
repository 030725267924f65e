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
