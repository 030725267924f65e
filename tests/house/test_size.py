"""A ratchet: files and functions stay small. What is larger is listed with its size and a reason, and only shrinks."""

from __future__ import annotations

import ast
from pathlib import Path

from tests.house.sources import PACKAGES, ROOT, files, tree

FILE_LINES = 250
BODY_LINES = 25

LARGER_FILES: dict[str, tuple[int, str]] = {
    "catchwater/runtime.py": (252, "the loop, read from top to bottom"),
    "tests/stages/test_fingerprint.py": (265, "a table of cases, one a paragraph"),
}
LARGER_BODIES: dict[str, tuple[int, str]] = {
    "tests/dashboard/documents.py:named": (40, "one document with every field"),
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
