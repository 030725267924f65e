"""The guards of guards.yaml, and how to take one out of a copy of the source."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import yaml

ROOT = Path(__file__).parents[2]


class Guard(NamedTuple):
    file: str
    keeps: str
    """What it is good for."""
    take: str
    """What stands in the file once."""
    put: str
    """The same without the guard."""
    tests: list[str]
    """What is run when it is out."""


def guards() -> list[Guard]:
    found = yaml.safe_load(Path(__file__).with_name("guards.yaml").read_text())
    return [
        Guard(file, one["keeps"], one["take"], one["put"], its["tests"])
        for file, its in found.items()
        for one in its["guards"]
    ]


def guard_that_keeps(what: str) -> Guard:
    return next(one for one in guards() if one.keeps == what)


def without(guard: Guard, text: str) -> str:
    """The text of its file without it."""
    assert text.count(guard.take) == 1, f"{guard.file} has changed: {guard.keeps!r} no longer fits"
    return text.replace(guard.take, guard.put)
