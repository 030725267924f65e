"""An error that was met a moment ago is counted as it would be if nothing were remembered."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from itertools import count
from typing import Any

import orjson
import pytest

from catchwater.answers import Drop, Emit
from catchwater.config.filters import Filters
from catchwater.config.grouping_rules import Match, Rule
from catchwater.event import Event
from catchwater.stage import SamplesWanted
from stages.fingerprint import Resources, answer
from stages.known_errors import SECONDS, KnownErrors
from stages.project_settings import DEFAULT, ProjectSettings
from stages.sample_quota import SampleQuota
from tests.stages.grouping_cases import CHROME_FACTS, DATA

EVENTS = [orjson.loads(line) for line in (DATA / "events.jsonl").read_bytes().splitlines()]
REPORT = {
    "type": "TypeError",
    "message": "cart lost",
    "stack": "TypeError: cart lost\n    at pay (https://shop.example/app.js:3:5)",
    "page": "https://shop.example/orders/48213",
}
SPAN_MS = 600_000


_NUMBERS = count()


def event(body: Any, kind: str = "snippet", received: int = 0) -> Event:
    id_ = f"{next(_NUMBERS):032x}"
    return Event(id_, "1", received, kind, orjson.dumps(body), CHROME_FACTS)


def resources(quota: int = 1, clock: Callable[[], float] = lambda: 0.0) -> Resources:
    wanted = SamplesWanted(quota, quota, lambda _: 0)
    return Resources(quota=SampleQuota(wanted), known=KnownErrors(clock))


def emitted(one: Event, using: Resources, settings: ProjectSettings = DEFAULT) -> Event:
    found = answer(one, settings, using)
    assert isinstance(found, Emit)
    return found.event


def elsewhere(kind: str, body: dict[str, Any]) -> dict[str, Any]:
    """The same error on another page, of another visitor, later."""
    around = {
        "user": {"id": "9", "email": "ann@shop.example"},
        "tags": {"plan": "gold", "card": "4111 1111 1111 1111", "token": "abc"},
        "breadcrumbs": [{"message": "click"}],
        "extra": {"cart": 3},
    }
    if kind == "sentry":
        headers = {"User-Agent": "Mozilla/5.0 Firefox/153.0"}
        request = {"url": "https://shop.example/basket/77?mail=ann@shop.example"}
        return {**body, **around, "timestamp": 5, "request": {**request, "headers": headers}}
    page = "https://shop.example/basket/77?mail=ann@shop.example"
    return {**body, **around, "ts": 5, "page": page, "n": 3}


@pytest.mark.parametrize("number", range(len(EVENTS)))
def test_recorded_events_are_counted_the_same_way(number: int):
    kind, body = EVENTS[number]["kind"], EVENTS[number]["body"]
    using = resources()
    first, again = event(body, kind), event(elsewhere(kind, body), kind)
    wanted = [answer(one, DEFAULT) for one in (first, again)]
    found = [answer(one, DEFAULT, using) for one in (first, again)]
    assert [_facts(one) for one in found] == [_facts(one) for one in wanted]
    assert found[0] == wanted[0], "the first one is whole"


def _facts(found: Any) -> Any:
    return found.event.facts if isinstance(found, Emit) else found


def test_most_recorded_errors_are_known_when_they_come_again():
    """Else the test above would compare nothing."""
    kept = [one for one in EVENTS if one["kind"] in ("snippet", "sentry")]
    known = 0
    for one in kept:
        using = resources()
        for body in (one["body"], elsewhere(one["kind"], one["body"])):
            found = answer(event(body, one["kind"]), DEFAULT, using)
        known += isinstance(found, Emit) and not found.event.body
    assert known > len(kept) / 2


def test_events_beyond_the_quota_have_no_body_for_ten_minutes():
    using = resources(2)
    times = [0, 1, 2, SPAN_MS - 1, SPAN_MS, SPAN_MS + 1, SPAN_MS + 2]
    whole = [bool(emitted(event(REPORT, received=at), using).body) for at in times]
    assert whole == [True, True, False, False, True, True, False]


def test_each_issue_has_a_quota_of_its_own():
    using = resources()
    kinds = ("TypeError", "RangeError", "TypeError", "RangeError")
    whole = [bool(emitted(event(REPORT | {"type": kind}), using).body) for kind in kinds]
    assert whole == [True, True, False, False]


def test_without_a_quota_every_event_is_whole():
    assert all(emitted(event(REPORT), Resources()).body for _ in range(3))


@pytest.mark.parametrize(
    "change",
    [
        {"type": "RangeError"},
        {"stack": "TypeError: x\n    at buy (https://shop.example/app.js:3:5)"},
        {"cause": [{"type": "Error", "message": "lost"}]},
        {"fingerprint": ["checkout"]},
        {"mechanism": "resource"},
    ],
    ids=lambda change: next(iter(change)),
)
def test_whatever_may_tell_it_apart_keeps_it_apart(change: dict[str, Any]):
    using = resources()
    issues = {emitted(event(one), using).facts["issue"] for one in (REPORT, REPORT | change)}
    assert len(issues) == 2


def test_a_rule_that_asks_for_the_page_is_asked_for_each_page():
    rule = Rule(match=Match(page=["*/checkout*"]), name=["checkout"])
    settings, using = replace(DEFAULT, rules=[rule]), resources()
    pages = ("https://shop.example/cart", "https://shop.example/checkout")
    found = [emitted(event(REPORT | {"page": page}), using, settings) for page in pages * 2]
    issues = [one.facts["issue"] for one in found]
    assert issues[0] != issues[1]
    assert issues[:2] == issues[2:]


def test_an_error_that_only_its_page_tells_is_never_known():
    """Its culprit is the page."""
    using = resources()
    pages = [f"https://shop.example/{name}" for name in ("cart", "pay")]
    bare = {"type": "TypeError", "message": "x is null"}
    found = [emitted(event({**bare, "page": page}), using) for page in pages]
    assert [one.facts["about"]["culprit"] for one in found] == pages


def test_a_known_error_is_still_filtered_by_where_it_comes_from():
    settings = replace(DEFAULT, filters=Filters(localhost=True))
    using = resources()
    assert emitted(event(REPORT), using, settings).body
    local = event(REPORT | {"page": "http://localhost:3000/"})
    assert answer(local, settings, using) == Drop("filter:localhost")


def test_other_settings_and_a_few_seconds_make_it_unknown():
    now = 0.0
    using = resources(1, lambda: now)
    rule = Rule(match=Match(type=["TypeError"]), name=["types"])
    before = emitted(event(REPORT), using).facts["issue"]
    after = emitted(event(REPORT), using, replace(DEFAULT, rules=[rule])).facts["issue"]
    assert before != after
    using = resources(1, lambda: now)
    first = emitted(event(REPORT), using)
    (key,) = using.known._found
    now = SECONDS + 1
    assert using.known.get(key, DEFAULT) is None
    assert emitted(event(REPORT), using).facts == first.facts


@pytest.mark.parametrize("kind", ["snippet", "sentry"])
def test_a_report_deeper_than_can_be_written_again_is_only_never_known(kind: str):
    """orjson reads 1,024 levels and writes 254. Five such reports in a row would stop the stage."""
    deep = b'{"message":"lost","more":' + b"[" * 900 + b"]" * 900 + b"}"
    using = resources()
    for _ in range(3):
        found = emitted(replace(event({}, kind), body=deep), using)
        assert found.facts["about"]["message"] == "lost"
    assert not using.known._found


def test_what_a_stage_behind_it_does_to_the_facts_changes_no_other_event():
    """In one hop it gets the facts themselves: each event had the marks of all before it."""
    using = resources()
    for _ in range(3):
        about = emitted(event(REPORT), using).facts["about"]
        assert about["message"] == "cart lost"
        about["message"] += " (seen)"


def test_what_is_remembered_is_bounded():
    using = resources()
    for number in range(200):
        emitted(event(REPORT | {"type": f"E{number}", "more": "x" * 30_000}), using)
        assert sum(map(len, using.known._found)) <= 1_000_000
    emitted(event(REPORT | {"more": "x" * 100_000}), using)
    assert 0 < max(map(len, using.known._found)) <= 31_250
