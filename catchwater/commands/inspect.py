"""`catchwater inspect`: where an event is, or how it ended, through every stage."""

from __future__ import annotations

import re
from contextlib import closing
from dataclasses import replace
from typing import TYPE_CHECKING

import click
import orjson

from catchwater.commands import options
from catchwater.commands.box import finds_box
from catchwater.commands.printing import say
from catchwater.config.projects import load_if_there
from catchwater.config.streamdefs import load
from catchwater.errors import UnavailableError
from catchwater.issues.samples import SampleStore
from catchwater.monitoring import event_search, event_trace
from catchwater.monitoring.event_trace import Sample
from catchwater.redis_client import Connection

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from catchwater.config.streamdefs import StreamDefs
    from catchwater.monitoring.event_trace import Copy, Trace


@click.command("inspect")
@click.argument("event_id", metavar="EVENT_ID")
@click.option("--project", default="", help="The project that sent it; without it, any of them.")
@click.option(
    "--most",
    type=click.IntRange(100, 10_000_000),
    default=100_000,
    show_default=True,
    help="Entries of each stream that are looked at; others are said to be unknown.",
)
@click.option("--json", "as_json", is_flag=True, help="JSON for programs.")
@options.redis_url
@options.mongo_url
@options.projects
@options.streamdefs
@finds_box
def command(
    event_id: str,
    project: str,
    most: int,
    as_json: bool,
    redis_url: str,
    mongo_url: str,
    projects: Path,
    streamdefs: Path | None,
) -> None:
    """Say where an event is now, or how it ended, and what cannot be known. It only reads.

    An event is in one partition, so only that one is looked at. Exits with 1 when there is no trace
    of it.
    """
    defs, wanted = load(streamdefs), _event_id(event_id)
    samples = _samples(mongo_url, wanted)
    declared = [one.id for one in load_if_there(projects).all]
    senders = [project] if project else [*declared, *(one.project for one in samples or ())]
    with closing(Connection(redis_url)) as connection:
        found = event_search.trace(connection, defs, wanted, senders, most)
    trace = replace(found, samples=samples)
    say(_json(trace, defs) if as_json else _text(trace, defs))
    if not trace.known:
        raise click.exceptions.Exit(1)


def _event_id(text: str) -> str:
    """32 lower-case hex digits, as ingest makes them of a UUID."""
    found = text.replace("-", "").lower()
    if not re.fullmatch("[0-9a-f]{32}", found):
        raise click.BadParameter(
            f"{text[:100]!r} is no event id: 32 hex digits are needed, as the dashboard shows them"
        )
    return found


def _samples(mongo_url: str, event_id: str) -> list[Sample] | None:
    """None while MongoDB does not answer."""
    with closing(SampleStore(mongo_url)) as store:
        try:
            found = store.of(event_id)
        except UnavailableError:
            return None
    return [Sample(str(one["_id"]), str(one["project"]), str(one["issue"])) for one in found]


def _json(trace: Trace, defs: StreamDefs) -> bytes:
    return orjson.dumps(event_trace.as_json(trace, defs), option=orjson.OPT_INDENT_2)


def _text(trace: Trace, defs: StreamDefs) -> str:
    lines = [f"event {trace.event_id}, partition {trace.tag}", *map(_line, trace.copies)]
    lines += [f"  dead      {one.id}  {one.stage}: {_last_line(one.why)}" for one in trace.dead]
    lines += _sentences("", event_trace.conclusions(trace, defs))
    return "\n".join([*lines, *_sentences("Not known: ", event_trace.unknown(trace, defs))])


def _line(one: Copy) -> str:
    return f"  {one.stream:<8}  {one.entry}  {one.stage}: {one.state}"


def _sentences(begin: str, sentences: Iterable[str]) -> list[str]:
    return [f"{begin}{one}." for one in sentences]


def _last_line(why: str) -> str:
    return (why.strip().splitlines() or [""])[-1][:120]
