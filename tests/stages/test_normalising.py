from __future__ import annotations

import pytest

from stages.grouping.files import short, steady
from stages.grouping.frames import is_ours
from stages.grouping.functions import plain, telling
from tests.stages.grouping_cases import named

SHOP = "https://shop.example"


@pytest.mark.parametrize(
    ("address", "name"),
    [
        (f"{SHOP}/static/js/main.3f2a1b.js?v=9#top", "static/js/main.js"),
        ("https://cdn77.example/static/v2.3.1/js/main.77c0de.js", "static/js/main.js"),
        ("http://localhost:5173/src/cart.js", "src/cart.js"),
        (f"{SHOP}/assets/Cart-DkD0nX3s.js", "assets/Cart.js"),
        (f"{SHOP}/assets/index-BX3f9_a1.js", "assets/index.js"),
        (f"{SHOP}/_nuxt/B7x2KqPz.js", "_nuxt/*.js"),
        (
            f"{SHOP}/_next/static/hZJ5qUQ9zXyK3m_7aBcDe/pages/index.js",
            "_next/static/pages/index.js",
        ),
        (f"{SHOP}/static/version1699999999/js/a.js", "static/js/a.js"),
        (f"{SHOP}/npm/react@18.2.0/umd/react.production.min.js", "npm/react/umd/react.js"),
        (f"{SHOP}/jquery-3.6.0.min.js", "jquery.js"),
        (f"{SHOP}/js/app_1699999999999.js", "js/app.js"),
        (f"{SHOP}/Checkout.js", "Checkout.js"),
        (f"{SHOP}/level100.js", "level100.js"),
        (f"{SHOP}/js/settings.js", "js/settings.js"),
        (f"{SHOP}/js/2.js", "js/2.js"),
        ("webpack:///./src/cart.js", "src/cart.js"),
        ("webpack://shop/./src/cart.js", "src/cart.js"),
        ("webpack://shop/src/cart.js", "src/cart.js"),
        ("webpack-internal:///(rsc)/./src/cart.js", "src/cart.js"),
        ("C:\\Users\\jane\\app\\src\\cart.js", "app/src/cart.js"),
        ("file:///home/jane/app/src/cart.js", "app/src/cart.js"),
        ("blob:https://shop.example/8a66aa30-ee14-471e-b922-2539ec35083d", "blob:"),
        (
            "moz-extension://0b1c2d3e-4f50-6172-8394-a5b6c7d8e9f0/content.js",
            "moz-extension:/content.js",
        ),
        (
            "chrome-extension://aapbdbdomjkkjkaonfhkkikfgjllcleb/a.js",
            "chrome-extension:/aapbdbdomjkkjkaonfhkkikfgjllcleb/a.js",
        ),
        (f"{SHOP}/", ""),
    ],
)
def test_a_file_keeps_what_stays_the_same_from_build_to_build(address, name):
    assert steady(address) == name


def test_a_page_of_its_own_has_a_name_for_people():
    assert (short(f"{SHOP}/"), short(f"{SHOP}/js/a.js?v=1")) == ("/", "a.js")


@pytest.mark.parametrize(
    ("function", "name"),
    [
        ("async Object.foo", "foo"),
        ("new Foo", "Foo"),
        ("Foo.bar [as baz]", "bar"),
        ("Foo.prototype.bar", "bar"),
        ("outer/inner", "inner"),
        ("outer/<", ""),
        ("promise callback*load", "load"),
        ("HTMLButtonElement.<anonymous>", ""),
        ("Anonymous function", ""),
        ("get total", "total"),
    ],
)
def test_a_function_has_one_name_in_every_engine(function, name):
    assert plain(function) == name


@pytest.mark.parametrize(
    "function", ["t", "Ab", "ns.util.run [as exec]", "scope/</ns.util.run", "exports.render"]
)
def test_a_name_that_differs_from_engine_to_engine_or_build_to_build_does_not_tell(function):
    assert telling(function) == ""


@pytest.mark.parametrize("function", ["render", "Cart.render", "t.render", "async load"])
def test_a_name_that_stays_tells(function):
    assert telling(function) == plain(function) != ""


