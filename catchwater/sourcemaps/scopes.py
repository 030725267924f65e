"""Which function a position of a source stands in, read off the source itself.

A map's own names are those of what is called or used at a position, never of the function around
it; and the functions of the minified script are not those that were written: minifiers inline. So
the original text is parsed, by tree-sitter: JavaScript, JSX and TypeScript, half-broken text too,
in linear time and without recursion.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

import tree_sitter_typescript
from tree_sitter import Language, Parser

if TYPE_CHECKING:
    from tree_sitter import Node, Tree

LONGEST = 1_500_000
"""Bytes of a source that are looked through: a quarter of a second."""

DEEPEST = 2_000
"""Levels of the syntax tree that are gone down: code that people write has a few dozen."""

TREE = 16
"""Bytes of memory that a syntax tree takes for a byte of source, measured on react-dom."""

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
# Where a function without a name of its own gets one: the part of this node that holds the name.
_NAMING = {
    "variable_declarator": "name",
    "pair": "key",
    "public_field_definition": "name",
    "assignment_expression": "left",
}

Found = tuple["Node", "Node | None"]
"""A node that makes a scope, and the node just around it."""


class Scopes:
    """The functions and classes of one source."""

    def __init__(self, source: bytes, *, typescript: bool = False) -> None:
        """`typescript`: of a `.ts` file, where `<string>x` is a cast and no element.

        Over LONGEST nothing is known.
        """
        self._tree: Tree | None = None
        if len(source) <= LONGEST:
            self._tree = Parser(_language(typescript=typescript)).parse(source)

    def function_at(self, row: int, column: int) -> str:
        """`Cart.total`, `new Cart`, `pay`; '' in a function without a name and outside of any.

        `row` and `column` count from 0, the column in bytes of UTF-8.
        """
        scopes = self._scopes_at((row, column))
        function = next(
            (at for at in reversed(range(len(scopes))) if scopes[at][0].type in _FUNCTIONS), None
        )
        if function is None:
            return ""
        name = _name(*scopes[function])
        above = scopes[function - 1] if function else None
        if not name or above is None or above[0].type not in _CLASSES:
            return name
        return _member(_name(*above), name)

    def _scopes_at(self, point: tuple[int, int]) -> list[Found]:
        """The functions and classes around a position, outermost first."""
        found: list[Found] = []
        if self._tree is None:
            return found
        cursor, around = self._tree.walk(), None
        for _ in range(DEEPEST):
            node = cursor.node
            if node is None or not node.start_point <= point < node.end_point:
                break
            if node.is_named and (node.type in _FUNCTIONS or node.type in _CLASSES):
                found.append((node, around))
            around = node
            if cursor.goto_first_child_for_point(point) is None:
                break
        return found


def _name(node: Node, around: Node | None) -> str:
    """A function's or a class's own name, or that of what it is assigned to; '' for none."""
    own = node.child_by_field_name("name")
    if own is None and around is not None and around.type in _NAMING:
        own = around.child_by_field_name(_NAMING[around.type])
    return _text(own) if own is not None else ""


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
