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

    def __init__(self, file: Reloading[Projects], only: str = "") -> None:
        self._file, self._only = file, only

    @classmethod
    def read(cls, path: Path) -> ProjectNames:
        return cls(Reloading(path, load, initial=Projects([]), look_every_s=0.0))

    def of_project(self, project: str) -> ProjectNames:
        """The name of one of them alone."""
        return ProjectNames(self._file, project)

    def projects(self) -> list[Project]:
        """The projects, in the file's order, but for that of probes."""
        shown = (one for one in self._file.get().all if one.id != PROBES)
        return [one for one in shown if self._only in ("", one.id)]

    def by_id(self) -> dict[str, str]:
        """Each project's name by its id, in the file's order."""
        return {project.id: project.name for project in self.projects()}
