"""`catchwater dead`: look at the dead letters, replay or drop them."""

from __future__ import annotations

from datetime import UTC, datetime
from itertools import islice
from typing import TYPE_CHECKING

import click

from catchwater.commands import options
from catchwater.commands.box import finds_box
from catchwater.commands.printing import say, say_each
from catchwater.config.streamdefs import load
from catchwater.redis_client import Connection
from catchwater.streams import dead_letters

if TYPE_CHECKING:
    from pathlib import Path

    from catchwater.config.streamdefs import StreamDefs
    from catchwater.streams.dead_letters import Letter

_one_or_all = click.option("--all", "every", is_flag=True, help="All of them.")
_of_stage = click.option("--stage", default="", help="Only those of this stage.")


@click.group("dead")
@options.redis_url
@options.streamdefs
@finds_box
@click.pass_context
def command(context: click.Context, redis_url: str, streamdefs: Path | None) -> None:
    """Dead letters: events that a stage rejected, or that killed too many consumers."""
    context.obj = (Connection(redis_url), load(streamdefs))


@command.command("list")
@_of_stage
@click.option(
    "--limit", default=50, show_default=True, type=click.IntRange(1), help="At most this many."
)
@click.pass_obj
def list_(place: tuple[Connection, StreamDefs], stage: str, limit: int) -> None:
    """One line each: id, time, stage, event id, and why."""
    found = (one for one in dead_letters.letters(*place) if stage in ("", one.stage))
    say_each(map(_line, islice(found, limit)), "there are no dead letters")


@command.command()
@click.argument("letter_id", metavar="ID")
@click.pass_obj
def show(place: tuple[Connection, StreamDefs], letter_id: str) -> None:
    """Everything about one."""
    one = _found(place, letter_id)
    say(_line(one))
    say(f"deliveries: {one.tries}\nwhy: {one.why}")
    for name, value in one.fields.items():
        say(f"{name.decode()}: {value.decode(errors='replace')}")


@command.command()
@click.argument("ids", metavar="ID...", nargs=-1)
@_one_or_all
@_of_stage
@click.pass_obj
def replay(
    place: tuple[Connection, StreamDefs], ids: tuple[str, ...], every: bool, stage: str
) -> None:
    """Give them to their stage once more."""
    done = sum(
        dead_letters.replay(*place, one) for one in _chosen(place, ids, every=every, stage=stage)
    )
    say(f"replayed {done}")


@command.command()
@click.argument("ids", metavar="ID...", nargs=-1)
@_one_or_all
@_of_stage
@click.pass_obj
def drop(
    place: tuple[Connection, StreamDefs], ids: tuple[str, ...], every: bool, stage: str
) -> None:
    """Throw them away, for good. The audit counts them as dropped by the operator."""
    done = sum(
        dead_letters.drop(place[0], one) for one in _chosen(place, ids, every=every, stage=stage)
    )
    say(f"dropped {done}")


def _chosen(
    place: tuple[Connection, StreamDefs], ids: tuple[str, ...], *, every: bool, stage: str
) -> list[Letter]:
    if bool(ids) == every:
        raise click.UsageError(
            "name dead letters by their ids (see `catchwater dead list`), or say --all"
        )
    found = list(dead_letters.letters(*place)) if every else [_found(place, one) for one in ids]
    return [one for one in found if stage in ("", one.stage)]


def _found(place: tuple[Connection, StreamDefs], letter_id: str) -> Letter:
    one = dead_letters.find(*place, letter_id)
    if one is None:
        raise click.ClickException(
            f"there is no dead letter {letter_id!r}; `catchwater dead list` shows them"
        )
    return one


def _line(one: Letter) -> str:
    died = datetime.fromtimestamp(one.died, UTC).isoformat(timespec="seconds")
    event = one.event.id if one.event else "-"
    last = (one.why.strip().splitlines() or [""])[-1]
    return f"{one.id}  {died}  {one.stage}  {event}  {last[:120]}"
