"""`catchwater project`: who may send."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from catchwater.commands import options
from catchwater.commands.box import finds_box
from catchwater.commands.printing import say, say_each
from catchwater.config import projects as listed
from catchwater.config.projects import LONGEST_NAME, load
from catchwater.config.projects import add as add_project
from catchwater.errors import ProjectChangeError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


@click.group("project")
def command() -> None:
    """Who may send: the projects in projects.yaml. A running ingest sees changes within seconds."""


@command.command("list")
@options.projects
@finds_box
def list_(projects: Path) -> None:
    """One line each: id, key, name. `catchwater snippet ID` prints the script tags of one."""
    lines = (
        f"{one.id}  {one.key}  {one.name}{'  (disabled)' if one.disabled else ''}"
        for one in load(projects).all
    )
    say_each(lines, "there are no projects; `catchwater project add NAME` makes one")


@command.command()
@click.argument("name", default="")
@click.option("--probes", is_flag=True, help="The project of `catchwater probe`, instead of NAME.")
@options.projects
@finds_box
def add(name: str, probes: bool, projects: Path) -> None:
    """Add a project with a new key; prints its id, key and name.

    `catchwater snippet ID` prints its script tags.
    """
    if probes:
        if name:
            raise click.UsageError("NAME and --probes exclude each other")
        one = listed.add_probes(projects)
        say(f"{one.id}  {one.key}  {one.name}")
        return
    if not 1 <= len(name) <= LONGEST_NAME:
        raise click.BadParameter(
            f"a name of 1 to {LONGEST_NAME} characters is needed", param_hint="NAME"
        )
    one = add_project(projects, name)
    say(f"{one.id}  {one.key}  {one.name}")
    say(f"its script tags: catchwater snippet {one.id} --projects {projects}", err=True)


@command.command()
@click.argument("project")
@options.projects
@finds_box
def rotate(project: str, projects: Path) -> None:
    """Give PROJECT (its id) a new key; prints its id, key and name.

    The old key is accepted as well, until `catchwater project drop-key`.
    """
    one = _changed(lambda: listed.rotate(projects, project))
    say(f"{one.id}  {one.key}  {one.name}")
    say(f"valid as well: {', '.join(one.old_keys)}", err=True)


@command.command("drop-key")
@click.argument("project")
@click.argument("key")
@options.projects
@finds_box
def drop_key(project: str, key: str, projects: Path) -> None:
    """Accept nothing more with KEY, an old key of PROJECT (its id)."""
    one = _changed(lambda: listed.drop_key(projects, project, key))
    say(f"{one.id}  {one.key}  {one.name}")


def _changed(change: Callable[[], listed.Project]) -> listed.Project:
    """What `change` makes of a project. Raises UsageError."""
    try:
        return change()
    except ProjectChangeError as error:
        raise click.UsageError(str(error)) from error
