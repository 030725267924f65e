"""Every exception is in one tree, catchwater/errors.py, and the docstring there shows that tree."""

from __future__ import annotations

import ast
import builtins
import re
from pathlib import Path

from catchwater import errors
from tests.house.sources import PACKAGES, files, tree

TREE = Path("catchwater/errors.py")

PRIVATE = {
    "catchwater/redis_errors.py:_MissingScriptError",
    "catchwater/streams/loop.py:_StopRequestedError",
}
"""Exceptions that never leave the module that defines them."""


def test_every_exception_is_in_the_tree_or_is_private_to_its_module() -> None:
    elsewhere = {
        f"{path.as_posix()}:{name}"
        for path, classes in exceptions(*PACKAGES).items()
        for name in classes
        if path != TREE
    }
    assert elsewhere == PRIVATE
    assert all(":_" in name for name in PRIVATE)


def test_the_docstring_shows_every_exception_of_the_file_below_its_parent() -> None:
    parents = {
        name: kind.__base__.__name__
        for name, kind in vars(errors).items()
        if isinstance(kind, type) and issubclass(kind, errors.CatchwaterError)
    }
    assert parents.pop("CatchwaterError") == "Exception"
    assert drawn(errors.__doc__ or "") == parents


def test_exceptions_are_recognised_by_any_base_that_is_one() -> None:
    module = ast.parse(
        "class A(B): ...\nclass B(web.HTTPException): ...\nclass C(KeyboardInterrupt): ...\n"
        "class D(NamedTuple): ...\nclass E(dict, D): ..."
    )
    assert exception_classes(defined(module), set()) == {"A", "B", "C"}


def exceptions(*packages: str) -> dict[Path, set[str]]:
    """The exception classes that each file of the packages defines."""
    by_file = {path: defined(tree(path)) for path in files(*packages)}
    every = {name: bases for classes in by_file.values() for name, bases in classes.items()}
    kinds = exception_classes(every, set())
    return {path: kinds & set(classes) for path, classes in by_file.items()}


def defined(module: ast.Module) -> dict[str, set[str]]:
    """Every class of a module, those inside others too, with the last names of its bases."""
    return {
        node.name: {ast.unparse(base).rpartition(".")[2] for base in node.bases}
        for node in ast.walk(module)
        if isinstance(node, ast.ClassDef)
    }


def exception_classes(classes: dict[str, set[str]], known: set[str]) -> set[str]:
    """Those with a base that is an exception: of Python, of a library, or one of `known`."""
    found = {name for name, bases in classes.items() if any(is_exception(b, known) for b in bases)}
    return found if found == known else exception_classes(classes, found)


def is_exception(base: str, known: set[str]) -> bool:
    kind = getattr(builtins, base, None)
    builtin = isinstance(kind, type) and issubclass(kind, BaseException)
    return builtin or base in known or base.endswith(("Error", "Exception"))


def drawn(docstring: str) -> dict[str, str]:
    """The parent of each class in a tree that is drawn with lines, 4 columns a level."""
    path, parents = ["CatchwaterError"], {}
    for indent, name in re.findall(r"^    ((?:│   |    )*)[├└]── (\w+)", docstring, re.MULTILINE):
        level = len(indent) // 4 + 1
        path[level:] = [name]
        assert name not in parents, f"{name} is drawn twice"
        parents[name] = path[level - 1]
    return parents
