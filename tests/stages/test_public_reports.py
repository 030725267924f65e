"""Classes of faults that public bug reports of other trackers tell of, each with an example."""

from __future__ import annotations

import time

import orjson
import pytest

from catchwater.answers import Drop
from catchwater.event import Event
from stages.fingerprint import answer as answer_of
from stages.grouping.sentry import read
from stages.project_settings import DEFAULT
from tests.stages.grouping_cases import load, named

CASES = load("classes/public_reports.json")


def kind_of(document):
    if "event_id" in document:
        return "sentry"
    return "report" if "body" in document else "snippet"


@pytest.mark.parametrize("case", CASES, ids=[f"{case['id']}: {case['class']}" for case in CASES])
def test_each_claim_of_the_case_is_true(case):
    for name, wanted in case.get("dropped", {}).items():
        one = case["docs"][name]
        event = Event("0" * 32, "1", 1_763_900_000_000, kind_of(one), orjson.dumps(one))
        assert isinstance(answer_of(event, DEFAULT), Drop) == wanted, name
    if case.get("noise"):
        return
    shown = {name: named(kind_of(one), one) for name, one in case["docs"].items()}
    for one, other in case.get("same", []):
        assert shown[one]["fingerprint"] == shown[other]["fingerprint"], (one, other)
    for one, other in case.get("differ", []):
        assert shown[one]["fingerprint"] != shown[other]["fingerprint"], (one, other)
    assert_shown(case, shown)


def assert_shown(case, shown):
    keys = ("function", "file", "line", "column")
    for name, wanted in case.get("frames", {}).items():
        found = [[frame[key] for key in keys] for frame in shown[name]["frames"]]
        assert found[: len(wanted)] == wanted, name
    for name, wanted in case.get("app", {}).items():
        assert [frame["in_app"] for frame in shown[name]["frames"]] == wanted, name
    for name, wanted in case.get("message", {}).items():
        assert shown[name]["message"] == wanted
    for name, unwanted in case.get("not_message", {}).items():
        assert shown[name]["message"] != unwanted


@pytest.fixture
def in_new_york(monkeypatch):
    """A server whose clock shows another time than UTC."""
    monkeypatch.setenv("TZ", "America/New_York")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


@pytest.mark.usefixtures("in_new_york")
@pytest.mark.parametrize("zone", ["", "Z", "+00:00"])
@pytest.mark.parametrize("text", ["2026-11-25T10:00:00", "2026-11-25 10:00:00.000"])
def test_a_time_without_a_zone_is_in_utc(text, zone):
    told = {"timestamp": text + zone, "breadcrumbs": [{"timestamp": text + zone}]}
    details = read(told)
    assert (details.ts, details.breadcrumbs[0]["ts"]) == (1_795_600_800_000, 1_795_600_800_000)