@pytest.mark.parametrize(
    ("file", "expected"),
    [
        (f"{SHOP}/js/cart.js", True),
        ("webpack:///./src/cart.js", True),
        ("webpack:///./node_modules/react/index.js", False),
        (f"{SHOP}/js/jquery.min.js", False),
        ("chrome-extension://abc/content.js", False),
        ("[native code]", False),
        ("<anonymous>", False),
    ],
)
def test_own_code_is_told_from_others(file, expected):
    assert is_ours(file, "f") == expected


def test_minified_names_of_two_builds_are_one_issue_and_two_messages_are_two():
    stack = "TypeError: {0}\n    at {1} (https://shop.example/js/main.js:1:{2})"
    message = "Cannot read properties of null (reading 'price')"
    first, second, other = (
        {"type": "TypeError", "message": text, "stack": stack.format(text, function, column)}
        for text, function, column in (
            (message, "t", 100),
            (message, "e", 230),
            ("x is not iterable", "t", 100),
        )
    )
    assert named("snippet", first)["fingerprint"] == named("snippet", second)["fingerprint"]
    assert named("snippet", first)["fingerprint"] != named("snippet", other)["fingerprint"]


def test_own_code_names_the_issue_before_the_library_that_threw():
    lines = [
        "at invariant (https://x/node_modules/lib/a.js:1:1)",
        "at Array.map (<anonymous>)",
        "at pay (https://x/cart.js:2:2)",
    ]
    whole = named(
        "snippet", {"type": "Error", "message": "no", "stack": "Error: no\n" + "\n".join(lines)}
    )
    assert whole["culprit"] == "pay (cart.js)"


def test_the_constructor_of_an_errors_own_class_is_passed_over():
    stack = "HttpError@https://x/http.js:1:1\nload@https://x/cart.js:2:2"
    assert (
        named("snippet", {"type": "HttpError", "message": "no", "stack": stack})["culprit"]
        == "load (cart.js)"
    )


@pytest.mark.parametrize(
    ("lines", "culprit"),
    [
        (["_construct@{}:9:9", "Wrapper@{}:8:8", "_callSuper@{}:7:7", "PayError@{}:6:6"], "load"),
        (["Wrapper@{}:8:8"], "Wrapper"),
    ],
)
def test_babels_wrapper_of_an_error_class_is_passed_over_and_a_projects_own_is_not(lines, culprit):
    file = "https://x/cart.js"
    stack = "\n".join([*lines, "load@{}:2:2"]).replace("{}", file)
    told = named("snippet", {"type": "PayError", "message": "no", "stack": stack})
    assert told["culprit"] == f"{culprit} (cart.js)"


@pytest.mark.parametrize(
    ("places", "culprit"),
    [
        (("7:20", "7:31"), "load (cart.js)"),
        (("7:20", "3:31"), "cart.js"),
        (("1:2000", "1:2031"), "cart.js"),
    ],
)
def test_an_async_arrow_of_webkit_has_the_name_of_the_next_frame_on_its_line(places, culprit):
    body, arrow = places
    stack = f"@https://x/cart.js:{body}\nload@https://x/cart.js:{arrow}\nrun@https://x/a.js:9:9"
    message = "undefined is not an object (evaluating 'order.sum')"
    told = named("snippet", {"type": "TypeError", "message": message, "stack": stack})
    assert told["culprit"] == culprit


@pytest.mark.parametrize("compiler", ["eval", "new Function"])
def test_a_text_that_cannot_be_parsed_is_a_fault_of_the_script_that_has_it_parsed(compiler):
    message = "Unexpected token ';'"
    stack = (
        f"SyntaxError: {message}\n    at {compiler} (<anonymous>)\n    at load (https://x/a.js:2:2)"
    )
    report = {"type": "SyntaxError", "message": message, "stack": stack, "source": "https://x/page"}
    assert "file: a.js" in named("snippet", report)["used"]


@pytest.mark.parametrize("name", ["", ".extras", ".0123456789abcdef", ".extras.0123456789abcdef"])
def test_frames_of_the_snippet_itself_are_not_the_page_s(name):
    address = f"https://shop.example/assets/cw/c/{'0a' * 16}{name}.js"
    stack = (
        f"TypeError: Failed to fetch\n    at {address}:1:1127\n    at order "
        f"(https://shop.example/shop.js:45:12)"
    )
    told = named("snippet", {"type": "TypeError", "message": "Failed to fetch", "stack": stack})
    assert [frame["in_app"] for frame in told["frames"]] == [False, True]
    assert told["culprit"] == "order (shop.js)"
