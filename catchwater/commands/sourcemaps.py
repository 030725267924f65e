"""`catchwater sourcemaps`: gives the source maps of a build to Catchwater, and lists what it
has.
"""

from __future__ import annotations

import sys
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

import click

from catchwater.commands import options, sourcemaps_apply, sourcemaps_serve
from catchwater.commands.box import finds_box
from catchwater.commands.printing import say, say_each
from catchwater.config.streamdefs import load
from catchwater.sourcemaps import explaining
from catchwater.sourcemaps.lookup import awaited
from catchwater.sourcemaps.store import MapStore, StoredMap
from catchwater.sourcemaps.upload.folder import artifacts, plain_id
from catchwater.sourcemaps.upload.map_reader import MapReader
from catchwater.sourcemaps.upload.store_artifact import OUTCOMES, Build, store_artifact
from catchwater.stage import StageEnvironment

if TYPE_CHECKING:
    from collections.abc import Iterator

_PROJECT = click.option(
    "--project", required=True, metavar="ID", help="The project's id: digits, as in its DSN."
)


@click.group("sourcemaps")
def command() -> None:
    """Source maps: how minified frames become lines of the source.

    Upload those of a build before it is deployed.
    """


command.add_command(sourcemaps_serve.command)
command.add_command(sourcemaps_apply.command)


@command.command()
@click.argument(
    "folder", metavar="DIR", type=click.Path(path_type=Path, exists=True, file_okay=False)
)
@_PROJECT
@click.option(
    "--release",
    default="",
    help="The release that pages report. Not needed where scripts have debug ids.",
)
@click.option(
    "--url-prefix",
    default="~/",
    show_default=True,
    help="Where DIR is served: ~/static/ on any host.",
)
@click.option(
    "--dist",
    default="",
    help="Which of several builds of the release this is, as pages report it; none: all.",
)
@options.mongo_url
@options.projects
@options.streamdefs
@finds_box
def upload(
    folder: Path,
    project: str,
    release: str,
    url_prefix: str,
    dist: str,
    mongo_url: str,
    projects: Path,
    streamdefs: Path | None,
) -> None:
    """Upload every source map below DIR.

    Uploading again changes nothing, but the retention starts again. Events that were stored before
    their maps show lines of the source from then on, too (see `apply`).

    Prints what became of each file. The exit code is 1 if a map was refused or could not be read,
    or there was none at all.
    """
    _check(project, url_prefix)
    build = Build(project, release, dist, url_prefix)
    counts, defs, ids = dict.fromkeys(OUTCOMES, 0), load(streamdefs), set()
    with closing(MapStore(mongo_url)) as store, closing(MapReader(store.has_index)) as reader:
        store.prepare(defs.retention.maps)
        for artifact in artifacts(folder, reader):
            outcome, text = store_artifact(store, build, artifact)
            counts[outcome] += 1
            ids.add(artifact.debug_id)
            say(f"{outcome:<9} {artifact.file}: {text}")
    say(", ".join(f"{n} {outcome}" for outcome, n in counts.items()))
    maps = awaited(release, sorted(ids)) if counts["uploaded"] + counts["there"] else []
    environment = StageEnvironment(mongo_url, projects=projects)
    for line in sourcemaps_apply.apply_after_upload(defs, environment, project, maps):
        say(line)
    if counts["refused"] or counts["unread"] or not counts["uploaded"] + counts["there"]:
        sys.exit(1)


@command.command("list")
@_PROJECT
@options.mongo_url
@finds_box
def list_(project: str, mongo_url: str) -> None:
    """One line for each map of a project, newest first: when, release (and dist), debug id, path,
    size.
    """
    _check(project, "~/")
    say_each(map(_line, _listed(mongo_url, project)), f"project {project} has no maps")


@command.command()
@click.argument("address", metavar="URL")
@_PROJECT
@click.option("--release", default="", help="The release that the page reports.")
@click.option("--dist", default="", help="The dist that the page reports, if it does.")
@click.option("--debug-id", default="", help="The debug id that the SDK sent for the script.")
@options.mongo_url
@finds_box
def explain(
    address: str, project: str, release: str, dist: str, debug_id: str, mongo_url: str
) -> None:
    """Say why a frame of the script at URL finds its source map, or why it does not.

    URL is as the stack has it; with :LINE:COLUMN at its end, the place in the source is told, too.

    The exit code is 1 if the frame stays as it is.
    """
    _check(project, "~/")
    asked = explaining.question(project, release, address, plain_id(debug_id), dist)
    with closing(MapStore(mongo_url)) as store:
        found = explaining.explain(store, asked)
    say("\n".join(found.lines))
    if not found.mapped:
        sys.exit(1)


def _listed(mongo_url: str, project: str) -> Iterator[StoredMap]:
    with closing(MapStore(mongo_url)) as store:
        yield from store.listed(project)


def _line(one: StoredMap) -> str:
    when = one.uploaded.strftime("%Y-%m-%d %H:%M") if one.uploaded else ""
    release = f"{one.release or '-'}{f' (dist {one.dist})' if one.dist else ''}"
    line = f"{when}  {release}  {one.debug_id or '-'}  {one.path}  {one.size:,} bytes"
    return line + (f"  unread: {one.unread}" if one.unread else "")


def _check(project: str, url_prefix: str) -> None:
    if not (project.isascii() and project.isdecimal() and len(project) <= 10):
        raise click.BadParameter(
            f"{project!r} is no project's id: see `catchwater project list`", param_hint="--project"
        )
    if not url_prefix.startswith("~/"):
        raise click.BadParameter(
            f"{url_prefix!r} must begin with ~/, which stands for any host: ~/static/",
            param_hint="--url-prefix",
        )
