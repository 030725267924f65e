"""`catchwater release`: what is new, gone and regressed in a release; and when it was deployed."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import click
import orjson

from catchwater.commands import options
from catchwater.commands.box import finds_box
from catchwater.commands.printing import say, say_each
from catchwater.errors import QueryParameterError
from catchwater.issues import release_facts, search, shown
from catchwater.issues.release_store import ReleaseStore
from catchwater.issues.store import IssueStore

if TYPE_CHECKING:
    from catchwater.issues.search import Search

Json = dict[str, Any]

LONGEST = 200  # characters of a release or an environment, as ingest cuts them

_as_json = click.option("--json", "as_json", is_flag=True, help="JSON for programs.")
_project = click.option("--project", required=True, metavar="ID", help="Whose release it is.")


@click.group("release")
@options.mongo_url
@finds_box
@click.pass_context
def command(context: click.Context, mongo_url: str) -> None:
    """Releases: list and show them, and mark when they were deployed."""
    context.obj = ReleaseStore(mongo_url)
    context.call_on_close(context.obj.close)
    context.meta["mongo_url"] = mongo_url


@command.command("list")
@click.option("--project", default="", metavar="ID", help="Of this project only.")
@_as_json
@click.pass_obj
def list_(store: ReleaseStore, project: str, as_json: bool) -> None:
    """The newest ones, and how many issues are new in each."""
    found = store.newest(project)
    say_each(map(orjson.dumps if as_json else _line, found), "no event has named a release yet")


@command.command()
@click.argument("name")
@_project
@_as_json
@click.pass_context
def show(context: click.Context, name: str, project: str, as_json: bool) -> None:
    """Issues that are new in it, that it had again, and that it has no more."""
    store: ReleaseStore = context.obj
    found = store.one(project, name)
    if found is None:
        raise click.ClickException(
            f"no event of release {name!r} was seen in project {project!r}; "
            "`catchwater release list` shows those that were"
        )
    asked = release_facts.searches(project, name, found["previous"])
    found["issues"] = _issues(context.meta["mongo_url"], asked)
    if as_json:
        say(orjson.dumps(found))
    else:
        _print(found)


@command.command()
@click.argument("name")
@_project
@click.option("--environment", default="", help="Where to, such as production.")
@click.option("--at", default="", help="When: a time, or how long ago, such as 10m. Else now.")
@click.pass_obj
def mark(store: ReleaseStore, name: str, project: str, environment: str, at: str) -> None:
    """Remember that a release was deployed: charts show it."""
    if not 0 < len(name) <= LONGEST or len(environment) > LONGEST:
        raise click.UsageError(f"NAME and --environment may have up to {LONGEST} characters")
    now = datetime.now(UTC)
    try:
        time = search.moment("--at", at, now) if at else now
    except QueryParameterError as error:
        raise click.UsageError(str(error)) from error
    store.mark(project, name, environment, time)
    where = f" to {environment}" if environment else ""
    say(f"{name} was deployed{where} at {time:%Y-%m-%d %H:%M:%S} UTC")


def _issues(mongo_url: str, asked: dict[str, Search]) -> dict[str, list[Json]]:
    store, at = IssueStore(mongo_url), datetime.now(UTC)
    try:
        return {
            kind: [
                shown.as_json(one, at)
                for one in store.find(wanted, at, "count", release_facts.LISTED)
            ]
            for kind, wanted in asked.items()
        }
    finally:
        store.close()


def _line(one: Json) -> str:
    marks = ", ".join(
        f"{mark['environment'] or 'deployed'} {mark['at']}" for mark in one["deploys"]
    )
    return f"{one['project']}  {one['release']}  {one['first_seen']}  {one['new']} new  {marks}"


def _print(found: Json) -> None:
    say(_line(found).rstrip())
    before = found["previous"]
    if before:
        say(f"previous: {before}")
    say(f"users affected by what is new: {found['users']}")
    for kind, issues in found["issues"].items():
        say(f"{kind}: {len(issues)}{' or more' * (len(issues) == release_facts.LISTED)}")
        for one in issues:
            title = " ".join(f"{one['type']}: {one['message']}".split())[:120]
            say(f"  {one['id']}  {one['count']} events  {title}")
