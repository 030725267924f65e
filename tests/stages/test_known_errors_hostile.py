"""Whatever a client says, a known error is counted as it would be if nothing were remembered."""

from __future__ import annotations

import random
from copy import deepcopy
from dataclasses import replace
from typing import Any

import pytest

from catchwater.answers import Emit
from catchwater.config.code import Code
from catchwater.config.filters import Filters
from catchwater.config.grouping_rules import Match, Rule
from stages.fingerprint import answer
from stages.grouping import sentry, snippet
from stages.project_settings import DEFAULT
from tests.stages.test_known_errors import EVENTS, elsewhere, event, resources

VARYING = {"snippet": snippet.VARYING, "sentry": sentry.VARYING}
SENTRY = [one["body"] for one in EVENTS if one["kind"] == "sentry" and "exception" in one["body"]]


def as_snippet(body: dict[str, Any]) -> dict[str, Any]:
    """What the snippet would have sent of the same error, in Chrome."""
    thrown = body["exception"]["values"][-1]
    frames = thrown.get("stacktrace", {}).get("frames", [])
    places = [
        f"    at {one.get('function', 'f')} ({one['filename']}:{one['lineno']}:{one['colno']})"
        for one in reversed(frames)
        if {"filename", "lineno", "colno"} <= one.keys()
    ]
    told = {"type": thrown.get("type"), "message": thrown.get("value")}
    return {**told, "stack": "\n".join([f"{told['type']}: {told['message']}", *places])}


RECORDED = {"sentry": SENTRY, "snippet": [as_snippet(one) for one in SENTRY]}
ELSE = (
    *("fingerprint", "level", "release", "environment", "dist", "mechanism", "source", "cause"),
    *("debug_ids", "transaction", "logentry", "message", "type", "stack", "exception", "unknown"),
)
HOSTILE: list[Any] = [
    *(None, True, 0, -0.0, 1.0, 1e308, 12345678901234567890, "", "x", "a\tb", "\0", "é" * 300),
    *("__proto__", "(other)", "x" * 5000, [], {}, [1], ["a", "b"], {"__proto__": {"a": 1}}),
    *("ann@shop.example", "4111 1111 1111 1111", "https://u:p@shop.example/a?token=abc"),
    *("http://localhost/x", "chrome-extension://abc/x.js", "Script error."),
    *(
        "warning",
        "resource",
        [{"type": "Error", "message": "lost"}],
        "RangeError",
        "pay@https://shop.example/app.js:1:2",
    ),
    [["k", "v"], ["k\tx", "v\ty"]],
    {"url": "http://localhost:3/", "headers": {"User-Agent": "Googlebot/2.1"}},
    {"url": "https://shop.example/", "headers": [["USER-agent", "Googlebot/2.1"]]},
]
SETTINGS = [
    DEFAULT,
    replace(DEFAULT, filters=Filters(localhost=True, pages=["*/basket*"], messages=["*lost*"])),
    replace(DEFAULT, filters=Filters(allowed_scripts=["https://shop.example/*"])),
    replace(DEFAULT, code=Code(libraries=["*app*"])),
    replace(
        DEFAULT,
        rules=[
            Rule(match=Match(page=["*basket*"]), name=["{{ default }}", "{page}"], title="{page}"),
            Rule(match=Match(environment=["x"]), name=["at x"]),
        ],
    ),
]


@pytest.mark.parametrize("seed", range(6))
def test_a_known_error_is_counted_as_one_that_is_not(seed: int):
    chance, short = random.Random(seed), 0
    for _ in range(300):
        kind, settings, using = chance.choice(list(VARYING)), chance.choice(SETTINGS), resources()
        report = changed(chance, chance.choice(RECORDED[kind]), ELSE, 1)
        answer(event(report, kind), settings, using)
        for body in (report, elsewhere(kind, report), elsewhere(kind, report)):
            one = event(changed(chance, changed(chance, body, VARYING[kind], 2), ELSE, 1), kind)
            found, wanted = answer(one, settings, using), answer(one, settings)
            assert counted(found) == counted(wanted), one.body
            short += isinstance(found, Emit) and not found.event.body
    assert short > 200, "of 900 many are known"


def changed(
    chance: random.Random, report: dict[str, Any], names: tuple[str, ...], most: int
) -> dict[str, Any]:
    """A copy with something hostile in up to so many of these fields."""
    few = chance.sample(names, chance.randint(0, most))
    return {**deepcopy(report), **{name: chance.choice(HOSTILE) for name in few}}


def counted(found: Any) -> Any:
    return found.event.facts if isinstance(found, Emit) else found
