"""`catchwater audit`: the identity that proves the counts, looked at now."""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING

import click
import orjson

from catchwater.commands import options
from catchwater.commands.box import finds_box
from catchwater.commands.printing import say
from catchwater.config.streamdefs import load
from catchwater.monitoring.poller import PipelinePoller
from catchwater.monitoring.snapshot import away_text
from dashboard.health_summary import stored_part
from dashboard.stored_counts import StoredCounts

if TYPE_CHECKING:
    from pathlib import Path

    from catchwater.event import Json


@click.command("audit")
@options.redis_url
@options.mongo_url
@options.streamdefs
@click.option("--json", "as_json", is_flag=True, help="JSON, as the `audit` of GET /api/pipeline.")
@finds_box
def command(redis_url: str, mongo_url: str, streamdefs: Path | None, as_json: bool) -> None:
    """Check that accepted = counted + duplicates + dropped + dead + depth, and that MongoDB
    holds what is counted.

    Exits with 1 when it does not add up, or MongoDB or a node of Redis does not answer.
    """
    with closing(StoredCounts(mongo_url)) as stored_counts:
        poller = PipelinePoller(redis_url, load(streamdefs), stored_counts)
        reading = poller.read_now()
    audit, away = reading.audit.as_json(), away_text(reading.snapshot.away)
    say(orjson.dumps(audit, option=orjson.OPT_INDENT_2).decode() if as_json else spelled(audit))
    if away:
        say(f"Only of what can be read: {away}.", err=True)
    if not audit["adds_up"] or audit["stored"] is None or away:
        raise click.exceptions.Exit(1)


def spelled(audit: Json) -> str:
    """The audit as lines that a person can add up."""
    dropped = sum(audit["dropped"].values())
    rows = [
        ("accepted", audit["accepted"]),
        ("= counted", audit["counted"]),
        ("+ duplicates", audit["duplicates"]),
        ("+ dropped", dropped),
        ("+ dead letters", audit["dead"]),
        ("+ on the way", audit["depth"]),
    ]
    lines = [f"{name:<16}{value:>14,}" for name, value in rows]
    lines += [f"    {reason:<20}{n:>12,}" for reason, n in sorted(audit["dropped"].items())]
    lines.append(f"{'in MongoDB':<16}{_or_unknown(audit['stored']):>14}")
    if audit["occurrences"] != audit["counted"]:
        lines.append(f"{'occurrences':<16}{audit['occurrences']:>14,}")
        lines.append(f"{'in MongoDB':<16}{_or_unknown(audit['occurrences_stored']):>14}")
    if audit["lost_by_redis"]:
        lines.append(f"{'lost by Redis':<16}{audit['lost_by_redis']:>14,}")
    return "\n".join([*lines, "", _verdict(audit)])


def _verdict(audit: Json) -> str:
    if audit["missing"]:
        return f"It does not add up: {audit['missing']:,} events are unaccounted for."
    if audit["stored"] is None:
        return "MongoDB does not answer: its side is not known."
    if not audit["adds_up"]:
        return f"MongoDB holds {stored_part(audit)}, and none is on the way."
    return "It adds up."


def _or_unknown(value: int | None) -> str:
    return "unknown" if value is None else f"{value:,}"
