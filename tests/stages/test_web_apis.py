"""What a function of the browser refused is told by that function, which engines say in different
places.
"""

from __future__ import annotations

import pytest

from stages.grouping.messages import DOM_TEXT, normalize
from tests.stages.grouping_cases import named

PLACE = "https://shop.example/app.js:7:12"


def fingerprint(type_: str, message: str, *frames: str) -> str:
    stack = "\n".join(f"{frame}@{PLACE}" if frame == "" else frame for frame in frames)
    return named("snippet", {"type": type_, "message": message, "stack": stack})["fingerprint"]


@pytest.mark.parametrize(
    ("type_", "blink", "gecko", "webkit", "native"),
    [
        (
            "TypeError",
            "Failed to execute 'observe' on 'ResizeObserver': parameter 1 is not of type 'Node'.",
            "ResizeObserver.observe: Argument 1 is not an object.",
            "Argument 1 ('target') to ResizeObserver.observe must be an instance of Element",
            "",
        ),
        (
            "TypeError",
            "Failed to construct 'Notification': not allowed here",
            "Notification constructor: not allowed here",
            "Type error",
            "Notification",
        ),
        (
            "RangeError",
            "Failed to execute 'scale' on 'Canvas': outside the range",
            "Canvas.scale: too large",
            "Bad value",
            "scale",
        ),
        (
            "SyntaxError",
            "Failed to execute 'insertAdjacentElement' on 'Element': The value is wrong.",
            "An invalid or illegal string was specified",
            "The string did not match the expected pattern.",
            "insertAdjacentElement",
        ),
        (
            "TypeError",
            "Failed to set the 'scale' property on 'Screen': not a number",
            "Screen.scale setter: not a number",
            "Type error",
            "scale",
        ),
    ],
)
def test_one_refusal_is_one_issue_in_three_engines(type_, blink, gecko, webkit, native):
    first = [f"{native}@[native code]"] if native else []
    found = {
        fingerprint(type_, blink, ""),
        fingerprint(type_, gecko, ""),
        fingerprint(type_, webkit, *first, ""),
    }
    assert len(found) == 1


def test_two_functions_that_refuse_are_two_issues():
    def refused(name: str) -> set[str]:
        return {
            fingerprint("TypeError", f"Failed to execute '{name}' on 'Node': no", ""),
            fingerprint("TypeError", "Type error", f"{name}@[native code]", ""),
        }

    assert len(refused("observe") | refused("animate")) == 2


def test_what_the_project_throws_itself_is_told_by_its_own_words():
    assert normalize("Error", "Cart.load: no such cart").text == "Cart.load: no such cart"
    assert normalize("TypeError", "no such cart").text == "no such cart"


def test_a_sentence_of_webkit_without_a_function_means_what_it_mostly_means():
    sentence = "The string did not match the expected pattern."
    assert normalize("SyntaxError", sentence).text == "JSON: invalid text"
    assert normalize("SyntaxError", sentence, "json").text == "JSON: invalid text"
    assert normalize("SyntaxError", sentence, "insertRule").text == DOM_TEXT
    assert normalize("TypeError", "Type error", "Set").text == "not iterable"


def test_an_answer_that_is_no_json_is_no_fault_of_a_line():
    sentence = "The string did not match the expected pattern."
    text = "JSON.parse: unexpected character at line 1 column 1 of the JSON data"
    found = {
        fingerprint("SyntaxError", sentence, "json@[native code]", f"load@{PLACE}"),
        fingerprint("SyntaxError", text),
    }
    assert len(found) == 1
    assert fingerprint("SyntaxError", text, f"load@{PLACE}") not in found


@pytest.mark.parametrize(
    ("message", "text"),
    [
        (
            "undefined is not an object (evaluating 'all.find((one) => one.id === 9).price')",
            "property price of null or undefined",
        ),
        (
            'undefined is not an object (evaluating \'rows[at("x") + 1] = "y"\')',
            "property * of null or undefined",
        ),
        (
            "Cannot read properties of undefined (reading 'Grand total')",
            "property * of null or undefined",
        ),
        (
            "undefined is not an object (evaluating 'totals[\"price\"]')",
            "property price of null or undefined",
        ),
        (
            f"undefined is not an object (evaluating 'pick({'at(1), ' * 40}2).price')",
            "property price of null or undefined",
        ),
        ("pick(...) is not a function", "* is not a function"),
        (
            "on[\"save\"] is not a function. (In 'on[\"save\"](2)', 'x' is 1)",
            "save is not a function",
        ),
        (
            "undefined is not a constructor (evaluating 'new kit.Chart(box)')",
            "Chart is not a constructor",
        ),
    ],
)
def test_the_property_is_what_stands_outside_of_brackets(message, text):
    assert normalize("TypeError", message).text == text


@pytest.mark.parametrize(("line", "same"), [(1, True), (2, True), (40, False)])
def test_three_letters_in_a_bundle_of_one_line_tell_nothing(line, same):
    def one(function: str) -> str:
        stack = f"TypeError: x\n    at {function} (https://shop.example/app.js:{line}:15074)"
        return named("snippet", {"type": "TypeError", "message": "x", "stack": stack})[
            "fingerprint"
        ]

    assert (one("own") == one("Len")) == same


def test_text_that_was_evaluated_belongs_to_who_evaluated_it():
    def one(source: str, stack: str) -> str:
        body = {"type": "SyntaxError", "message": "Unexpected token '<'", "source": source}
        return named("snippet", {**body, "line": 3, "stack": stack})["fingerprint"]

    app = "https://shop.example/app.js"
    v8 = f"SyntaxError: Unexpected token '<'\n    at Function (<anonymous>)\n    at run ({app}:7:1)"
    assert one("https://shop.example/", v8) == one(app, f"run@{app}:7:1")
