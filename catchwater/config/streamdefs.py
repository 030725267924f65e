"""The pipeline as it is declared in `streamdefs.yaml`: streams, stages and retention.

Each setting is declared once, here: its type, default, help and check. The page in docs/ is
generated from it.
"""

from __future__ import annotations

import importlib.resources
import re
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any
from zlib import crc32

from pydantic import BaseModel, ConfigDict, Field, field_validator

from catchwater.config import hash_slots
from catchwater.config.graph import check_graph
from catchwater.config.units import Duration, PerHour, format_duration
from catchwater.config.yaml_errors import Document

if TYPE_CHECKING:
    from collections.abc import Sequence

SOURCE = "raw"
"""The stream that ingest writes."""

SINK = "sink"
"""`run: sink` marks the stage that the sink service runs: it does I/O, so no function is
imported.
"""

SLOWEST = timedelta(milliseconds=2)
"""What an event may take in a stage on a loaded core: what `claim_after` is checked against."""


class Settings(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class StreamDef(Settings):
    limit: int = Field(
        1_000_000,
        ge=1,
        description="at most this many events wait, over all partitions; then ingest answers 429",
    )


class Pace(Settings):
    """How a stage reads. `defaults:` sets it for all stages, a stage may differ."""

    batch: int = Field(
        500, ge=1, le=10_000, description="at most this many events are read in one turn"
    )
    wait: Duration = Field(
        timedelta(seconds=1),
        ge=timedelta(milliseconds=10),
        le=timedelta(seconds=30),
        description="how long a read waits for events; also how soon a stop is noticed",
    )
    gather: Duration = Field(
        timedelta(milliseconds=50),
        ge=timedelta(0),
        le=timedelta(seconds=5),
        description="while events come in small batches, the time from one read to the next: what "
        "comes meanwhile is "
        "worked on together, at a fraction of the cost; an event that comes alone is read at once",
    )
    claim_after: Duration = Field(
        timedelta(seconds=30),
        ge=timedelta(milliseconds=100),
        description="entries that a consumer has not committed for this long are claimed by "
        "another",
    )
    hang_after: Duration = Field(
        timedelta(minutes=2),
        ge=timedelta(milliseconds=100),
        description="a stage that works on one batch for this long hangs: its process ends itself, "
        "and the entries are tried again as after a crash",
    )
    tries: int = Field(
        5,
        ge=2,
        le=100,
        description=(
            "an entry that was delivered this often and never committed goes to the dead letters"
        ),
    )


class StageDef(Pace):
    run: list[str] = Field(
        description="the stage's function, as module:function, or several, chained; or sink"
    )
    reads: str = Field(description="the stream it reads; its consumer group bears the stage's name")
    emits: str | None = Field(None, description="the stream its answers go to")
    once_for: Duration | None = Field(
        None,
        ge=timedelta(minutes=1),
        description="how long a mark of Emit(once=...) is remembered, at least: the dedupe horizon",
    )
    samples: PerHour | None = Field(
        None,
        ge=1,
        description=(
            "how many events of an issue are stored whole: the first ones, then about this "
            "many an hour"
        ),
    )
    issues: int = Field(
        5_000,
        ge=1,
        description="how many issues of a project are counted apart, for each partition and month; "
        "the events of further ones are counted under its one issue `other`",
    )

    @field_validator("run", mode="before")
    @classmethod
    def _as_list(cls, value: Any) -> Any:
        return [value] if isinstance(value, str) else value

    @field_validator("run")
    @classmethod
    def _named(cls, value: list[str]) -> list[str]:
        wrong = [name for name in value if name != SINK and not re.fullmatch(r"[\w.]+:\w+", name)]
        if wrong or not value or (SINK in value and len(value) > 1):
            raise ValueError("write module:function, a list of them, or sink")
        return value


class Retention(Settings):
    """How long MongoDB stores things."""

    samples: Duration = Field(
        timedelta(days=30),
        ge=timedelta(hours=1),
        description="samples: events that are stored whole",
    )
    hours: Duration = Field(
        timedelta(days=90), ge=timedelta(days=1), description="each issue's counts by the hour"
    )
    maps: Duration = Field(
        timedelta(days=90),
        ge=timedelta(hours=1),
        description="source maps, after they were last uploaded",
    )
    issues: Duration = Field(
        timedelta(days=180), ge=timedelta(days=1), description="issues, after they were last seen"
    )


class StreamDefs(Settings):
    partitions: int = Field(
        8,
        ge=1,
        le=hash_slots.MOST,
        description="copies of every stream, stored in Redis; from 5 on, `catchwater partitions "
        "grow` doubles those of data that is there",
    )
    streams: dict[str, StreamDef] = Field(
        description="the streams by name, named for what their events are"
    )
    stages: dict[str, StageDef] = Field(
        description="the stages by name; a stage's consumer group has the same name"
    )
    defaults: Pace = Field(Pace(), description="what stages use that do not say otherwise")  # type: ignore[call-arg] # all have defaults
    retention: Retention = Field(Retention(), description="how long MongoDB stores things")  # type: ignore[call-arg] # all have defaults

    @property
    def tags(self) -> list[str]:
        """The hash tags of the partitions, in order."""
        return hash_slots.tags(self.partitions)

    def partition_of(self, event_id: str) -> int:
        return crc32(event_id.encode()) % self.partitions

    def partitions_of(self, event_ids: Sequence[bytes]) -> list[int]:
        """The same of many."""
        return [crc32(event_id) % self.partitions for event_id in event_ids]

    def readers(self, stream: str) -> list[str]:
        """The stages that read `stream`."""
        return [name for name, stage in self.stages.items() if stage.reads == stream]

    def upstream(self, stream: str) -> set[str]:
        """`stream`, and all streams whose events are on their way to it."""
        before = [stage.reads for stage in self.stages.values() if stage.emits == stream]
        return {stream}.union(*map(self.upstream, before))

    @property
    def tallied(self) -> str:
        """The stage that counts: the one whose events the sink reads."""
        sinks = [stage.reads for stage in self.stages.values() if stage.run == [SINK]]
        return next(name for name, stage in self.stages.items() if stage.emits in sinks)

    @property
    def counting_path(self) -> list[str]:
        """The stages an event passes on its way from ingest to its count, in order."""
        path = [self.tallied]
        while (reads := self.stages[path[0]].reads) != SOURCE:
            path.insert(
                0, next(name for name, stage in self.stages.items() if stage.emits == reads)
            )
        return path


def load(path: Path | None = None) -> StreamDefs:
    """The pipeline declared in `path` (default: the packaged one).

    Raises ConfigError with every mistake, each at its line.
    """
    document = Document(path or packaged(), "--streamdefs names another")
    sections = _sections(document)
    # The top level alone: its sections are validated already, each under its own name.
    top = {key: value for key, value in document.data.items() if key not in sections}
    whole = document.build(StreamDefs, top | {"streams": {}, "stages": {}}, ())
    check_graph(document, SOURCE, SINK)
    for name, stage in sections["stages"].items():
        if stage is not None:
            _check_pace(document, name, stage)
    document.finish()
    assert whole is not None, "finish() raises when a part could not be built"
    return whole.model_copy(update=sections)


def _sections(document: Document) -> dict[str, Any]:
    """Every section of the file; None in the place of what is wrong, which `document` has noted."""
    data = document.data
    return {
        "streams": {
            name: document.build(StreamDef, {} if one is None else one, ("streams", name))
            for name, one in document.mapping("streams").items()
        },
        "stages": {
            name: document.build(StageDef, _with_defaults(data, one), ("stages", name))
            for name, one in document.mapping("stages").items()
        },
        "defaults": document.build(Pace, data.get("defaults") or {}, ("defaults",)),
        "retention": document.build(Retention, data.get("retention") or {}, ("retention",)),
    }


def packaged() -> Path:
    """`./streamdefs.yaml` if there is one, else the one that is installed with the package."""
    here = Path("streamdefs.yaml")
    return here if here.exists() else _installed("streamdefs.yaml")


def small() -> Path:
    """The pipeline for a small machine that is installed with the package."""
    return _installed("streamdefs.small.yaml")


def _installed(name: str) -> Path:
    installed = Path(str(importlib.resources.files("catchwater") / name))
    return installed if installed.exists() else Path(__file__).resolve().parents[2] / name


def _with_defaults(data: dict[str, Any], stage: Any) -> Any:
    defaults = data.get("defaults")
    known = defaults if isinstance(defaults, dict) else {}
    inherited = {key: value for key, value in known.items() if key in Pace.model_fields}
    return {**inherited, **stage} if isinstance(stage, dict) else stage


def _check_pace(document: Document, name: str, stage: StageDef) -> None:
    longest = stage.wait + stage.batch * SLOWEST
    if stage.claim_after < longest:
        document.wrong(
            ("stages", name, "claim_after"),
            f"{format_duration(stage.claim_after)} is shorter than a batch can take: {stage.batch} "
            f"events at {format_duration(SLOWEST)} and a wait of {format_duration(stage.wait)} are "
            f"{format_duration(longest)}; raise claim_after or lower batch",
        )
