"""`catchwater status`: the depth of every stage, at a glance."""

from __future__ import annotations

import time
from dataclasses import asdict
from typing import TYPE_CHECKING

import click
import orjson

from catchwater.commands import options
from catchwater.commands.box import finds_box
from catchwater.config.streamdefs import load
from catchwater.monitoring import snapshot as snapshots
from catchwater.monitoring.audit import make_audit
from catchwater.redis_client import Connection

if TYPE_CHECKING:
    from pathlib import Path

    from catchwater.monitoring.snapshot import Snapshot

_COLUMNS = ("stage", "reads", "depth", "unread", "pending", "oldest", "consumers", "dead", "done")


@click.command("status")
@options.redis_url
@options.streamdefs
@click.option("--watch", is_flag=True, help="Show it anew each second, until Ctrl-C.")
@click.option(
    "--json",
    "as_json",
    is_flag=True,
    help="JSON as of GET /api/pipeline, without rates and MongoDB's side (`stored` is null).",
)
@finds_box
def command(redis_url: str, streamdefs: Path | None, watch: bool, as_json: bool) -> None:
    """Show what every stage has still to do, and whether Redis's side of the audit adds up."""
    defs, connection = load(streamdefs), Connection(redis_url)
    while True:
        shown = _shown(snapshots.take(connection, defs), as_json=as_json)
        if not watch:
            click.echo(shown)
            return
        click.clear()
        click.echo(shown)
        time.sleep(1)


def _shown(snapshot: Snapshot, *, as_json: bool) -> str:
    audit = make_audit(snapshot)
    if as_json:
        found = {"stages": [asdict(one) for one in snapshot.stages], "audit": audit.as_json()}
        return orjson.dumps(found, option=orjson.OPT_INDENT_2).decode()
    lost = f", lost by Redis {audit.lost_by_redis}" if audit.lost_by_redis else ""
    return (
        table(snapshot)
        + f"\n\naccepted {audit.accepted}, counted {audit.counted}, unaccounted for {audit.missing}"
        + lost
    )


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
    return "\n".join(
        "  ".join(cell.rjust(width) for cell, width in zip(row, widths, strict=True))
        for row in rows
    )
