"""Which function each place of a source stands in, read off the source itself.

A map's own names are those of what is called or used at a position, never of the function around
it; and the functions of the minified script are not those that were written: minifiers inline. So
the original text is parsed, by tree-sitter: JavaScript, JSX and TypeScript, half-broken text too,
in linear time and without recursion; of a component's file (Vue, Svelte, Astro) its scripts.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, NamedTuple

import tree_sitter_typescript
from tree_sitter import Language, Parser

from catchwater.sourcemaps.components import script_of
from catchwater.sourcemaps.function_index import LINE, FunctionTable

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from tree_sitter import Node

LONGEST = 1_500_000
"""Bytes of a source that are looked through: half a second."""

_FUNCTIONS = frozenset(
    {
        "function_declaration",
        "function_expression",
        "generator_function_declaration",
        "generator_function",
        "arrow_function",
        "method_definition",
        "class_static_block",
    }
)
_CLASSES = frozenset({"class_declaration", "abstract_class_declaration", "class"})
# What gives a name to a function or class without one of its own: the part that holds the name.
_NAMING = {
    "variable_declarator": "name",
    "pair": "key",
    "public_field_definition": "name",
    "assignment_expression": "left",
}
_ERROR = "ERROR"
_SCOPES = frozenset({*_FUNCTIONS, *_CLASSES, _ERROR})


class _Scope(NamedTuple):
    """A function, a class, or text that is no code. Places are as FunctionTable has them."""

    start: int
    end: int
    kind: str
    name: str


class _Open(NamedTuple):
    """What a place stands in: the innermost function, and the class if that is closer."""

    end: int
    function: str | None
    in_class: str | None


def read_functions(source: bytes, file: str) -> FunctionTable | None:
    """The functions of a source; None over LONGEST. `file` says which language it is.

    Where the text is no JavaScript, and in a component outside its scripts, nobody can tell.
    """
    if len(source) > LONGEST:
        return None
    script = script_of(source, file)
    root = Parser(_language(typescript=script.typescript)).parse(script.text).root_node
    outside = None if root.has_error or script.is_part else ""
    return FunctionTable.of(_functions(_scopes(root), outside))


def _scopes(root: Node) -> Iterator[_Scope]:
    """Outer ones first. By a cursor: queries take quadratic time for some broken text."""
    cursor, around = root.walk(), [root]
    while True:
        node = cursor.node
        assert node is not None
        if node.type in _SCOPES:
            yield _scope(node, around[-1])
        if cursor.goto_first_child():
            around.append(node)
            continue
        while not cursor.goto_next_sibling():
            if not cursor.goto_parent():
                return
            around.pop()


def _scope(node: Node, around: Node) -> _Scope:
    own = node.child_by_field_name("name")
    if own is None and around.type in _NAMING:
        own = around.child_by_field_name(_NAMING[around.type])
    start, end = node.start_point, node.end_point
    name = _text(own) if own is not None else ""
    return _Scope(start.row * LINE + start.column, end.row * LINE + end.column, node.type, name)


def _functions(scopes: Iterable[_Scope], outside: str | None) -> list[tuple[int, str | None]]:
    """Where each function begins, and where the one around it goes on."""
    found: dict[int, str | None] = {0: outside}
    around = [_Open(2**64, outside, None)]
    for scope in scopes:
        _close(around, scope.start, found)
        around.append(_inside(scope, around[-1]))
        found[scope.start] = around[-1].function
    _close(around, 2**64 - 1, found)
    return list(found.items())


def _close(around: list[_Open], until: int, found: dict[int, str | None]) -> None:
    while around[-1].end <= until:
        end = around.pop().end
        found[end] = around[-1].function


def _inside(scope: _Scope, around: _Open) -> _Open:
    if scope.kind == _ERROR:
        return _Open(scope.end, None, None)
    if scope.kind in _CLASSES:
        return _Open(scope.end, around.function, scope.name)
    name = _member(around.in_class or "", scope.name) if scope.name else ""
    return _Open(scope.end, name, None)


def _text(name: Node) -> str:
    """The last part of a name: `exports.pay` is pay; '' where it is computed."""
    text = (name.text or b"")[:300].decode("utf-8", "replace")
    return "" if text.endswith("]") else text.strip("'\"`").rpartition(".")[2][:100]


def _member(of: str, name: str) -> str:
    if not of:
        return name
    return f"new {of}" if name == "constructor" else f"{of}.{name}"


@cache
def _language(*, typescript: bool) -> Language:
    made = (
        tree_sitter_typescript.language_typescript
        if typescript
        else tree_sitter_typescript.language_tsx
    )
    return Language(made())
