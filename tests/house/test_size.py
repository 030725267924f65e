"""A ratchet: files and functions stay small.

What is larger is listed with its size and a reason, and only shrinks.
"""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

from tests.house.sources import PACKAGES, ROOT, files, tree

LINE_COLUMNS = 100
FILE_LINES = 350
BODY_LINES = 25

LUA = sorted(path.relative_to(ROOT) for path in (ROOT / "catchwater").rglob("*.lua"))

LARGER_FILES: dict[str, tuple[int, str]] = {}
LARGER_BODIES: dict[str, tuple[int, str]] = {
    f"{path}:{name}": (lines, reason)
    for path, names in {
        "benchmarks/whole.py": {
            "whole_figures": (35, "one figure a line"),
            "ingest_figure": (27, "one run, step by step"),
        },
        "tests/browser/sites.py": {"_start": (28, "one server, set up and started")},
        "tests/browser/test_main_job.py": {
            "test_the_same_fault_in_two_minified_builds_is_one_issue_with_its_source": (
                38,
                "one story of two deployments",
            ),
        },
        "tests/dashboard/documents.py": {"named": (69, "one document with every field")},
        "tests/dashboard/flow.py": {"flow_on": (26, "one event through every stage")},
        "tests/dashboard/test_issue_api.py": {
            "test_an_issue_has_every_field_of_its_document_and_its_last_24_hours": (
                29,
                "one whole answer, field by field",
            ),
            "test_one_issue_has_its_tags_over_all_months_and_partitions_its_samples_and_why_it_was"
            "_grouped": (56, "one whole answer, field by field"),
        },
        "tests/dashboard/test_pages.py": {
            "test_html_in_every_field_is_shown_as_text_on_every_page": (
                38,
                "one document with markup in every field",
            ),
            "test_the_list_shows_each_issue_with_its_numbers_and_a_sentence_for_its_bars": (
                29,
                "one whole page, field by field",
            ),
        },
        "tests/dashboard/test_pipeline_page.py": {
            "test_every_stage_is_shown_with_what_waits_for_it": (27, "one whole answer"),
            "test_the_audit_adds_up_and_says_where_every_event_went": (
                48,
                "one whole answer, field by field",
            ),
        },
        "tests/fuzz/__main__.py": {"main": (27, "the options of one command")},
        "tests/monitoring/test_audit.py": {
            "test_the_audit_adds_up_with_every_kind_of_answer": (29, "one event of each kind"),
        },
        "tests/packaging/test_wheel.py": {
            "test_a_service_starts_with_only_its_extra": (27, "one service after the other"),
        },
        "tests/servers/conftest.py": {"_own": (29, "one Docker engine, started and stopped")},
        "tests/sourcemaps/sentry.py": {"served": (27, "one server, started and stopped")},
        "tests/stages/test_bad_data.py": {
            "test_that_is_huge_is_cut_and_says_so": (
                37,
                "one report that is too large in every way",
            ),
        },
        "tests/stages/test_rules.py": {
            "test_mistakes_in_a_project_s_sections_are_told_at_once_with_line_and_help": (
                28,
                "one file with a mistake of each kind",
            ),
        },
    }.items()
    for name, (lines, reason) in names.items()
}
"""Bodies that are longer: tests and benchmarks, which say one thing whole. None of what ships."""


def test_no_file_is_longer_than_the_limit() -> None:
    sizes = {
        str(path): (ROOT / path).read_text().count("\n")
        for path in files(*PACKAGES, "tests", "benchmarks")
    }
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
    loose = {
        name: sizes.get(name, 0) for name, (size, _) in larger.items() if sizes.get(name, 0) < size
    }
    assert loose == {}, (
        "smaller than its listed size by now: lower the size in the list, or take it out"
    )


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


def test_no_line_of_lua_is_longer_than_the_limit() -> None:
    lines = {str(path): (ROOT / path).read_text().splitlines() for path in LUA}
    assert [
        f"{path}:{number}"
        for path in lines
        for number, line in enumerate(lines[path], 1)
        if len(line) > LINE_COLUMNS
    ] == []


def test_no_python_hides_from_the_formatter() -> None:
    """Ruff keeps its lines within the limit; this would let a part of a file escape."""
    sources = files(*PACKAGES, "tests", "benchmarks", "docs")
    hides = re.compile(r"# fmt: ?(skip|off)|ruff: noqa: E501")
    assert [
        str(path)
        for path in sources
        if path.name != "test_size.py" and hides.search((ROOT / path).read_text())
    ] == []
