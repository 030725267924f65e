"""`catchwater check`: every mistake in the configuration, before anything runs on it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from catchwater.commands import options
from catchwater.commands.box import finds_box
from catchwater.commands.printing import say
from catchwater.commands.server_checks import mongo_problems, redis_problems
from catchwater.config import projects
from catchwater.config.streamdefs import SINK, StreamDefs, load, packaged
from catchwater.config.yaml_errors import Document
from catchwater.errors import ConfigError, Mistake, StageImportError
from catchwater.streams.stage_loader import import_stage

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@click.command("check")
@options.streamdefs
@options.projects
@click.option(
    "--live",
    is_flag=True,
    help="Also ask the Redis and the MongoDB whether they can do what is needed.",
)
@options.redis_url
@options.mongo_url
@finds_box
def command(
    streamdefs: Path | None, projects: Path, live: bool, redis_url: str, mongo_url: str
) -> None:
    """Find every mistake in streamdefs.yaml and projects.yaml. Exits with 2 when there is one."""
    found = [
        *_of_pipeline(streamdefs, redis_url if live else "", mongo_url),
        *_of_projects(projects),
    ]
    for line in found:
        say(line, err=True)
    if found:
        raise click.exceptions.Exit(2)
    say("nothing is wrong")


def _of_pipeline(path: Path | None, redis_url: str, mongo_url: str) -> Iterator[str]:
    where = path or packaged()
    try:
        defs = load(where)
    except ConfigError as error:
        yield str(error)
        return
    yield from (f"{where}: {mistake}" for mistake in runnable(defs, Document(where)))
    if redis_url:
        yield from redis_problems(redis_url, defs)
        yield from mongo_problems(mongo_url)


def runnable(defs: StreamDefs, document: Document) -> Iterator[Mistake]:
    """The stages whose `run` cannot be imported or called."""
    for name, stage in defs.stages.items():
        for path in stage.run:
            if path != SINK and (text := _not_runnable(path)):
                yield Mistake(document.line(("stages", name, "run")), f"stages.{name}.run", text)


def _not_runnable(path: str) -> str:
    try:
        import_stage(path)
    except StageImportError as error:
        return str(error)
    return ""


def _of_projects(path: Path) -> Iterator[str]:
    if path.exists():
        try:
            projects.load(path)
        except ConfigError as error:
            yield str(error)
