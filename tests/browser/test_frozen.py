"""A tab that is hidden, frozen, shown again or discarded while it has something to tell."""

from __future__ import annotations

import pytest

from tests.browser.tabs import Tabs
from tests.chromium import program
from tests.waiting import wait_until

pytestmark = pytest.mark.browser

PAGE = """<!doctype html><head><script src='{ingest}/c/key.js'></script></head><body><script>
var events = [], ticks = 0;
["freeze", "resume", "visibilitychange"].forEach(function (type) {{
  document.addEventListener(type, function () {{ events.push(type + " " + document.visibilityState) }}) }});
setInterval(function () {{ ticks++ }}, 10);
function again() {{ nowhere() }}
function other() {{ elsewhere() }}
setTimeout(again)
</script>"""  # noqa: E501 - one piece of text, as it is sent or run


@pytest.fixture
def tabs(tmp_path):
    with Tabs(program(), tmp_path) as tabs:
        yield tabs


@pytest.fixture
def tab(tabs, recorder):
    """A page that has told of its first error."""
    one = tabs.open(recorder.serve("page", PAGE.format(ingest=recorder.ingest)))
    recorder.wait_for_reports(1)
    return one


def hide(tabs, tab) -> None:
    tabs.open("about:blank")
    wait_until(lambda: tab.evaluate("document.visibilityState") == "hidden", "the tab is hidden")


def numbers(recorder) -> list[int]:
    return [report["n"] for report in recorder.reports]


def test_what_a_hidden_tab_has_not_told_yet_is_told_at_once(tabs, tab, recorder):
    tab.evaluate("for (i = 0; i < 5; i++) setTimeout(again)")
    wait_until(lambda: tab.evaluate("ticks") > 5, "they were thrown")
    hide(tabs, tab)
    tab.freeze()
    recorder.wait(lambda recorder: sum(numbers(recorder)) == 6, "all six")
    assert tab.evaluate("events.join()") == "visibilitychange hidden,freeze hidden"


def test_what_is_thrown_right_before_a_tab_is_frozen_arrives_though_the_tab_is_discarded(
    tabs, tab, recorder
):
    hide(tabs, tab)
    tab.evaluate("setTimeout(again); setTimeout(other)")
    before = tab.evaluate("ticks")
    wait_until(lambda: tab.evaluate("ticks") > before, "they were thrown")
    tab.freeze()
    wait_until(lambda: "freeze" in tab.evaluate("events.join()"), "the page was told")
    tab.discard()
    recorder.wait(lambda recorder: sum(numbers(recorder)) == 3, "all three")


def test_a_tab_that_is_frozen_says_nothing_and_goes_on_when_it_is_shown_again(tabs, tab, recorder):
    hide(tabs, tab)
    tab.freeze()
    ticks = tab.evaluate("ticks")
    tab.evaluate("setTimeout(again)")
    assert tab.evaluate("ticks") == ticks, "no timer runs"
    assert sum(numbers(recorder)) == 1
    tab.show()
    recorder.wait(lambda recorder: sum(numbers(recorder)) == 2, "the second")
