"""What a function of the engine's own refuses, in anonymous code: three engines, one issue. V8 and
JavaScriptCore show that function on top of the stack.
"""

from __future__ import annotations

import pytest

from tests.stages.grouping_cases import named

V8 = "    at https://shop.example/app.js:7:12"
JSC = "@https://shop.example/app.js:7:19"


def in_v8(message: str, *native: str) -> dict[str, str]:
    shown = [f"    at {one} (<anonymous>)" for one in native]
    return {"message": message, "stack": "\n".join([f"TypeError: {message}", *shown, V8])}


def in_gecko(message: str) -> dict[str, str]:
    return {"message": message, "stack": "@https://shop.example/app.js:7:12"}


def in_jsc(message: str, *native: str) -> dict[str, str]:
    return {"message": message, "stack": "\n".join([*(f"{n}@[native code]" for n in native), JSC])}


def fingerprint(report: dict[str, str]) -> str:
    return named("snippet", {"type": "TypeError", **report})["fingerprint"]


QUOTED = "undefined is not an object (evaluating 'show()')"
ONE = {
    "Promise.all of an object": (
        in_v8(
            "object is not iterable (cannot read property Symbol(Symbol.iterator))", "Promise.all"
        ),
        in_gecko("Argument of Promise.all is not iterable"),
        in_jsc("undefined is not a function", "all"),
    ),
    "Promise.race of nothing": (
        in_v8(
            "undefined is not iterable (cannot read property Symbol(Symbol.iterator))",
            "Promise.race",
        ),
        in_gecko("can't convert undefined to object"),
        in_jsc("undefined is not an object", "race"),
    ),
    "Object.keys of nothing, called by a line that calls something else": (
        in_v8("Cannot convert undefined or null to object", "Object.keys"),
        in_gecko("can't convert undefined to object"),
        in_jsc(QUOTED, "keys"),
    ),
    "a method of dates": (
        in_v8("this is not a Date object.", "Object.getMonth"),
        in_gecko("Date.prototype.getMonth called on incompatible Object"),
        in_jsc("Type error", "getMonth"),
    ),
    "a method of sets": (
        in_v8("Method Set.prototype.has called on incompatible receiver #<Map>", "Map.has"),
        in_gecko("has method called on incompatible Map"),
        in_jsc("Set operation called on non-Set object", "has"),
    ),
    "a method of texts": (
        in_v8("String.prototype.padEnd called on null or undefined", "padEnd"),
        in_gecko("String.prototype.padEnd called on incompatible undefined"),
        in_jsc("Type error", "padEnd"),
    ),
    "a function that is made of others": (
        in_v8("Failed to execute 'getReader' on 'ReadableStream': it is locked"),
        in_gecko("ReadableStream.getReader: Cannot get a new reader"),
        in_jsc("ReadableStream is locked", "initializeReader", "getReader"),
    ),
    "a class without a name": (
        in_v8("Class constructors cannot be invoked without 'new'"),
        in_gecko("class constructors must be invoked with 'new'"),
        in_jsc("Cannot call a class constructor without |new|"),
    ),
    "no constructor, in minified code": (
        in_v8("e(...).Chart is not a constructor"),
        in_gecko("e(...).Chart is not a constructor"),
        in_jsc("undefined is not a constructor (evaluating 'new(e(\"cart\")).Chart')"),
    ),
    "a function that makes nothing, in minified code": (
        in_v8("(intermediate value) is not a constructor"),
        in_gecko("()=>({}) is not a constructor"),
        in_jsc("function is not a constructor (evaluating 'new(()=>({}))(1)')"),
    ),
    "a weak reference": (
        in_v8("WeakRef: invalid target", "new WeakRef"),
        in_gecko("cannot use the given object as the target of a WeakRef"),
        in_jsc("First argument to WeakRef should be an object or a symbol", "WeakRef"),
    ),
}


@pytest.mark.parametrize("name", ONE)
def test_what_a_native_function_refuses_is_one_issue_in_three_engines(name):
    assert len({fingerprint(report) for report in ONE[name]}) == 1


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (in_jsc("undefined is not a function", "all"), in_jsc("undefined is not a function")),
        (in_jsc(QUOTED, "keys"), in_jsc("undefined is not an object (evaluating 'a.show')")),
        (in_jsc("Type error", "getMonth"), in_jsc("Type error", "getYear")),
        (
            in_gecko("Date.prototype.getMonth called on incompatible Object"),
            in_gecko("Date.prototype.getYear called on incompatible Object"),
        ),
    ],
)
def test_what_two_functions_refuse_are_two_issues(one, other):
    assert fingerprint(one) != fingerprint(other)
