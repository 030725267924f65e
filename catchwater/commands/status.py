"""`catchwater status`: the depth of every stage, at a glance."""

from __future__ import annotations

import time
from dataclasses import asdict
from typing import TYPE_CHECKING

import click
import orjson

from catchwater.commands import options
from catchwater.commands.box import finds_box
from catchwater.commands.flow import Flow
from catchwater.commands.printing import say
from catchwater.config.streamdefs import load
from catchwater.monitoring import snapshot as snapshots
from catchwater.monitoring.audit import make_audit
from catchwater.monitoring.history import History
from catchwater.monitoring.poller import ACCEPTED, Rates

if TYPE_CHECKING:
    from pathlib import Path

    from catchwater.config.streamdefs import StreamDefs
    from catchwater.monitoring.snapshot import Snapshot

_COLUMNS = ("stage", "reads", "depth", "unread", "pending", "oldest", "consumers", "dead", "done")


@click.command("status")
@options.redis_url
@options.streamdefs
@click.option("--watch", is_flag=True, help="Draw it anew each second, until Ctrl-C.")
@click.option(
    "--json",
    "as_json",
    is_flag=True,
    help="JSON as of GET /api/pipeline, without rates and MongoDB's side (`stored` is null).",
)
@finds_box
def command(redis_url: str, streamdefs: Path | None, watch: bool, as_json: bool) -> None:
    """Show what every stage has still to do, and whether Redis's side of the audit adds up.

    With --watch it is drawn: the streams between the stages, what waits in each, how fast it is
    worked off, and how much waited in the last ten minutes, as far as they were watched.
    """
    defs, connection = load(streamdefs), snapshots.connect(redis_url)
    if not watch:
        say(_shown(snapshots.take_partial(connection, defs), as_json=as_json))
        return
    watched = _Watch(defs)
    while True:
        snapshot = snapshots.take_partial(connection, defs)
        shown = _shown(snapshot, as_json=True) if as_json else watched.picture(snapshot)
        click.clear()
        say(shown)
        time.sleep(1)


class _Watch:
    """What is known of the time since the watching began."""

    def __init__(self, defs: StreamDefs) -> None:
        self._defs = defs
        self._rates = Rates()
        self._history = History(step_s=10.0)

    def picture(self, snapshot: Snapshot) -> str:
        at = time.monotonic()
        done = {one.stage: one.done_total for one in snapshot.stages}
        rates = self._rates.add(at, done | {ACCEPTED: snapshot.accepted}, snapshot.epochs.keys())
        self._history.add(at, snapshot.stages)
        history = {name: self._history.of(name, at) for name in self._defs.stages}
        flow = Flow(self._defs, snapshot.stages, rates, history, rates[ACCEPTED])
        return f"{flow.text()}\n\n{_last_lines(snapshot)}"


def _shown(snapshot: Snapshot, *, as_json: bool) -> str:
    if as_json:
        audit = make_audit(snapshot).as_json()
        stages = [asdict(one) for one in snapshot.stages]
        found = {"stages": stages, "audit": audit, "away": snapshot.away}
        return orjson.dumps(found, option=orjson.OPT_INDENT_2).decode()
    return f"{table(snapshot)}\n\n{_last_lines(snapshot)}"


def _last_lines(snapshot: Snapshot) -> str:
    """What is not in the numbers above, and the audit of what is."""
    away = snapshots.away_text(snapshot.away)
    return "\n".join(filter(None, (away and f"without this: {away}", _audit_line(snapshot))))


def _audit_line(snapshot: Snapshot) -> str:
    audit = make_audit(snapshot)
    lost = f", lost by Redis {audit.lost_by_redis}" if audit.lost_by_redis else ""
    return (
        f"accepted {audit.accepted}, counted {audit.counted}, unaccounted for {audit.missing}{lost}"
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
