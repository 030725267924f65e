"""`catchwater stage NAME...`: a process that runs stages of the pipeline."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from catchwater import service
from catchwater.commands import options
from catchwater.config.streamdefs import SINK, StreamDefs, load
from catchwater.stage import StageEnvironment
from catchwater.streams.runner import StageLoops, not_ready_reason, run_stages
from catchwater.streams.stage_loader import load_stages

if TYPE_CHECKING:
    from pathlib import Path


@click.command("stage")
@click.argument("names", nargs=-1, required=True, metavar="NAME...")
@options.service
@options.consumer
@options.mongo_url
@options.maps_memory
@options.projects
def command(
    names: tuple[str, ...],
    redis_url: str,
    streamdefs: Path | None,
    ops_host: str,
    ops_port: int,
    log_level: str,
    consumer: str,
    mongo_url: str,
    maps_memory: int,
    projects: Path,
) -> None:
    """Run one or more stages of the pipeline in this process."""
    defs = load(streamdefs)
    _check_names(defs, names)
    service.configure_logging(" ".join(names), log_level)
    loaded = load_stages(defs, names, StageEnvironment(mongo_url, maps_memory, projects))
    stopping = service.stop_signal()
    stages = [
        StageLoops(redis_url, defs, name, one, consumer, stopping) for name, one in loaded.items()
    ]
    with service.OpsServer(ops_host, ops_port, lambda: not_ready_reason(stages)):
        run_stages(stages, stopping)


def _check_names(defs: StreamDefs, names: tuple[str, ...]) -> None:
    for name in names:
        if name not in defs.stages or defs.stages[name].run == [SINK]:
            known = ", ".join(one for one, stage in defs.stages.items() if stage.run != [SINK])
            raise click.BadParameter(
                f"there is no stage {name!r}; known: {known}", param_hint="NAME"
            )
