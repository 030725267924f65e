"""What the JSON API answers, as models: what programs are told of it is generated from them.

They describe and are not filled in: `views.py` makes the answers, and the tests compare the two.
Further fields may come with later versions.
"""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field

Time = Annotated[str, Field(json_schema_extra={"format": "date-time"})]
"""In UTC with milliseconds: `2026-11-23T14:28:00.123Z`."""

Id = Annotated[str, Field(description="`<project>:<fingerprint>`")]
Hours = Annotated[list[int], Field(description="events of each hour, oldest first; the last runs")]
Days = Annotated[list[int], Field(description="events of each UTC day, oldest first; today last")]
State = Annotated[str, Field(description="unresolved, resolved, ignored or merged")]
Nothing = Annotated[dict[str, Any], Field(max_length=0)]


class Failure(BaseModel):
    """Why there is no answer, in a sentence that names the value and the next step."""

    error: str


class Project(BaseModel):
    """A project that is declared, or has issues."""

    project: str = Field(description="its id, as in a DSN")
    name: str
    issues: int
    events_24h: int


class Regression(BaseModel):
    """When a resolved issue was seen again, and in which release."""

    at: Time
    release: str = Field(description="'' where nobody knows it")


class Issue(BaseModel):
    """All events with one fingerprint in one project. Texts are what strangers sent."""

    id: Id
    project: str
    type: str
    message: str
    culprit: str = Field(description="file and function of the project's own that threw")
    count: int = Field(description="events so far, exactly")
    users: int = Field(description="about how many users were affected")
    trend: int = Field(description="the last 24 hours against the week before; 0 is as usual")
    first_seen: Time | None
    last_seen: Time | None
    level: str
    state: State
    regressed: Regression | Nothing
    hours: Hours
    days: Days = Field([], description="as many as `span` says; not there with `24h`")


class Issues(BaseModel):
    """A page of a list of issues."""

    issues: list[Issue]
    next: str | None = Field(description="`cursor` of the next page; null on the last one")


class Handling(BaseModel):
    """What people said about an issue; {} for nothing."""

    model_config = ConfigDict(serialize_by_alias=True)

    at: Time = ""
    in_: str = Field("", alias="in", description="resolved in this release")
    after: str = Field("", description="resolved in the release after this one")
    events: int = Field(0, description="ignored until it has more events")
    users: int = Field(0, description="ignored until it has more users")
    time: Time = Field("", description="ignored until then")
    into: Id = Field("", description="merged into this issue")


class Escalation(BaseModel):
    """When an ignored issue mattered again, and why."""

    at: Time
    why: str


class Note(BaseModel):
    at: Time
    text: str


class Called(BaseModel):
    """What an issue was called that is counted in this one."""

    id: Id
    type: str
    message: str
    culprit: str
    late: Time | None = Field(description="since when, where its source maps came late")


class Deploy(BaseModel):
    release: str
    environment: str
    at: Time | None


class Sample(BaseModel):
    """A stored event, in short."""

    id: str
    received: Time | None
    page: str
    browser: str
    os: str
    release: str
    environment: str
    type: str
    message: str
    culprit: str
    level: str
    user: str
    n: int = Field(description="occurrences that it stands for")


class Ignored(BaseModel):
    part: str
    why: str


class Explanation(BaseModel):
    """Why events are grouped so: what the fingerprint was made of, and what was left out."""

    fingerprint: str
    fingerprints: dict[str, Any] = Field(description="by version of the grouping")
    used: list[str]
    ignored: list[Ignored]


class Event(BaseModel):
    """A stored event, whole. Every further field is as the client sent it or a stage named it."""

    model_config = ConfigDict(extra="allow")

    id: str
    issue: Id
    project: str
    received: Any = Field(description="when ingest had it: a time")
    breadcrumbs: list[dict[str, Any]] = Field(description="what happened before, oldest first")
    type: Any = None
    message: Any = None
    frames: Any = Field(None, description="of the stack, innermost first")
    chain: Any = Field(None, description="the errors that caused it, nearest first")
    late: Time | None = Field(None, description="since when it has its source maps")


class WholeIssue(Issue):
    """An issue, its tags, its newest samples, and why it was grouped so."""

    handling: Handling
    escalated: Escalation | Nothing
    notes: list[Note]
    merged: list[Id] = Field(description="issues that are counted in this one")
    names: list[str] = Field(description="further ids, by other versions of the grouping")
    called: list[Called]
    tags: dict[str, dict[str, int]] = Field(description="counts by value, of each tag")
    deploys: list[Deploy]
    samples: list[Sample] = Field(description="newest first")
    explain: Explanation
    newest: Event | Nothing = Field(description="the newest sample, whole")


class Mark(BaseModel):
    environment: str
    at: Time | None


class Release(BaseModel):
    project: str
    release: str
    first_seen: Time | None
    last_seen: Time | None
    deploys: list[Mark] = Field(description="newest first")
    new: int = Field(description="issues that were first seen in it")


class Releases(BaseModel):
    """The releases that were seen first lately, newest first."""

    releases: list[Release]


class WholeRelease(Release):
    """A release, and the first issues that are `new`, `regressed` and `gone` in it."""

    users: int = Field(description="about how many users its new issues affected")
    previous: str = Field(description="the release before; '' where there is none")
    issues: dict[str, list[Issue]]
    searches: dict[str, str] = Field(description="the `q` that finds all issues of each kind")


class Stage(BaseModel):
    """What a stage has still to do, over all partitions."""

    stage: str
    reads: str = Field(description="the stream that it reads")
    depth: int = Field(description="events that it has not done yet: unread and pending")
    unread: int
    pending: int
    oldest_age_s: float
    consumers: int
    dead: int = Field(description="events that it gave up on")
    done_total: int
    rate: float = Field(description="events a second that it finishes")


class Audit(BaseModel):
    """accepted = counted + duplicates + dropped + dead + depth."""

    accepted: int
    counted: int
    duplicates: int
    dropped: dict[str, int] = Field(description="by reason")
    dead: int
    depth: int
    stored: int | None = Field(description="of `counted`, in MongoDB; null: it does not answer")
    occurrences: int
    occurrences_stored: int | None
    refused: dict[str, int] = Field(description="by reason; never accepted")
    client_losses: dict[str, int] = Field(description="what clients discarded themselves")
    lost_by_redis: int
    on_the_way: int
    missing: int = Field(description="accepted, and unaccounted for")
    adds_up: bool


class Pipeline(BaseModel):
    """The pipeline at the time `taken`."""

    stages: list[Stage]
    audit: Audit
    away: dict[str, int] = Field(
        description="partitions that could not be read, by the node of a Redis Cluster that has "
        "them: nothing of them is in the other numbers"
    )
    taken: Time
