"""Fresh examples of each class of grouping faults: reports that are one mistake, and reports that
are two. Each exception is listed with its reason.
"""

from __future__ import annotations

import random

import pytest

from stages.grouping.files import steady
from stages.grouping.functions import is_compiled_helper, is_minified, telling
from stages.grouping.random_names import is_words
from stages.grouping.stacks import parse
from tests.stages.grouping_cases import load, named

WORDINGS = load("classes/fresh_wordings.json")
PAIRS = load("classes/fresh_pairs.json")
PARAMETERS = load("classes/message_parameters.json")
PAGES = load("classes/inline_script_pages.json")
HASHES = load("classes/hashed_file_names.json")
STACKS = load("classes/stack_lines.json") + load("classes/gecko_names_with_at.json")

UNMET = {
    "WORDINGS 8": "V8 says that a nested pattern's property was read, Gecko names the variable",
    "WORDINGS 13": "V8 and Gecko say which key was computed, JavaScriptCore the expression for it",
    "PAIRS 20": "the same",
    "PARAMETERS 80": "another tracker's verdict on `code: 241` and `code: 242` is: one",
    "PARAMETERS 96": "an address is one value: most differ by what was asked for",
    "PARAMETERS 97": "which chunk did not load says nothing about a fault of the project's",
}
"""Cases whose verdict we do not give. The places count from 0."""


def numbered(name, cases):
    return [
        pytest.param(f"{name} {at}", case, id=f"{name} {at}: {case.get('class', '')}"[:80])
        for at, case in enumerate(cases)
    ]


def assert_verdict(name, case, reports):
    found = {named("snippet", report)["fingerprint"] for report in reports}
    given = "same" if len(found) == 1 else "different"
    assert (given == case.get("verdict", "same")) == (name not in UNMET), (given, reports)


@pytest.mark.parametrize(("name", "case"), numbered("WORDINGS", WORDINGS))
def test_one_mistake_in_anonymous_code_is_one_issue_in_three_engines(name, case):
    assert_verdict(name, case, case["reports"])


@pytest.mark.parametrize(("name", "case"), numbered("PAIRS", PAIRS))
def test_two_reports_are_one_issue_or_two(name, case):
    assert_verdict(name, case, [case["a"], case["b"]])


@pytest.mark.parametrize(("name", "case"), numbered("PARAMETERS", PARAMETERS))
def test_two_messages_are_one_issue_or_two(name, case):
    assert_verdict(name, case, [{"type": "Error", "message": case[side]} for side in "ab"])


@pytest.mark.parametrize("function", ["", "showPlan"])
@pytest.mark.parametrize(("name", "case"), numbered("PAGES", PAGES))
def test_a_script_in_a_page_is_known_by_the_kind_of_page(name, case, function):
    def report(page):
        place = f"{function} ({page}:41:12)" if function else f"{page}:41:12"
        stack = f"TypeError: plan is null\n    at {place}"
        return {"type": "TypeError", "message": "plan is null", "stack": stack, "page": page}

    assert_verdict(name, case, [report(case[f"page_{side}"]) for side in "ab"])


@pytest.mark.parametrize(("name", "case"), numbered("STACKS", STACKS))
def test_a_line_of_a_stack_is_read(name, case):
    found = [
        (frame.function, frame.file, frame.line, frame.column) for frame in parse(case["stack"])
    ]
    wanted = [(one["function"], one["file"], one["line"], one["column"]) for one in case["frames"]]
    assert [one for one in found if one in wanted] == wanted


# Hashes in names of files: 4,000 random ones of each bundler's form ------------------------------

ONE_IN_A_HUNDRED = {
    "webpack base64url hashDigest 20",
    "webpack base62-ish 10 (hashDigest base62)",
    "rollup [hash:10]",
    "rollup [hash:12]",
    "rollup [hash:6]",
    "mjs ext",
    "entry.client",
}
"""Forms that are no bundler's default, or stand in no folder of a bundler's: up to 1 % stay. Of all
others it is 1 in 1,000.
"""


@pytest.mark.parametrize("case", HASHES, ids=[case["class"] for case in HASHES])
def test_random_hashes_do_not_stay_in_the_name_of_a_file(case):
    draw = random.Random(case["class"])
    tries = 4000
    names = [
        steady(case["url"].replace("{}", "".join(draw.choices(case["alphabet"], k=case["length"]))))
        for _ in range(tries)
    ]
    usual = max(set(names), key=names.count)
    share = (tries - names.count(usual)) / tries
    assert share < (0.01 if case["class"] in ONE_IN_A_HUNDRED else 0.002)


@pytest.mark.parametrize(
    ("address", "name"),
    [
        ("assets/site-map-DkD0nX3s.js", "assets/site-map.js"),
        ("assets/shop-profile-DkD0nX3s.js", "assets/shop-profile.js"),
        ("assets/UserProfile-DkD0nX3s.js", "assets/UserProfile.js"),
        ("assets/checkout-settings.js", "assets/checkout-settings.js"),
        ("js/user-profile.js", "js/user-profile.js"),
        ("js/fetchAll.js", "js/fetchAll.js"),
        ("js/level100.js", "js/level100.js"),
        ("js/app-feed.js", "js/app-feed.js"),
        ("js/error-404.js", "js/error-404.js"),
        ("js/my_utils.js", "js/my_utils.js"),
        ("js/jquery.validate.unobtrusive.js", "js/jquery.validate.unobtrusive.js"),
        ("js/socket.io.js", "js/socket.io.js"),
        ("js/jquery-3.6.0.min.js", "js/jquery.js"),
        ("1265d293.chunk.js", "chunk.js"),
        ("js/app_v1_2_1.js", "js/app.js"),
        ("orders/48213/edit", "orders/*/edit"),
        ("de/cart/", "cart"),
    ],
)
def test_what_somebody_chose_stays_in_the_name_of_a_file(address, name):
    assert steady(f"https://shop.example/{address}") == name


@pytest.mark.parametrize(
    "text", ["checkout", "Overview", "app-list", "userList", "HTMLPage", "toUpper"]
)
def test_words_are_words(text):
    assert is_words(text)


# Functions ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("function", "name"),
    [
        ("pXt", ""),
        ("run", "run"),
        ("kqe.render", "render"),
        ("ns.util.run", ""),
        ("handleClick2", "handleClick"),
        ("render$1", "render"),
        ("toInt32", "toInt32"),
        ("step1", "step1"),
        ("_callee3$", ""),
        ("_0x3f2a1c", ""),
        ("Object.4271", ""),
    ],
)
def test_only_a_name_that_somebody_gave_tells_the_place(function, name):
    assert telling(function) == name


def test_names_of_three_letters_are_nearly_all_a_minifiers():
    letters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_$"
    draw = random.Random(3)
    names = ["".join(draw.choices(letters, k=3)) for _ in range(10_000)]
    assert sum(map(is_minified, names)) > 9_800
    assert not any(map(is_minified, ["app", "api", "get", "pay", "cart"]))


@pytest.mark.parametrize(
    "helper", ["_nonIterableRest2", "_toConsumableArray", "__values", "_inherits"]
)
def test_the_helpers_of_compilers_are_known(helper):
    assert is_compiled_helper(helper)
    assert not is_compiled_helper(helper.lstrip("_"))
