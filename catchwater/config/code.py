"""The section `code` of a project: which files are its own code, where their names mislead."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field

from catchwater.config.globs import Glob, any_matches


class Code(BaseModel):
    """Globs of the addresses of files, as frames show them."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    own: list[Glob] = Field(
        default_factory=list,
        max_length=100,
        description="files of the project's own, such as `*/node_modules/@acme/*`",
    )
    libraries: list[Glob] = Field(
        default_factory=list,
        max_length=100,
        description="files that others wrote, such as `*/src/legacy/framework/*`",
    )

    def is_own(self, file: str, *, otherwise: bool) -> bool:
        """Whether a file is the project's own; `own` wins, and `otherwise` where neither says."""
        if any_matches(self.own, file):
            return True
        return otherwise and not any_matches(self.libraries, file)


DEFAULT = Code()
