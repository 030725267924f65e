"""Looks for texts that a regular expression takes more than linear time for.

A text is a piece of the pattern's own characters, again and again, and sometimes another end. When
twice its length takes three times as long, and again, the pattern is not linear.
"""

from __future__ import annotations

import importlib
import pkgutil
import re
import time
from collections.abc import Callable, Iterator
from itertools import product
from re import _parser as parser  # type: ignore[attr-defined] # the stable part of it
from types import ModuleType
from typing import Any, NamedTuple

PACKAGES = ("catchwater", "ingest", "stages", "sink", "dashboard")
SHORT = 1500
"""Characters of the shorter text; the longer one has twice as many."""

SEARCHING = {"search", "sub", "subn", "finditer", "findall", "split"}
ENDS = ("", "!", "\n", "\0")
MOST_CHARACTERS = 14


class Use(NamedTuple):
    """A pattern and how its module applies it."""

    name: str
    pattern: re.Pattern[Any]
    method: str


class Slow(NamedTuple):
    use: Use
    piece: str
    growth: float
    """How much longer twice the text takes."""
    ns_a_character: float


def uses() -> Iterator[Use]:
    """Every compiled pattern of every module, with the methods that the module calls."""
    for module in _modules():
        source = _source(module)
        for name, value in sorted(vars(module).items()):
            for pattern in _patterns(value):
                for method in _methods(name, source):
                    yield Use(f"{module.__name__}.{name}", pattern, method)


def _modules() -> Iterator[ModuleType]:
    for package in PACKAGES:
        for found in pkgutil.walk_packages(
            importlib.import_module(package).__path__, f"{package}."
        ):
            if ".commands." not in found.name and not found.name.endswith("__main__"):
                yield importlib.import_module(found.name)


def _source(module: ModuleType) -> str:
    with open(str(module.__file__), encoding="utf-8") as file:  # noqa: PTH123 - one line
        return file.read()


def _patterns(value: Any) -> Iterator[re.Pattern[Any]]:
    if isinstance(value, re.Pattern):
        yield value
    elif isinstance(value, dict):
        for one in [*value.keys(), *value.values()]:
            yield from _patterns(one)
    elif isinstance(value, list | tuple | set | frozenset):
        for one in value:
            yield from _patterns(one)


def _methods(name: str, source: str) -> list[str]:
    """`search` where it is not told from the text of the module."""
    named = set(re.findall(rf"\b{re.escape(name)}\.(\w+)", source))
    found = {"search" if one in SEARCHING else one for one in named & (SEARCHING | ANCHORED)}
    return sorted(found) or ["search"]


ANCHORED = {"match", "fullmatch"}


def characters(pattern: re.Pattern[Any]) -> list[str]:
    """Some of those that the pattern speaks of, and others."""
    found: dict[str, None] = {}
    text = (
        pattern.pattern if isinstance(pattern.pattern, str) else pattern.pattern.decode("latin-1")
    )
    for code in _codes(parser.parse(text, pattern.flags & re.VERBOSE)):
        if 0 < code < 0x3000:
            found[chr(code)] = None
    return [*list(found)[:MOST_CHARACTERS], *(one for one in "a1 A.(" if one not in found)]


def _codes(parsed: Any) -> Iterator[int]:
    for one in parsed if isinstance(parsed, list | tuple | parser.SubPattern) else ():
        name = str(one[0]) if isinstance(one, tuple) and one else ""
        if name in {"LITERAL", "NOT_LITERAL"}:
            yield one[1]
        elif name == "RANGE":
            yield from one[1]
        else:
            yield from _codes(one)


def pieces(pattern: re.Pattern[Any]) -> Iterator[str]:
    """One character, two of them, and the longest literal texts of the pattern."""
    known = characters(pattern)
    yield from known
    yield from ("".join(pair) for pair in product(known, repeat=2))
    text = (
        pattern.pattern if isinstance(pattern.pattern, str) else pattern.pattern.decode("latin-1")
    )
    yield from sorted(re.findall(r"[\w:/@<>= -]{3,}", text), key=len)[-4:]


def slowest(use: Use) -> Slow | None:
    """The piece that takes more than linear time; None where none was found."""
    for piece in dict.fromkeys(pieces(use.pattern)):
        for end in ENDS:
            growth, ns = _growth(use, piece, end, SHORT)
            if growth > 3 and all(_growth(use, piece, end, SHORT)[0] > 2.8 for _ in range(4)):
                growth, ns = _growth(use, piece, end, 2 * SHORT)
                if growth > 2.8:
                    return Slow(use, piece + end, growth, ns)
    return None


def _growth(use: Use, piece: str, end: str, length: int) -> tuple[float, float]:
    apply = _applied(use)
    shorter, longer = (piece * (n // len(piece)) + end for n in (length, 2 * length))
    if isinstance(use.pattern.pattern, bytes):
        shorter, longer = shorter.encode(), longer.encode()  # type: ignore[assignment]
    before = min(_seconds(apply, shorter) for _ in range(2))
    if before < 100e-6:  # too short to be told
        return 0.0, before / length * 1e9
    after = min(_seconds(apply, longer) for _ in range(2))
    return after / before, after / length / 2 * 1e9


def _applied(use: Use) -> Callable[[Any], object]:
    if use.method == "search":
        return lambda text: sum(1 for _ in use.pattern.finditer(text))
    return getattr(use.pattern, use.method)


def _seconds(apply: Callable[[Any], object], text: Any) -> float:
    started = time.process_time()
    apply(text)
    return time.process_time() - started
