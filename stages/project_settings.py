"""What each project wants done with its events: `projects.yaml`, read again when it changes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from catchwater.config import code, filters
from catchwater.config.projects import load_if_there
from catchwater.config.reloading import Reloading
from stages.scrubbing import cleaner

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from catchwater.config.code import Code
    from catchwater.config.filters import Filters
    from catchwater.config.grouping_rules import Rule
    from stages.scrubbing.cleaner import Cleaner


@dataclass(frozen=True, slots=True)
class ProjectSettings:
    """Of one project: what it drops, how it names, what it takes out, and what is its own code."""

    filters: Filters = filters.DEFAULT
    rules: Sequence[Rule] = ()
    cleaner: Cleaner = cleaner.DEFAULT
    code: Code = code.DEFAULT


DEFAULT = ProjectSettings()
"""Of a project that the file does not know."""


class SettingsFile:
    """The settings in `projects.yaml`, read again when the file changes."""

    def __init__(self, path: Path) -> None:
        """Raises ConfigError when the file is wrong; later mistakes in it are only logged."""
        self._file = Reloading(path, read)

    def of(self, project: str) -> ProjectSettings:
        """The settings of the project with this id."""
        return self._file.get().get(project, DEFAULT)


def read(path: Path) -> dict[str, ProjectSettings]:
    """The settings in a file by the project's id; none if there is no such file.

    Raises ConfigError.
    """
    return {
        one.id: ProjectSettings(
            one.filters, one.fingerprints, cleaner.Cleaner(one.private), one.code
        )
        for one in load_if_there(path).all
    }


def default(_project: str) -> ProjectSettings:
    """The settings of every project, where no file is read."""
    return DEFAULT
