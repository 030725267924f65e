"""The pipeline as it is declared in `streamdefs.yaml`: streams, stages, and how long things are kept.

Each setting is declared once, here: its type, default, help and check. The docs page is made from this.
"""

from __future__ import annotations

import importlib.resources
import re
from pathlib import Path
from typing import Any
from zlib import crc32

from pydantic import BaseModel, ConfigDict, Field, field_validator

from catchwater.graph import check_graph
from catchwater.mistakes import Document
from catchwater.slots import tags
from catchwater.units import Duration, PerHour

SOURCE = "raw"
"""The stream that ingest writes."""

SINK = "sink"
"""`run: sink` marks the stage that the sink service runs: it does I/O, so no function is imported."""

SLOWEST = 0.002
"""Seconds an event may take in a stage on a loaded core: what `claim_after` is checked against."""


class Settings(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class StreamDef(Settings):
    limit: int = Field(
        1_000_000, ge=1, description="at most this many events wait, over all partitions; then ingest answers 429"
    )


class Pace(Settings):
    """How a stage reads. `defaults:` sets it for all stages, a stage may differ."""

    batch: int = Field(500, ge=1, le=10_000, description="at most this many events are read in one turn")
    wait: Duration = Field(
        1.0, ge=0.01, le=30, description="how long a read waits for events; also how soon a stop is noticed"
    )
    gather: Duration = Field(
        0.05,
        ge=0,
        le=5,
        description="while events come in small batches, the time from one read to the next: what comes meanwhile is "
        "worked on together, at a fraction of the cost; an event that comes alone is read at once",
    )
    claim_after: Duration = Field(
        30.0, ge=0.1, description="entries a consumer has held for this long are taken over by another"
    )
    tries: int = Field(
        5,
        ge=2,
        le=100,
        description="an entry that was delivered this often and never committed goes to the dead letters",
    )


class StageDef(Pace):
    run: list[str] = Field(description="the stage's function, as module:function, or several, chained; or sink")
    reads: str = Field(description="the stream it reads; its consumer group bears the stage's name")
    emits: str | None = Field(None, description="the stream its answers go to")
    once_for: Duration | None = Field(
        None, ge=60, description="how long a mark of Emit(once=...) is remembered, at least: the dedupe horizon"
    )
    samples: PerHour | None = Field(
        None,
        ge=1,
        description="how many events of an issue are kept whole: the first ones, then about this many an hour",
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
    """How long MongoDB keeps things."""

    samples: Duration = Field(2_592_000.0, ge=3600, description="events that are kept whole")
    hours: Duration = Field(7_776_000.0, ge=86_400, description="each issue's counts by the hour")
    maps: Duration = Field(7_776_000.0, ge=3600, description="source maps, after they were last uploaded")
    issues: Duration = Field(15_552_000.0, ge=86_400, description="issues, after they were last seen")


class StreamDefs(Settings):
    partitions: int = Field(
        8, ge=1, le=256, description="copies of every stream; fixed for the life of the data, stored in Redis"
    )
    streams: dict[str, StreamDef] = Field(description="the streams by name, named for what their events are")
    stages: dict[str, StageDef] = Field(description="the stages by name; a stage's consumer group has the same name")
    defaults: Pace = Field(Pace(), description="what stages use that do not say otherwise")  # type: ignore[call-arg] # all have defaults
    retention: Retention = Field(Retention(), description="how long MongoDB keeps things")  # type: ignore[call-arg] # all have defaults

    @property
    def tags(self) -> list[str]:
        """The hash tags of the partitions, in order."""
        return tags(self.partitions)

    def partition_of(self, event_id: str) -> int:
        return crc32(event_id.encode()) % self.partitions

    def readers(self, stream: str) -> list[str]:
        """The stages that read `stream`."""
        return [name for name, stage in self.stages.items() if stage.reads == stream]

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
            path.insert(0, next(name for name, stage in self.stages.items() if stage.emits == reads))
        return path


def load(path: Path | None = None) -> StreamDefs:
    """The pipeline declared in `path` (default: the packaged one). Raises `Mistaken` with every mistake."""
    document = Document(path or packaged())
    data = document.data
    shared = document.build(Pace, data.get("defaults", {}) or {}, ("defaults",))
    streams = {
        name: document.build(StreamDef, one if one is not None else {}, ("streams", name))
        for name, one in document.mapping("streams").items()
    }
    stages = {
        name: document.build(StageDef, _with_defaults(data, one), ("stages", name))
        for name, one in document.mapping("stages").items()
    }
    retention = document.build(Retention, data.get("retention", {}) or {}, ("retention",))
    rest = {key: value for key, value in data.items() if key not in ("streams", "stages", "defaults", "retention")}
    whole = document.build(StreamDefs, rest | {"streams": {}, "stages": {}}, ())
    check_graph(document, SOURCE, SINK)
    for name, stage in stages.items():
        if stage is not None:
            _check_pace(document, name, stage)
    document.finish()
    parts = {"streams": streams, "stages": stages, "defaults": shared, "retention": retention}
    assert whole is not None
    return whole.model_copy(update=parts)


def packaged() -> Path:
    """`./streamdefs.yaml` if there is one, else the one that is installed with the package."""
    here = Path("streamdefs.yaml")
    installed = Path(str(importlib.resources.files("catchwater") / "streamdefs.yaml"))
    checkout = Path(__file__).resolve().parent.parent / "streamdefs.yaml"
    return here if here.exists() else installed if installed.exists() else checkout


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
            f"{stage.claim_after:g}s is shorter than a batch can take: {stage.batch} events at {SLOWEST * 1000:g} ms "
            f"and a wait of {stage.wait:g}s are {longest:g}s; raise claim_after or lower batch",
        )
