"""`catchwater migrate`: what MongoDB lacks, made while everything runs."""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING

import click

from catchwater.commands import options
from catchwater.commands.box import finds_box
from catchwater.commands.printing import say
from catchwater.config.streamdefs import load
from catchwater.errors import RefusedError
from sink.indexes import wanted
from sink.migrating import Migrator
from sink.migration import SHARDED, misplaced, steps

if TYPE_CHECKING:
    from pathlib import Path

    from sink.migration import State


@click.command("migrate")
@click.option("--dry-run", is_flag=True, help="Say what would be done, and do nothing.")
@options.mongo_url
@options.streamdefs
@finds_box
def command(dry_run: bool, mongo_url: str, streamdefs: Path | None) -> None:
    """Make the indexes that MongoDB lacks, and shard a sharded cluster. Nothing has to be stopped.

    The sink makes its indexes itself when it starts; on millions of issues that takes a while, so
    run this before a new version of it. Through a mongos the collections that grow are sharded,
    too, by a user who may do that. What is done already is left alone: is it cut short, then run
    it again.
    """
    retention = load(streamdefs).retention
    with closing(Migrator(mongo_url)) as migrator:
        state = migrator.state()
        if wrong := misplaced(state):
            raise RefusedError("; ".join(wrong))
        say(_kind(state))
        left = steps(state, wanted(retention))
        for step in left:
            say(f"would be made: {step.does}" if dry_run else step.does)
            if not dry_run:
                migrator.do(step)
    say(f"{len(left)} steps{' left' if dry_run else ' done'}" if left else "nothing is left to do")


def _kind(state: State) -> str:
    if state.shard_keys is None:
        return "no sharded cluster: indexes only"
    return f"a sharded cluster: {', '.join(SHARDED)} are sharded, and all have their indexes"
