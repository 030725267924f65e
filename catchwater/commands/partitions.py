"""`catchwater partitions`: doubles the partitions of data that is in use."""

from __future__ import annotations

import time
from contextlib import closing
from typing import TYPE_CHECKING

import click
import orjson

from catchwater.commands import options
from catchwater.commands.box import finds_box
from catchwater.commands.printing import say
from catchwater.config.streamdefs import load
from catchwater.redis_client import Connection
from catchwater.streams.growing import Growth

if TYPE_CHECKING:
    from pathlib import Path

    from catchwater.streams.growing import Progress


@click.group("partitions")
def command() -> None:
    """The copies of every stream that share the work."""


@command.command()
@options.redis_url
@options.streamdefs
@click.option(
    "--wait-replicas",
    default=0,
    show_default=True,
    type=click.IntRange(0),
    help="Replicas of Redis that must have each step before the next, and later whatever moves: as "
    "many as of ingest.",
)
@click.option("--force", is_flag=True, help="Though the copies of the marks may fill Redis.")
@click.option("--json", "as_json", is_flag=True, help="A JSON object for each step.")
@finds_box
def grow(
    redis_url: str, streamdefs: Path | None, wait_replicas: int, force: bool, as_json: bool
) -> None:
    """Grow the partitions of Redis to those of streamdefs.yaml: twice as many, or four times...

    Set `partitions` there first. Nothing has to be stopped: stages that know the old number end,
    and begin again with the new one when this is done. Is it cut short, then run it again.
    """
    with closing(Connection(redis_url)) as connection:
        growth = Growth(connection, load(streamdefs), wait_replicas)
        if not force:
            growth.check_memory()
        began = time.monotonic()
        for step in growth.steps():
            say(_shown(step, time.monotonic() - began, as_json=as_json))
    if growth.is_done:
        say(f"there are {growth.after} partitions already", err=True)


def _shown(step: Progress, seconds: float, *, as_json: bool) -> str:
    if as_json:
        return orjson.dumps(step._asdict() | {"seconds": round(seconds, 3)}).decode()
    copied = f", {step.keys:,} keys" if step.keys else ""
    return f"{seconds:6.1f} s  {step.step} {step.partitions} of {step.of}{copied}"
