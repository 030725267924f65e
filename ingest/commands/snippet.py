"""`catchwater snippet`: what to put into a page."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from catchwater.commands import options
from catchwater.commands.box import finds_box
from catchwater.config.projects import load
from ingest import tag_check, tags

if TYPE_CHECKING:
    from pathlib import Path

    from catchwater.config.projects import Project


@click.command("snippet")
@click.argument("project")
@click.option(
    "--inline",
    is_flag=True,
    help="Only the tags that do not make the page wait: a stub and an async script.",
)
@click.option(
    "--nonce",
    default="",
    help="A nonce for the tags: what your server puts there, such as '{{ nonce }}'.",
)
@click.option(
    "--check",
    is_flag=True,
    help="Fetch the immutable script and compare it; exit code 1 if it differs.",
)
@options.public_url
@options.projects
@finds_box
def command(
    project: str, inline: bool, nonce: str, check: bool, public_url: str, projects: Path
) -> None:
    """Print the script tags for PROJECT (its id or key): plain, immutable with its integrity,
    and inline.

    The immutable address and the integrity are of this version of Catchwater: print them anew after
    an upgrade.
    """
    one = _project(projects, project)
    at = one.ingest_url(public_url)
    if not at:
        raise click.UsageError(
            "how do browsers reach ingest? Say --public-url https://errors.example to this "
            "command and to ingest "
            f"(or set CATCHWATER_PUBLIC_URL for both), or give project {one.id} a `url` in "
            f"{projects}"
        )
    page = tags.Page(at, one.key, nonce)
    click.echo(page.inline() if inline else page.every())
    if check and (wrong := tag_check.trouble(page)):
        raise click.ClickException(wrong)


def _project(projects: Path, wanted: str) -> Project:
    known = load(projects)
    if one := known.by_id(wanted) or known.by_key(wanted):
        return one
    there = ", ".join(f"{one.id} ({one.name})" for one in known.all) or "none"
    raise click.BadParameter(
        f"{wanted[:100]!r} is no project of {projects}; there: {there}", param_hint="PROJECT"
    )
