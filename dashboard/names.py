"""The declared projects, read again when their file changes, so that a new one shows without a restart."""

from __future__ import annotations

from typing import TYPE_CHECKING

import structlog

from catchwater.mistakes import Mistaken
from catchwater.projects import Project, load

if TYPE_CHECKING:
    from pathlib import Path

log = structlog.get_logger()


class ProjectNames:
    """The projects of a file. One that is missing or mistaken leaves those known before: pages show ids then."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._projects: list[Project] = []
        self._seen: tuple[int, int] | None = None

    def projects(self) -> list[Project]:
        version = self._version()
        if version != self._seen:
            self._seen = version
            self._read()
        return self._projects

    def by_id(self) -> dict[str, str]:
        """Each project's name by its id, in the file's order."""
        return {project.id: project.name for project in self.projects()}

    def _version(self) -> tuple[int, int] | None:
        try:
            found = self._path.stat()
        except OSError:
            return None
        return found.st_mtime_ns, found.st_ino

    def _read(self) -> None:
        if self._seen is None:
            return
        try:
            self._projects = load(self._path).all
        except Mistaken as error:
            log.warning("projects cannot be read; the names known before stay", mistakes=str(error))
