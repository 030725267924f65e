"""The section `fingerprints` of a project: rules that group events differently from the built-in
grouping.
"""

from __future__ import annotations

import re
from typing import Annotated

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from catchwater.config.globs import Glob

PLACEHOLDERS = (
    "default",
    "type",
    "message",
    "file",
    "function",
    "page",
    "release",
    "environment",
    "level",
)
"""What may stand in `{{ }}`."""

_PLACEHOLDER = re.compile(r"\{\{([^{}]{0,40})\}\}")


def _known_placeholders(part: str) -> str:
    unknown = [
        name.strip() for name in _PLACEHOLDER.findall(part) if name.strip() not in PLACEHOLDERS
    ]
    if unknown:
        raise ValueError(f"{{{{ {unknown[0]} }}}} is not known; known: {', '.join(PLACEHOLDERS)}")
    return part


def filled(part: str, values: dict[str, str]) -> str:
    """`part` with the values of its placeholders."""
    return (
        _PLACEHOLDER.sub(lambda found: values.get(found[1].strip(), ""), part)
        if "{{" in part
        else part
    )


def _listed(value: object) -> object:
    return [value] if isinstance(value, str) else value


Part = Annotated[str, Field(min_length=1, max_length=200), AfterValidator(_known_placeholders)]
Globs = Annotated[list[Glob], BeforeValidator(_listed)]


class Match(BaseModel):
    """What an event must be for a rule: everything that is set, in one of the ways that are
    listed.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    type: Globs = Field(
        default_factory=list, description="the type of the error, such as ChunkLoadError"
    )
    message: Globs = Field(default_factory=list, description="its message")
    file: Globs = Field(
        default_factory=list,
        description="the script it was thrown in: its address, or the short form",
    )
    function: Globs = Field(default_factory=list, description="the function it was thrown in")
    page: Globs = Field(default_factory=list, description="the address of the page")
    release: Globs = Field(default_factory=list, description="the release")
    environment: Globs = Field(default_factory=list, description="the environment")
    level: Globs = Field(default_factory=list, description="the level")

    @model_validator(mode="after")
    def _not_empty(self) -> Match:
        if not self.model_fields_set:
            raise ValueError(
                "a rule that asks for nothing would name every event: set at least one of its parts"
            )
        return self


class Rule(BaseModel):
    """One rule.

    The first that matches wins over the client's own fingerprint and over the built-in grouping.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    match: Match = Field(description="what an event must be; each a glob or a list of globs")
    name: list[Part] = Field(
        min_length=1,
        max_length=20,
        description="what names the issue; {{ default }}, {{ type }}... stand for values",
    )
    title: Part = Field(
        default="", description="what the issue is called; empty: by its first event's message"
    )
