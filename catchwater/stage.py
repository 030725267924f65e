"""How a stage declares what it needs besides its function.

A plain function `Event -> Answer` is a stage. One that has to open something first, or that handles
client reports, says so with the decorator `stage`. A misspelt or mistyped part is an error when the
module is imported: at the start of `catchwater stage`, and in `catchwater check`.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

    from catchwater.answers import Answer
    from catchwater.event import Event, Json


@dataclass(frozen=True, slots=True)
class SamplesWanted:
    """In each partition, of an issue: the `first` ones, and of each hour the `hourly` first."""

    first: int
    hourly: int
    partition_of: Callable[[str], int]
    """The partition of an event, by its id."""


@dataclass(frozen=True, slots=True)
class StageEnvironment:
    """The settings of `catchwater stage` that a stage may open something with.

    `samples`: which events of an issue the stages behind this one have a use for whole. The body of
    any other may be left empty: it is only counted. None: all of them, because some stage on the
    way may look into bodies.
    """

    mongo_url: str = "mongodb://127.0.0.1:27017"
    maps_memory_mb: int = 32
    projects: Path = Path("projects.yaml")
    samples: SamplesWanted | None = None


@dataclass(frozen=True, slots=True)
class SecondLook:
    """What a stage makes of a sample that it grouped before, with what is there now.

    `shown` are fields of the sample's body as people are to see them, `awaits` the source maps that
    are not there yet. `issue` is the one that such an event belongs to from now on, '' where that
    is not certain, and `about` what that issue's page needs.
    """

    shown: Json
    awaits: list[str] = field(default_factory=list)
    issue: str = ""
    about: Json = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Stage:
    """A stage's function and its hooks. Calling a Stage calls its function, and no hook."""

    function: Callable[..., Answer]
    open_resources: Callable[[StageEnvironment], Any] | None = None
    warm_up: Callable[[], None] | None = None
    handles_client_reports: bool = False
    look_again: Callable[[Json, Any], SecondLook | None] | None = None
    reads_body: bool = True

    def __call__(self, event: Event, *resources: Any) -> Answer:
        """Returns the answer for one event. Tests may leave out `resources`."""
        return self.function(event, *resources)


def stage(
    *,
    open_resources: Callable[[StageEnvironment], Any] | None = None,
    warm_up: Callable[[], None] | None = None,
    handles_client_reports: bool = False,
    look_again: Callable[[Json, Any], SecondLook | None] | None = None,
    reads_body: bool = True,
) -> Callable[[Callable[..., Answer]], Stage]:
    """Returns a decorator that declares the hooks of a stage's function.

    `open_resources` is called once per process, before the first event. The function gets its
    result as second argument, for each event. It may raise ConfigError: then the process ends. It
    is never called again, so what it opens must survive an outage by itself.

    `warm_up` is called before the first batch and after each outage, never while a batch is worked
    on. It may raise UnavailableError: then it is called again later.

    With `handles_client_reports` the function gets client reports too (events of the kind
    CLIENT_REPORT). Without it they skip the stage, as they do not describe an error.

    `look_again` gets the body of a stored sample, and what `open_resources` returned, after source
    maps were uploaded; None: it would be what it was.

    A stage that needs nothing but the facts, leaves the issue as it is and does not drop most of an
    issue's events says `reads_body=False`. Where all stages on the way to the count say so, bodies
    of events that cannot become samples are left out.
    """

    def declare(function: Callable[..., Answer]) -> Stage:
        return Stage(
            function, open_resources, warm_up, handles_client_reports, look_again, reads_body
        )

    return declare
