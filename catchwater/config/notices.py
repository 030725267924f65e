"""The section `notices` of a project: who is told what of its issues. See docs/notices.md."""

from __future__ import annotations

import re
from datetime import timedelta
from hashlib import blake2b
from typing import TYPE_CHECKING, Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from catchwater.config.units import Duration

if TYPE_CHECKING:
    from datetime import datetime

Kind = Literal["new", "regression", "escalating", "spike", "digest"]
KINDS: tuple[Kind, ...] = ("new", "regression", "escalating", "spike", "digest")

_QUIET = re.compile(r"([01]\d|2[0-3]):([0-5]\d)-([01]\d|2[0-3]):([0-5]\d)")
_CLOCK = r"^([01]\d|2[0-3]):[0-5]\d$"
_DAY_MINUTES = 1_440


class Settings(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class Channel(Settings):
    """One receiver of notices."""

    to: Literal["webhook", "slack", "discord", "teams", "email", "apprise"] = Field(
        description="what kind of receiver it is"
    )
    url: str = Field(
        "",
        repr=False,
        pattern=r"^([a-z][a-z0-9+]*://[!-~]+)?$",
        max_length=2_000,
        description="its address, for all but e-mail: https://...; for apprise tgram://... and "
        "others",
    )
    address: str = Field(
        "",
        pattern=r"^([^@\s,<>]+@[^@\s,<>]+)?$",
        max_length=320,
        description="for e-mail: where it goes to",
    )
    secret: str = Field("", repr=False, description="for a webhook: what its body is signed with")
    kinds: list[Kind] = Field(
        list(KINDS), description="which notices: new, regression, escalating, spike, digest"
    )
    levels: list[str] = Field(
        default_factory=list, description="only issues of these levels; empty: all"
    )
    environments: list[str] = Field(
        default_factory=list, description="only issues seen in one of these; empty: all"
    )
    tags: dict[str, str] = Field(
        default_factory=dict, description="only issues seen with each of these, as `tenant: north`"
    )
    per_hour: int = Field(
        20,
        ge=1,
        le=1_000,
        description="at most so many notices an hour; what is over comes later, as one",
    )
    group_from: int = Field(
        5, ge=2, le=10_000, description="so many notices that wait at once are told as one"
    )

    @model_validator(mode="after")
    def _addressed(self) -> Channel:
        needed, other = ("address", "url") if self.to == "email" else ("url", "address")
        if not getattr(self, needed) or getattr(self, other):
            raise ValueError(f"to: {self.to} needs `{needed}`, and no `{other}`")
        if self.to not in ("email", "apprise") and not self.url.startswith(("https:", "http:")):
            raise ValueError(f"url of {self.to} begins with https://")
        if self.secret and self.to != "webhook":
            raise ValueError("secret is for a webhook only")
        return self

    @property
    def id(self) -> str:
        """The same for as long as it is the same receiver, wherever it stands in the file."""
        where = f"{self.to} {self.url} {self.address}".encode()
        return blake2b(where, digest_size=8).hexdigest()


class Notices(Settings):
    channels: list[Channel] = Field(
        default_factory=list, description="who is told; empty: nobody. See the next table"
    )
    gather: Duration = Field(
        timedelta(seconds=10),
        ge=timedelta(0),
        le=timedelta(hours=1),
        description="how long a notice waits for others that it may be told with",
    )
    cooldown: Duration = Field(
        timedelta(hours=1),
        ge=timedelta(0),
        description="how long after a notice of an issue the next one of the same kind waits",
    )
    quiet: str = Field("", description="hours in UTC without notices, such as 22:00-07:00")
    spike_factor: float = Field(
        4.0, ge=1.5, description="an hour with so many times what is usual then is a spike"
    )
    spike_least: int = Field(
        50, ge=10, description="events that an hour needs to be a spike at all"
    )
    digest: str = Field("09:00", pattern=_CLOCK, description="when a day's digest is told, in UTC")

    @field_validator("quiet")
    @classmethod
    def _is_span(cls, value: str) -> str:
        if value and not _QUIET.fullmatch(value):
            raise ValueError("write two times of a day, such as 22:00-07:00")
        return value

    def is_quiet(self, at: datetime) -> bool:
        """Whether nobody is to be told at this time, which is in UTC."""
        found = _QUIET.fullmatch(self.quiet)
        if found is None:
            return False
        hour, minute, until_hour, until_minute = map(int, found.groups())
        begin, end = 60 * hour + minute, 60 * until_hour + until_minute
        now = 60 * at.hour + at.minute
        return (now - begin) % _DAY_MINUTES < (end - begin) % _DAY_MINUTES


NONE = Notices()  # type: ignore[call-arg]  # all have defaults
