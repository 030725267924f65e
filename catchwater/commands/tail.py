"""`catchwater tail`: what passes through a stream, without joining its groups."""

from __future__ import annotations

import time
from contextlib import closing
from typing import TYPE_CHECKING, Any

import click
import orjson

from catchwater.commands import options
from catchwater.commands.box import finds_box
from catchwater.commands.printing import say
from catchwater.config.streamdefs import load
from catchwater.config.yaml_errors import suggestion
from catchwater.monitoring.passing import DEAD, Window
from catchwater.redis_client import Connection

if TYPE_CHECKING:
    from pathlib import Path

    from catchwater.monitoring.passing import Passed

EVERY_S = 0.2
"""Seconds between two looks."""

AT_ONCE = 50
"""Entries of a partition that one look shows; more are only counted."""


@click.command("tail")
@click.argument("stream")
@click.option(
    "-n",
    "--lines",
    type=click.IntRange(0, 1_000),
    default=10,
    show_default=True,
    help="How many of those that are there already are shown first.",
)
@click.option("--once", is_flag=True, help="End then, and do not wait for others.")
@click.option("--json", "as_json", is_flag=True, help="An object of JSON a line, the body too.")
@options.redis_url
@options.streamdefs
@finds_box
def command(
    stream: str, lines: int, once: bool, as_json: bool, redis_url: str, streamdefs: Path | None
) -> None:
    """Show the entries of STREAM as they pass, until Ctrl-C: a line each. It only reads.

    STREAM is one of streamdefs.yaml, or `dead` for the dead letters. What passed too fast to be
    shown is counted. Events that wait for their first stage are not scrubbed yet.
    """
    defs = load(streamdefs)
    known = [*defs.streams, DEAD]
    if stream not in known:
        raise click.BadParameter(f"there is no stream {stream[:100]!r}{suggestion(stream, known)}")
    with closing(Connection(redis_url)) as connection:
        window = Window(connection, defs, stream, lines)
        _show(window.first, 0, as_json=as_json)
        if not once:
            say("(waiting for more; Ctrl-C ends it)", err=True)
        while not once:
            time.sleep(EVERY_S)
            _show(*window.look(AT_ONCE), as_json=as_json)


def _show(passed: list[Passed], unseen: int, *, as_json: bool) -> None:
    if unseen:
        say(f"({unseen:,} more passed)", err=True)
    for one in passed:
        found = one.as_json()
        say(orjson.dumps(found).decode() if as_json else line(found))


def line(found: dict[str, Any]) -> str:
    """An entry in at most some 200 characters: place, id, project, kind, issue and its text."""
    place = f"{found['added']:%H:%M:%S.%f}"[:-3] + f"  {found['partition']}/{found['entry']}"
    if "id" not in found:
        return f"{place}  no event: {_short(str(found['fields']))}"
    facts, stage = found["facts"], found.get("stage")
    text = _title(facts.get("about")) or found["body"]
    said = f"{stage}: {_short(found['why'])}" if stage else _short(text)
    issue = f"  {facts['issue']}" if facts.get("issue") else ""
    return f"{place}  {found['id']}  {found['project'] or '-'}  {found['kind']}{issue}  {said}"


def _title(about: Any) -> str:
    return f"{about.get('type')}: {about.get('message')}" if isinstance(about, dict) else ""


def _short(text: str) -> str:
    return " ".join(text.split())[:120]
