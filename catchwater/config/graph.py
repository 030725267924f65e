"""The whole-graph check of a pipeline: what no single line of `streamdefs.yaml` shows."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Any

from catchwater.config.yaml_errors import suggestion

if TYPE_CHECKING:
    from catchwater.config.yaml_errors import Document


def check_graph(document: Document, source: str, sink: str) -> None:
    """Note every mistake between streams and stages: orphans, unknown names, cycles, events
    counted twice.
    """
    streams = document.mapping("streams")
    stages = {
        name: stage for name, stage in document.mapping("stages").items() if isinstance(stage, dict)
    }
    _check_names(document, streams, stages)
    _check_orphans(document, streams, stages, source)
    _check_sink(document, stages, sink)
    _check_ways(document, stages, source)


def _check_names(document: Document, streams: dict[str, Any], stages: dict[str, Any]) -> None:
    for name, stage in stages.items():
        for key in ("reads", "emits"):
            if isinstance(stage.get(key), str) and stage[key] not in streams:
                text = f"there is no stream {stage[key]!r}" + suggestion(stage[key], streams)
                document.wrong(("stages", name, key), text)


def _check_orphans(
    document: Document, streams: dict[str, Any], stages: dict[str, Any], source: str
) -> None:
    read = {stage.get("reads") for stage in stages.values()}
    written = {stage.get("emits") for stage in stages.values()} | {source}
    if source not in streams:
        document.wrong(
            ("streams",), f"the stream {source!r}, which ingest writes, is missing: add it"
        )
    for name in streams:
        if name not in read:
            document.wrong(
                ("streams", name),
                "no stage reads it: it would fill for ever; add a stage or remove it",
            )
        if name not in written:
            document.wrong(
                ("streams", name), "no stage emits to it; add emits to a stage or remove it"
            )


def _check_sink(document: Document, stages: dict[str, Any], sink: str) -> None:
    sinks = [name for name, stage in stages.items() if stage.get("run") in (sink, [sink])]
    if len(sinks) != 1:
        document.wrong(("stages",), f"exactly one stage must have run: {sink}, not {len(sinks)}")
    for name, stage in stages.items():
        if name in sinks and stage.get("emits"):
            document.wrong(
                ("stages", name, "emits"),
                f"the sink writes to MongoDB and emits nothing, not {stage['emits']!r}",
            )
        if name not in sinks and not stage.get("emits"):
            document.wrong(("stages", name), "emits is missing: only the sink emits nothing")


def _check_ways(document: Document, stages: dict[str, Any], source: str) -> None:
    """From ingest to any stream there must be one way: a second one counts events twice, none
    is a cycle.
    """
    writers: defaultdict[Any, list[str]] = defaultdict(list)
    for name, stage in stages.items():
        if stage.get("emits"):
            writers[stage["emits"]].append(name)
    for stream, names in writers.items():
        if len(names) > 1 or stream == source:
            also = "ingest" if stream == source else names[0]
            document.wrong(
                ("stages", names[-1], "emits"),
                f"{also} writes {stream!r} already: events would count twice",
            )
    for name, stage in stages.items():
        if _in_cycle(name, stages):
            document.wrong(
                ("stages", name),
                f"is part of a cycle: its events come back to {stage.get('reads')!r}",
            )


def _in_cycle(start: str, stages: dict[str, Any]) -> bool:
    seen: set[str] = set()
    ahead = {stages[start].get("emits")}
    while ahead - seen:
        seen |= {stream for stream in ahead if stream}
        ahead = {stage.get("emits") for stage in stages.values() if stage.get("reads") in seen} - {
            None
        }
    return stages[start].get("reads") in seen
