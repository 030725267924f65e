"""`catchwater check`: every mistake in the configuration, before anything runs on it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from catchwater import options, projects
from catchwater.capabilities import mongo_trouble, redis_trouble
from catchwater.mistakes import Document, Mistake, Mistaken
from catchwater.stage_command import imported
from catchwater.streamdefs import SINK, StreamDefs, load, packaged

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@click.command("check")
@options.streamdefs
@options.projects
@click.option("--live", is_flag=True, help="Also ask the Redis and the MongoDB whether they can do what is needed.")
@options.redis_url
@options.mongo_url
def command(streamdefs: Path | None, projects: Path, live: bool, redis_url: str, mongo_url: str) -> None:  # noqa: FBT001 - click's way
    """Find every mistake in streamdefs.yaml and projects.yaml. Exits with 2 when there is one."""
    found = [*_of_pipeline(streamdefs, redis_url if live else "", mongo_url), *_of_projects(projects)]
    for line in found:
        click.echo(line, err=True)
    if found:
        raise click.exceptions.Exit(2)
    click.echo("nothing is wrong")


def _of_pipeline(path: Path | None, redis_url: str, mongo_url: str) -> Iterator[str]:
    where = path or packaged()
    try:
        defs = load(where)
    except Mistaken as error:
        yield str(error)
        return
    yield from (f"{where}: {mistake}" for mistake in runnable(defs, Document(where)))
    if redis_url:
        yield from redis_trouble(redis_url, defs)
        yield from mongo_trouble(mongo_url)


def runnable(defs: StreamDefs, document: Document) -> Iterator[Mistake]:
    """The stages whose `run` cannot be imported or called."""
    for name, stage in defs.stages.items():
        for path in stage.run:
            if path != SINK and (text := _not_runnable(path)):
                yield Mistake(document.line(("stages", name, "run")), f"stages.{name}.run", f"{path!r} {text}")


def _not_runnable(path: str) -> str:
    try:
        return "" if callable(imported(path)) else "is not a function"
    except (ImportError, AttributeError) as error:
        return f"cannot be imported: {error}"


def _of_projects(path: Path) -> Iterator[str]:
    if path.exists():
        try:
            projects.load(path)
        except Mistaken as error:
            yield str(error)
