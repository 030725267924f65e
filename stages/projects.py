"""What each project wants done with its events: `projects.yaml`, read again when it changes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from catchwater import filters
from catchwater.projects import Projects, load_if_there
from catchwater.watched import Watched

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from catchwater.filters import Filters
    from catchwater.renaming import Rule

_WATCHED: dict[str, Watched[Projects]] = {}
_NONE = Projects([])


def watch(path: Path) -> None:
    """From now on, `path` says what is wanted. Raises Mistaken when it is wrong; later mistakes are logged only."""
    _WATCHED["projects"] = Watched(path, load_if_there)


def forget() -> None:
    """Every project has the defaults again."""
    _WATCHED.clear()


def known() -> Projects:
    return _WATCHED["projects"].get() if _WATCHED else _NONE


def filters_of(project: str) -> Filters:
    """The defaults for a project that the file does not know."""
    found = known().by_id(project)
    return found.filters if found else filters.DEFAULT


def rules_of(project: str) -> Sequence[Rule]:
    found = known().by_id(project)
    return found.fingerprints if found else ()
