from __future__ import annotations

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stages.grouping.engine_messages import rows
from stages.grouping.matching import Matcher
from stages.grouping.messages import normalize, split
from stages.grouping.parameters import parametrised


@pytest.mark.parametrize(
    ("message", "canonical"),
    [
        ("request 17 took 123ms", "request <number> took <number>"),
        ("Blocked by 203.0.113.7", "Blocked by <ip>"),
        ("Blocked by 2001:db8::1", "Blocked by <ip>"),
        ("Fee::add() called too early", "Fee::add() called too early"),
        ("commit a93c7d2 not deployed", "commit <hex> not deployed"),
        ("the page was defaced", "the page was defaced"),
        ("invalid record name='alice'", "invalid record name=<value>"),
        ("don't do it, can't be done", "don't do it, can't be done"),
        ("HTTP 404 from /api/cart/17", "HTTP 404 from /api/cart/<number>"),
        ("Request failed with status code 502", "Request failed with status code 502"),
        ("500 (Internal Server Error)", "500 (Internal Server Error)"),
        (
            "Minified React error #31; visit https://react.dev/31",
            "Minified React error #31; visit <url>",
        ),
        ("cannot decode utf-16", "cannot decode utf-16"),
        ("user jane+x@shop.example not found", "user <email> not found"),
        ("missing 2eb7d3ba-4d15-4f9d-9a8f-b1ddf7f94b93", "missing <uuid>"),
        ("since 2026-11-23T14:28:00.123Z", "since <date>"),
        ("bad token eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2ln", "bad token <token>"),
        ("no method 'padStart' in \"the big cart 7\"", "no method 'padStart' in \"<text>\""),
        ("ratio -17.5e3 out of 1,000.25", "ratio <number> out of <number>"),
        ("h264 and v8 stay", "h264 and v8 stay"),
    ],
)
def test_values_are_taken_out_and_names_stay(message, canonical):
    assert parametrised(message) == canonical


@pytest.mark.parametrize(
    ("texts", "canonical"),
    [
        (
            [
                "Cannot read properties of null (reading 'amount')",
                "Cannot read property 'amount' of undefined",
                'can\'t access property "amount", cents is null',
                "null is not an object (evaluating 'cents.amount')",
                "undefined is not an object (evaluating 'this.a[0].amount = f(b.c)')",
                "Unable to get property 'amount' of undefined or null reference",
                (
                    'Die Eigenschaft "amount" eines undefinierten oder Nullverweises kann nicht '
                    "abgerufen werden."
                ),
                "无法获取未定义或 null 引用的属性“amount”",
            ],
            "property amount of null or undefined",
        ),
        (
            [
                "cart.pay is not a function",
                (
                    "this.cart.pay is not a function. (In 'this.cart.pay(1)', 'this.cart.pay' is "
                    "undefined)"
                ),
                "Object doesn't support property or method 'pay'",
                "L’objet ne gère pas la propriété ou la méthode « pay »",  # noqa: RUF001 - IE's words
            ],
            "pay is not a function",
        ),
        (
            ["total is not defined", "Can't find variable: total", "'total' is undefined"],
            "total is not defined",
        ),
        (
            ["Failed to fetch", "Load failed", "NetworkError when attempting to fetch resource."],
            "network request failed",
        ),
        (["Unexpected token '<'", "expected expression, got '<'"], "script: unexpected <"),
        (
            ["Maximum call stack size exceeded", "too much recursion", "Espace pile insuffisant"],
            "too much recursion",
        ),
        (
            [
                "Cannot read properties of undefined (reading 'supplier')",
                "undefined is not an object (evaluating 'e.find(r=>r.price>100).supplier')",
            ],
            "property supplier of null or undefined",
        ),
        (
            [
                "(0 , e.pay) is not a function",
                "e.pay is not a function",
                "(0,e.pay) is not a function. (In '(0,e.pay)(7)', '(0,e.pay)' is 7)",
            ],
            "pay is not a function",
        ),
        (
            [
                "(0 , e.lib.Chart) is not a constructor",
                "undefined is not a constructor (evaluating 'new(0,e.lib.Chart)(\"sales\")')",
            ],
            "Chart is not a constructor",
        ),
        (
            [
                "Value tiny out of range for Intl.DateTimeFormat options property dateStyle",
                'invalid value "tiny" for option dateStyle',
                'dateStyle must be "full", "long", "medium", or "short"',
            ],
            "an invalid value of the option dateStyle",
        ),
    ],
)
def test_engines_words_for_one_mistake_are_one_form(texts, canonical):
    assert {normalize("", text).text for text in texts} == {canonical}


