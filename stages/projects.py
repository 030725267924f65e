"""What each project wants done with its events: `projects.yaml`, read again when it changes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from catchwater import filters
from catchwater.projects import load_if_there
from catchwater.watched import Watched
from stages.private import cleaner

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from catchwater.filters import Filters
    from catchwater.renaming import Rule
    from stages.private.cleaner import Cleaner


@dataclass(frozen=True, slots=True)
class Wishes:
    """Of one project: what it drops, how it names, and what it takes out."""

    filters: Filters = filters.DEFAULT
    rules: Sequence[Rule] = ()
    cleaner: Cleaner = cleaner.DEFAULT


DEFAULT = Wishes()
"""Of a project that the file does not know."""

_WATCHED: dict[str, Watched[dict[str, Wishes]]] = {}


def watch(path: Path) -> None:
    """From now on, `path` says what is wanted. Raises Mistaken when it is wrong; later mistakes are logged only."""
    _WATCHED["projects"] = Watched(path, read)


def forget() -> None:
    """Every project has the defaults again."""
    _WATCHED.clear()


def read(path: Path) -> dict[str, Wishes]:
    """The wishes in a file, by the project's id; none if there is no such file. Raises Mistaken."""
    return {
        one.id: Wishes(one.filters, one.fingerprints, cleaner.Cleaner(one.private)) for one in load_if_there(path).all
    }


def of(project: str) -> Wishes:
    return _WATCHED["projects"].get().get(project, DEFAULT) if _WATCHED else DEFAULT
