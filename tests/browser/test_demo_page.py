"""Each button of the demo page makes the error it announces: one of each kind."""

from __future__ import annotations

import mimetypes

import pytest

from tests.browser.toolchain import SOURCE

pytestmark = pytest.mark.browser
DEMO = SOURCE.parents[1] / "catchwater" / "local" / "demo" / "pages"

# button: (type, part of the message, mechanism)
EXPECTED = {
    "nested": ("TypeError", "reading 'amount'", "onerror"),
    "chained": ("PaymentError", "the bank's answer cannot be read", "onerror"),
    "rejection": ("RangeError", "only 2 left of article 4711", "unhandledrejection"),
    "text": (None, "no answer from the warehouse", "unhandledrejection"),
    "hundred": ("ReferenceError", "canvasOfTheCart is not defined", "onerror"),
    "recursion": ("RangeError", "Maximum call stack size exceeded", "onerror"),
    "resource": ("ResourceError", "pictures/no-such-lamp.png", "resource"),
    "syntax": ("SyntaxError", "Unexpected token '='", "onerror"),
    "stranger": (None, "Script error.", "onerror"),
    "network": ("TypeError", "Failed to fetch", "unhandledrejection"),
    "report": ("Error", "coupon is not valid", "manual"),
}


@pytest.fixture
def demo(page, recorder):
    values = {
        "__SCRIPT_SRC__": f"{recorder.ingest}/c/key.js",
        "__EXTRAS_SRC__": f"{recorder.ingest}/c/key.extras.js",
        "__DSN__": f"{recorder.ingest.replace('://', '://0123456789abcdef0123456789abcdef@')}/1",
        "__DASHBOARD__": f"{recorder.origin}/dashboard",
    }
    for file in DEMO.iterdir():
        text = file.read_text()
        for token, value in values.items():
            text = text.replace(token, value)
        recorder.serve(file.name, text, mimetypes.guess_type(file.name)[0])
    page.goto(f"{recorder.origin}/index.html")
    return page


def told(recorder, message):
    return [report for report in recorder.reports if message in report["message"]]


@pytest.mark.parametrize("button", EXPECTED)
def test_every_button_makes_the_error_it_announces(demo, recorder, button):
    kind, message, mechanism = EXPECTED[button]
    demo.click(f"#{button}")
    recorder.wait(lambda recorder: told(recorder, message), f"a report of {message}")
    report = told(recorder, message)[0]
    assert (report.get("type"), report["mechanism"], report["release"]) == (
        kind,
        mechanism,
        "demo@1.0.0",
    )


def test_the_page_counts_what_it_made_and_what_left_it(demo, recorder, screenshots):
    for button in EXPECTED:
        demo.click(f"#{button}")
    made = len(EXPECTED) - 1 + 100
    recorder.wait(lambda r: sum(report["n"] for report in r.reports) == made, f"{made} occurrences")
    demo.wait_for_function("Number(document.all.sent.textContent) >= 2")
    assert demo.text_content("#made") == str(made)
    demo.screenshot(path=screenshots / "demo.png", full_page=True)
