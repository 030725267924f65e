"""What a version of naming answers."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from stages.naming.frames import Frame


@dataclass(slots=True)
class Name:
    """What an issue is called: 32 hexadecimal digits, and why. `top` is the frame that stands for the place; `title`
    is what a rule of the project calls it, '' without one.
    """

    fingerprint: str = ""
    used: list[str] = field(default_factory=list)
    ignored: list[dict[str, str]] = field(default_factory=list)
    top: Frame | None = None
    title: str = ""

    def ignore(self, part: str, why: str) -> None:
        self.ignored.append({"part": part, "why": why})
