"""A ratchet: files and functions stay small. What is larger is listed with its size and a reason, and only shrinks."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from tests.house.sources import PACKAGES, ROOT, files, tree

FILE_LINES = 250
BODY_LINES = 25

LARGER_FILES: dict[str, tuple[int, str]] = {}
LARGER_BODIES: dict[str, tuple[int, str]] = {
    "tests/dashboard/documents.py:named": (40, "one document with every field"),
    "tests/dashboard/test_issue_api.py:test_an_issue_has_every_field_of_its_document_and_its_last_24_hours": (
        30,
        "one whole answer, field by field",
    ),
    "tests/dashboard/test_issue_api.py:"
    "test_one_issue_has_its_tags_over_all_months_and_partitions_its_samples_and_why_it_was_grouped": (
        52,
        "one whole answer, field by field",
    ),
    "tests/dashboard/test_pages.py:test_html_in_every_field_is_shown_as_text_on_every_page": (
        34,
        "one document with markup in every field",
    ),
    "tests/dashboard/test_pipeline_page.py:test_the_audit_adds_up_and_says_where_every_event_went": (
        38,
        "one whole answer, field by field",
    ),
    "tests/stages/test_bad_data.py:test_that_is_huge_is_cut_and_says_so": (
        29,
        "one report that is too large in every way",
    ),
}


def test_no_file_is_longer_than_the_limit() -> None:
    sizes = {str(path): (ROOT / path).read_text().count("\n") for path in files(*PACKAGES, "tests", "benchmarks")}
    _ratchet(sizes, FILE_LINES, LARGER_FILES)


def test_no_function_body_is_longer_than_the_limit() -> None:
    sizes = {}
    for path in files(*PACKAGES, "tests", "benchmarks"):
        for node in ast.walk(tree(path)):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                name = f"{path}:{node.name}"
                sizes[name] = max(_body(node), sizes.get(name, 0))
    _ratchet(sizes, BODY_LINES, LARGER_BODIES)


def _ratchet(sizes: dict[str, int], limit: int, larger: dict[str, tuple[int, str]]) -> None:
    over = {name: size for name, size in sizes.items() if size > larger.get(name, (limit, ""))[0]}
    assert over == {}, f"longer than {limit} lines: cut it into parts that have a name"
    loose = {name: sizes.get(name, 0) for name, (size, _) in larger.items() if sizes.get(name, 0) < size}
    assert loose == {}, "smaller than its listed size by now: lower the size in the list, or take it out"


def _body(function: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    """Lines from the first statement to the last, without the docstring."""
    body = function.body[1:] if ast.get_docstring(function) is not None else function.body
    return (body[-1].end_lineno or 0) - body[0].lineno + 1 if body else 0


def test_a_listed_exception_has_a_reason() -> None:
    listed = LARGER_FILES | LARGER_BODIES
    assert [name for name, (_, reason) in listed.items() if not reason] == []
    assert [name for name in listed if not (ROOT / Path(name.partition(":")[0])).exists()] == []


@pytest.mark.parametrize("sizes", [{"a": 31}, {"a": 29}, {}, {"a": 30, "b": 26}], ids=str)
def test_the_ratchet_turns_one_way(sizes: dict[str, int]) -> None:
    listed = {"a": (30, "why it is so")}
    _ratchet({"a": 30, "b": 25}, 25, listed)
    with pytest.raises(AssertionError):
        _ratchet(sizes, 25, listed)
