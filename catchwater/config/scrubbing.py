"""The section `private` of a project: what is taken out of its events besides the built-in
kinds, and what is not.
"""

from __future__ import annotations

import re
from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from catchwater.config.globs import Glob

Kind = Literal["secret", "token", "email", "card", "ip"]
"""What is recognised out of the box: docs/privacy.md."""

OptionalKind = Literal["iban", "national_id", "phone"]
"""What is recognised where a project asks for it."""


def _understood(pattern: str) -> str:
    """RE2 says what it cannot do.

    A service without it (ingest) only sees whether this is a regular expression.
    """
    try:
        re.compile(pattern)
        _compiled(pattern)
    except (re.error, OverflowError, RecursionError) as error:
        raise ValueError(f"no regular expression: {error}") from error
    except ImportError:
        return pattern
    if re.search(pattern, ""):
        raise ValueError(
            "this matches where nothing is, so everywhere: let it ask for at least one character"
        )
    return pattern


def _compiled(pattern: str) -> None:
    import re2  # noqa: PLC0415 - where it is installed, and only for a project with patterns

    options = re2.Options()
    options.log_errors = False
    try:
        re2.compile(pattern, options)
    except re2.error as error:
        said = error.args[0].decode() if error.args else "it does not say why"
        raise ValueError(
            f"RE2, which has no lookaround and no backreferences, refuses it: {said}"
        ) from error


Pattern = Annotated[str, Field(min_length=1, max_length=500), AfterValidator(_understood)]


class Private(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    patterns: list[Pattern] = Field(
        default_factory=list,
        max_length=50,
        description=(
            r"what else is taken out of any text, as regular expressions of RE2: "
            r"'\bKD-\d{6}\b'"
        ),
    )
    fields: list[Glob] = Field(
        default_factory=list,
        description="names of fields, headers and parameters that hold a secret too: '*_iban'",
    )
    public_fields: list[Glob] = Field(
        default_factory=list,
        description="names that hold none, whatever they sound like: session_kind",
    )
    keep: list[Kind] = Field(
        default_factory=list,
        description="kinds that are not scrubbed: secret, token, email, card, ip",
    )
    also: list[OptionalKind] = Field(
        default_factory=list,
        description="kinds that are scrubbed too: iban, national_id, phone",
    )


DEFAULT = Private()
