"""The declared projects by name; a new one shows without a restart."""

from __future__ import annotations

from typing import TYPE_CHECKING

from catchwater.config.projects import Project, Projects, load
from catchwater.config.reloading import Reloading
from catchwater.event import PROBES

if TYPE_CHECKING:
    from pathlib import Path


class ProjectNames:
    """The projects of a file, looked at for each page.

    While it is missing or wrong, those known before stay; a page shows ids where there are none.
    """

    def __init__(self, path: Path) -> None:
        self._file = Reloading(path, load, initial=Projects([]), look_every_s=0.0)

    def projects(self) -> list[Project]:
        """The projects, in the file's order, but for that of probes."""
        return [one for one in self._file.get().all if one.id != PROBES]

    def by_id(self) -> dict[str, str]:
        """Each project's name by its id, in the file's order."""
        return {project.id: project.name for project in self.projects()}
