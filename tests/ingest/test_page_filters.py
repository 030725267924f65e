"""What a project's filters hold back in the page: a part of what the stage drops, never more."""

from __future__ import annotations

import re
import time

import orjson
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from catchwater.config.filters import Filters
from ingest import page_filters
from stages.filters.unwanted import unwanted
from stages.grouping import snippet

PAGE = "https://shop.example/cart?x=1"
STACK = "TypeError: x is null\n    at f ({0}:1:5)\n    at g (https://shop.example/app.js:2:7)"
OTHER = "TypeError: x is null\n    at f (https://ads.example/a.js:1:5)"
ONLY = {"extensions": False, "injected_scripts": False, "resize_observer": False, "crawlers": False}


def content(report: dict[str, object]) -> str:
    """A report as the snippet looks at it: JSON.stringify leaves out what is undefined."""
    names = ("type", "message", "stack", "source", "line", "column")
    thrown = {name: report[name] for name in names if report.get(name) is not None}
    return orjson.dumps(thrown).decode() + str(report["page"])


def in_page(filters: Filters, report: dict[str, object]) -> str:
    text = content(report)
    made = page_filters.patterns(filters).items()
    return next((reason for reason, one in made if re.search(one, text, re.IGNORECASE)), "")


def in_stage(filters: Filters, report: dict[str, object]) -> str:
    return unwanted(snippet.read({"mechanism": "onerror", **report}), {}, filters)


def error(**fields: object) -> dict[str, object]:
    return {"type": "TypeError", "message": "x is null", "page": PAGE, **fields}


HELD_BACK = [
    ({"messages": ["*is null"]}, error()),
    ({"messages": ["X IS NULL"]}, error()),
    ({"messages": ["TypeError: x*"]}, error()),
    ({"messages": ["*googletag*"]}, {"message": "a googletag b", "page": PAGE}),
    ({"messages": ["a.b(c)[d]{e}|f$^+?/\\<"]}, error(message="a.b(c)[d]{e}|f$^+?/\\<")),
    ({"messages": ['*"quoted"*']}, error(message='a "quoted" b')),
    ({"pages": ["https://*/cart*"]}, error()),
    ({"allowed_scripts": ["https://shop.example/*"]}, error(stack=OTHER)),
    ({"allowed_scripts": ["https://shop.example/*"]}, error(source="https://ads.example/a.js")),
    ({"allowed_scripts": ["https://*.cdn.example/*"]}, error(stack=OTHER)),
]
SENT = [
    ({"messages": ["is null"]}, error()),
    ({"messages": ["*is null"]}, error(message="x is null\n")),
    ({"pages": ["https://*/car"]}, error()),
    ({"pages": ["https://b.example/*"]}, error(page="https://a.example/?to=}https://b.example/")),
    ({"allowed_scripts": ["https://ads.example/*"]}, error(stack=OTHER)),
    ({"allowed_scripts": ["https://shop.example/*"]}, error(message="see https://a.example/b:1:1")),
    (
        {"allowed_scripts": ["https://shop.example/*"]},
        error(type="ResourceError", source="https://ads.example/a.png", mechanism="resource"),
    ),
    (
        {"messages": ["Uncaught (in promise)*"]},
        error(message="Uncaught (in promise): TypeError: a\n    at b (https://c/d.js:1:2)"),
    ),
]


@pytest.mark.parametrize(("chosen", "report"), HELD_BACK)
def test_what_a_filter_drops_is_held_back_under_its_name(chosen, report):
    filters = Filters(**chosen)
    assert in_page(filters, report) == in_stage(filters, report) == f"filter:{next(iter(chosen))}"


@pytest.mark.parametrize(("chosen", "report"), SENT)
def test_what_no_filter_drops_is_sent(chosen, report):
    filters = Filters(**chosen)
    assert (in_page(filters, report), in_stage(filters, report)) == ("", "")


def test_what_an_allowed_script_has_a_part_in_is_left_to_the_stage():
    filters = Filters(allowed_scripts=["https://shop.example/*"])
    report = error(stack=STACK.format("https://ads.example/a.js"))
    assert (in_page(filters, report), in_stage(filters, report)) == ("", "filter:allowed_scripts")


TEXTS = st.text(alphabet='ab"\\*: {},\n[]', max_size=12)
GLOBS = st.lists(TEXTS.filter(lambda text: text.strip("* ")), max_size=3)


@given(
    messages=GLOBS, pages=GLOBS, allowed=GLOBS, type_=st.none() | TEXTS, message=TEXTS, page=TEXTS
)
@example(messages=['a"*'], pages=[], allowed=[], type_=None, message='a"b', page="")
@example(messages=["a\\"], pages=[], allowed=[], type_=None, message='a"', page="")
def test_never_more_is_held_back_than_the_stage_drops(
    messages, pages, allowed, type_, message, page
):
    filters = Filters(messages=messages, pages=pages, allowed_scripts=allowed, **ONLY)
    report = {"type": type_, "message": message, "stack": OTHER, "page": page}
    if in_page(filters, report):
        assert in_stage(filters, report).startswith("filter:")


@pytest.mark.parametrize("glob", ["*a*b*c*", "é*", "a\u2028b"])
def test_what_would_be_slow_or_not_the_same_in_javascript_is_left_to_the_stage(glob):
    assert page_filters.patterns(Filters(messages=[glob])) == {}
    assert page_filters.patterns(Filters(allowed_scripts=[f"x*{glob}x"])) == {}


@given(GLOBS, GLOBS, GLOBS)
@example(["a\\/b"], ["a/*//"], ["https://shop.example/*"])
def test_no_slash_ends_a_pattern_as_javascript_writes_it(messages, pages, allowed):
    filters = Filters(messages=messages, pages=pages, allowed_scripts=allowed)
    for pattern in page_filters.patterns(filters).values():
        assert "/" not in re.sub(r"\\.", "", pattern)


def test_a_project_may_keep_its_filters_to_itself():
    assert page_filters.literal(Filters(messages=["*secret*"], in_page=False)) == "{}"


@pytest.mark.parametrize("allowed", [["C:\\*\\app.js"], [f"https://*.{n}.de/*" for n in range(6)]])
def test_allowed_scripts_are_all_looked_for_in_the_page_or_none(allowed):
    assert page_filters.patterns(Filters(allowed_scripts=["https://a.de/*", *allowed])) == {}


@pytest.mark.parametrize(
    "stack",
    ["x\n" + "at f (https://b.example/a.js:1:2)\n" * 600, "https://a" * 2000, "a" * 20_000],
)
def test_no_report_takes_long_to_look_at(stack):
    """Backtracking is the same in both languages; JavaScript's is faster."""
    filters = Filters(
        messages=[f"*aaaaaaaaaab{n}*" for n in range(50)],
        pages=[f"*aaaaaaaaaab{n}*" for n in range(50)],
        allowed_scripts=[f"https://*.a{n}.example/*" for n in range(5)],
    )
    assert len(page_filters.patterns(filters)) == 3
    report = error(stack=stack, message="a" * 2000, page="https://a.example/" + "a" * 2000)
    started = time.process_time()
    in_page(filters, report)
    assert time.process_time() - started < 3


def test_no_filter_ends_the_script_that_it_stands_in():
    literal = page_filters.literal(Filters(messages=["</script><script>alert(1)//"]))
    assert "<" not in literal
    assert page_filters.literal(Filters()) == "{}"
