"""`catchwater status`: the depth of every stage, at a glance."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import click
import orjson

from catchwater import options, pipeline
from catchwater.connection import Connection
from catchwater.streamdefs import load

if TYPE_CHECKING:
    from pathlib import Path

    from catchwater.pipeline import Snapshot
    from catchwater.streamdefs import StreamDefs

_COLUMNS = ("stage", "reads", "depth", "unread", "pending", "oldest", "consumers", "dead", "done")


@click.command("status")
@options.redis_url
@options.streamdefs
@click.option("--watch", is_flag=True, help="Show it anew each second, until Ctrl-C.")
@click.option("--json", "as_json", is_flag=True, help="JSON, as GET /api/pipeline answers it (`stored` is null).")
def command(redis_url: str, streamdefs: Path | None, watch: bool, as_json: bool) -> None:  # noqa: FBT001 - click's way
    """Show what every stage has still to do, and whether Redis's side of the audit adds up."""
    defs, connection = load(streamdefs), Connection(redis_url)
    while True:
        shown = _shown(pipeline.take(connection, defs), defs, as_json=as_json)
        if not watch:
            click.echo(shown)
            return
        click.clear()
        click.echo(shown)
        time.sleep(1)


def _shown(snapshot: Snapshot, defs: StreamDefs, *, as_json: bool) -> str:
    audit = snapshot.audit(None, snapshot.auditable_since(defs.retention.issues))
    if as_json:
        return orjson.dumps(pipeline.as_json(snapshot, audit), option=orjson.OPT_INDENT_2).decode()
    return table(snapshot) + f"\n\naccepted {audit.accepted}, counted {audit.counted}, unaccounted for {audit.missing}"


def table(snapshot: Snapshot) -> str:
    """The stages, a line each, under a line of names."""
    rows = [_COLUMNS] + [
        (
            one.stage,
            one.reads,
            f"{one.depth:,}",
            f"{one.unread:,}",
            f"{one.pending:,}",
            f"{one.oldest_age_s:.1f}s",
            str(one.consumers),
            f"{one.dead:,}",
            f"{one.done_total:,}",
        )
        for one in snapshot.stages
    ]
    widths = [max(len(row[i]) for row in rows) for i in range(len(_COLUMNS))]
    return "\n".join("  ".join(cell.rjust(width) for cell, width in zip(row, widths, strict=True)) for row in rows)
