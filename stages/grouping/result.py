"""The result of a version of grouping."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from stages.grouping.frames import Frame


@dataclass(slots=True)
class GroupingResult:
    """The fingerprint of an issue, 32 hexadecimal digits, and why.

    `top` is the frame that stands for the place. `title` is what a rule of the project calls the
    issue, '' without one.
    """

    fingerprint: str = ""
    used: list[str] = field(default_factory=list)
    ignored: list[dict[str, str]] = field(default_factory=list)
    top: Frame | None = None
    title: str = ""

    def ignore(self, part: str, why: str) -> None:
        self.ignored.append({"part": part, "why": why})

    def ignore_all_used(self, why: str) -> None:
        """Something else decides: what was used so far is ignored."""
        for part in self.used:
            self.ignore(part, why)
        self.used = []
