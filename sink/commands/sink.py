"""`catchwater sink`: writes what was counted to MongoDB."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import click

from catchwater import service
from catchwater.commands import options
from catchwater.config.streamdefs import SINK, load
from catchwater.streams.runner import StageLoops, not_ready_reason, run_stages
from catchwater.streams.stage_loader import LoadedStage
from sink.trends import Trends, TrendStore
from sink.work import store_in
from sink.writer import MongoWriter

if TYPE_CHECKING:
    from pathlib import Path


@click.command("sink")
@options.service
@options.mongo_url
@options.consumer
def command(
    redis_url: str,
    mongo_url: str,
    streamdefs: Path | None,
    ops_host: str,
    ops_port: int,
    log_level: str,
    consumer: str,
) -> None:
    """Write counted events to MongoDB, until it is stopped. Any number may run at once."""
    defs = load(streamdefs)
    name = next(name for name, stage in defs.stages.items() if stage.run == [SINK])
    service.configure_logging(name, log_level)
    stopping = service.stop_signal()
    trends = Trends(TrendStore(mongo_url))
    writer = MongoWriter(mongo_url, defs.retention, trends.wrote)
    loaded = LoadedStage(partial(store_in, writer), writer.prepare)
    stage = StageLoops(redis_url, defs, name, loaded, consumer, stopping)
    with trends, service.OpsServer(ops_host, ops_port, lambda: not_ready_reason([stage])):
        run_stages([stage], stopping)