@pytest.mark.parametrize(
    ("type_", "native", "texts", "canonical"),
    [
        (
            "TypeError",
            "drawImage",
            [
                "Failed to execute 'drawImage' on 'Canvas2D': The value is not of type 'Blob'",
                "Canvas2D.drawImage: Argument 1 could not be converted to any of: Blob.",
                "Type error",
            ],
            "a wrong call of drawImage",
        ),
        (
            "TypeError",
            "",
            [
                "Failed to execute 'append' on 'Element': parameter 1 is not of type 'Node'.",
                "Element.append: Argument 1 is not an object.",
                "Argument 1 ('node') to Element.append must be an instance of Node",
            ],
            "a wrong call of append",
        ),
        ("TypeError", "Set", ["number 7 is not iterable", "Type error"], "not iterable"),
        ("TypeError", "", ["Cart: there is no line 7"], "Cart: there is no line <number>"),
        (
            "SyntaxError",
            "insertAdjacentHTML",
            [
                "Failed to execute 'insertAdjacentHTML' on 'Element': 'in' is no position.",
                "An invalid or illegal string was specified",
                "The string did not match the expected pattern.",
            ],
            "a DOMException: its type says what",
        ),
        (
            "SyntaxError",
            "json",
            [
                "Unexpected token '<', \"<!doctype \"... is not valid JSON",
                "The string did not match the expected pattern.",
            ],
            "JSON: invalid text",
        ),
    ],
)
def test_which_call_failed_tells_more_than_an_engines_sentence_for_many(
    type_, native, texts, canonical
):
    assert {normalize(type_, text, native).text for text in texts} == {canonical}


@pytest.mark.parametrize(
    "texts",
    [
        (
            "Invalid regular expression: /(/: Unterminated group",
            "Invalid flags supplied to RegExp constructor 'gx'",
        ),
        (
            "Cannot use 'in' operator to search for 'a' in b",
            "Right-hand side of 'instanceof' is not an object",
        ),
        (
            "Illegal invocation",
            "Method Map.prototype.get called on incompatible receiver #<Object>",
        ),
        (
            "Cannot destructure property 'a' of 'b' as it is null.",
            "Cannot convert undefined or null to object",
        ),
        ("toFixed() digits argument must be between 0 and 100", "page is out of range"),
    ],
)
def test_mistakes_that_every_engine_tells_apart_are_two(texts):
    assert len({normalize("", text).text for text in texts}) == 2


@pytest.mark.parametrize(
    ("message", "expected"),
    [
        ("Uncaught TypeError: x is null", ("TypeError", "x is null")),
        ("Uncaught (in promise) HttpError: 404", ("HttpError", "404")),
        ("uncaught exception: out of stock", ("", "out of stock")),
        ("Non-Error promise rejection captured with value: out of stock", ("", "out of stock")),
        ("out of stock: 3 left", ("", "out of stock: 3 left")),
    ],
)
def test_the_type_is_split_from_the_message(message, expected):
    assert split(message) == expected


def test_every_text_of_the_table_fits_its_own_row():
    """A text that an earlier row catches would never be reached."""
    matcher, wrong = Matcher(version=1), {}
    for row in rows(version=1):
        for text in row.texts:
            message = text
            for hole, value in (
                ("{any}", "xyz"),
                ("{property}", "pay"),
                ("{name}", "pay"),
                ("{member}", "cart.pay"),
                ("{nothing}", "null"),
            ):
                message = message.replace(hole, value)
            found = matcher.find(message)
            if found is None or found.row.canonical != row.canonical:
                wrong[text] = found.row.canonical if found else None
    assert wrong == {}


def test_a_row_of_a_later_version_does_not_change_this_one():
    assert all(row in rows(version=2) for row in rows(version=1))


@pytest.mark.parametrize(
    "piece",
    [
        "1",
        "a1",
        "::",
        "'",
        '"',
        "=",
        "@a",
        "a@b.",
        "http:",
        "0x1.",
        "1:1",
        "Failed to execute '",
        "is ",
    ],
)
def test_no_message_is_slow(piece):
    before = time.process_time()
    normalize("", piece * (1_000_000 // len(piece)))
    parametrised(piece * (20_000 // len(piece)))
    assert time.process_time() - before < 5


@settings(max_examples=500, deadline=None)
@given(st.text(), st.text())
def test_no_text_makes_it_raise(type_, message):
    normalize(type_, message)
