"""`catchwater sink`: writes what was counted to MongoDB."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import click

from catchwater import options, service
from catchwater.stage_command import loop, new_name, run, trouble
from catchwater.streamdefs import SINK, load
from sink.store import Store
from sink.work import store_in

if TYPE_CHECKING:
    from pathlib import Path


@click.command("sink")
@options.service
@options.mongo_url
@options.consumer
def command(
    redis_url: str, mongo_url: str, streamdefs: Path | None, ops_host: str, ops_port: int, log_level: str, consumer: str
) -> None:
    """Write counted events to MongoDB, until told to stop. Any number may run at once."""
    defs = load(streamdefs)
    name = next(name for name, stage in defs.stages.items() if stage.run == [SINK])
    service.configure_logging(name, log_level)
    stopping = service.stop_signal()
    store = Store(mongo_url, defs.retention)
    work = partial(store_in, store)
    one = loop(redis_url, defs, name, work, consumer or f"{name}-{new_name()}", stopping, store.prepare)
    with service.OpsServer(ops_host, ops_port, lambda: trouble([one])):
        run([one], stopping)
