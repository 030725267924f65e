"""`catchwater issue`: look at issues, and say what becomes of them."""

from __future__ import annotations

from datetime import UTC, datetime
from functools import update_wrapper
from typing import TYPE_CHECKING, Any, cast

import click
import orjson

from catchwater.commands import options
from catchwater.commands.box import finds_box
from catchwater.commands.printing import say, say_each
from catchwater.config.units import parse_duration
from catchwater.errors import QueryParameterError
from catchwater.issues import markdown, search, shown, states
from catchwater.issues.store import IssueStore

if TYPE_CHECKING:
    from collections.abc import Sequence

    from catchwater.commands.options import F

Document = dict[str, Any]

MOST = 10_000
"""Issues that one command changes."""

_as_json = click.option("--json", "as_json", is_flag=True, help="JSON for programs.")


@click.group("issue")
@options.mongo_url
@finds_box
@click.pass_context
def command(context: click.Context, mongo_url: str) -> None:
    """Issues: list and show them; resolve, ignore, reopen, merge them, and write notes.

    Where IDs are taken, --query takes all that match instead. A query has words to search for, and
    filters such as is:unresolved, project:1, release:2.4.0, browser:chrome* and user:u-81:
    docs/issues.md lists them.
    """
    context.obj = IssueStore(mongo_url)
    context.call_on_close(context.obj.close)


def of_many(what: F) -> F:
    """A command on issues that are named, or found by a query."""

    @click.pass_obj
    def wrapped(
        store: IssueStore,
        /,
        ids: tuple[str, ...],
        query: str,
        as_json: bool,
        **kwargs: Any,
    ) -> None:
        issues = _chosen(store, ids, query)
        what(store, issues, **kwargs)
        _say(store, issues, as_json=as_json)

    named = click.argument("ids", metavar="[ID]...", nargs=-1)
    found = click.option("--query", default="", help="All issues that match, instead of IDs.")
    return cast("F", named(found(_as_json(update_wrapper(wrapped, what)))))


@command.command("list")
@click.argument("query", nargs=-1)
@click.option("--sort", type=click.Choice(search.SORTS), default=search.SORTS[0], show_default=True)
@click.option("--limit", type=click.IntRange(1, MOST), default=50, show_default=True)
@_as_json
@click.pass_obj
def list_(store: IssueStore, query: tuple[str, ...], sort: str, limit: int, as_json: bool) -> None:
    """Those that match QUERY, highest first: a line each, or an object of JSON each."""
    _show(store.find(_parsed(" ".join(query)), _now(), sort, limit), as_json=as_json)


@command.command()
@click.argument("identity", metavar="ID")
@click.option("--markdown", "as_markdown", is_flag=True, help="To paste, with the newest stack.")
@_as_json
@click.pass_obj
def show(store: IssueStore, identity: str, as_markdown: bool, as_json: bool) -> None:
    """Everything about one."""
    found = shown.as_json(_named(store, [identity])[0], _now())
    if as_markdown:
        say(markdown.page(found, store.newest_event(identity)))
        return
    if as_json:
        say(orjson.dumps(found))
        return
    notes = found.pop("notes")
    for name, value in found.items():
        if value not in ("", None, {}, []):
            say(f"{name}: {_plain(value)}")
    for note in notes:
        say(f"note of {note.get('at')}: {note.get('text')}")


@command.command()
@click.option("--in", "release", default="", help="Older releases may still have it.")
@click.option("--in-next", is_flag=True, help="All releases seen so far may still have it.")
@of_many
def resolve(store: IssueStore, issues: Sequence[Document], release: str, in_next: bool) -> None:
    """Say that issues are resolved. One that is seen again is unresolved, a regression.

    Versions are compared as semver.org says, others by when they were first seen.
    """
    if release and in_next:
        raise click.UsageError("--in and --in-next exclude each other")
    projects = {one["project"] for one in issues} if in_next else set()
    newest = {one: store.releases(one).newest() for one in projects}
    for project in sorted(one for one in projects if not newest[one]):
        raise click.UsageError(
            f"--in-next: no release of project {project} has been seen; resolve without it"
        )
    at = _now()
    store.set_state(
        issues,
        lambda one: states.resolved(at, release=release, after=newest.get(one["project"], "")),
    )


@command.command()
@click.option(
    "--until",
    default="",
    help="How long: `7d`, `2026-12-24`, `100 events` or `10 users` more. Without it: for good.",
)
@of_many
def ignore(store: IssueStore, issues: Sequence[Document], until: str) -> None:
    """Leave issues alone, until they matter again: they are unresolved then."""
    at = _now()
    limits = _until(until, at) if until else states.Until()
    store.set_state(issues, lambda one: states.ignored(at, limits, one))


@command.command()
@of_many
def reopen(store: IssueStore, issues: Sequence[Document]) -> None:
    """Take back that issues are resolved, ignored or merged."""
    store.reopen(issues)


@command.command()
@click.option("--into", required=True, metavar="ID", help="The issue that they are counted in.")
@of_many
def merge(store: IssueStore, issues: Sequence[Document], into: str) -> None:
    """Make issues a part of another one. Each is counted exactly as before; `reopen` undoes it."""
    target = _named(store, [into])[0]
    if target.get("state") == states.MERGED:
        raise click.UsageError(
            f"{into!r} is itself merged into {target['handling']['into']!r}: name that one"
        )
    for one in issues:
        if one["_id"] == into:
            raise click.UsageError(f"{into!r} cannot be merged into itself")
        if one["project"] != target["project"]:
            raise click.UsageError(f"{one['_id']!r} is of another project than {into!r}")
    store.merge(issues, into, _now())


@command.command()
@click.option("--text", required=True, help="What to write.")
@of_many
def note(store: IssueStore, issues: Sequence[Document], text: str) -> None:
    """Write a note to issues. The newest 100 of an issue are stored."""
    if not 0 < len(text) <= states.LONGEST_NOTE:
        raise click.UsageError(f"--text: 1 to {states.LONGEST_NOTE} characters are needed")
    store.note(issues, _now(), text)


def _chosen(store: IssueStore, ids: Sequence[str], query: str) -> list[Document]:
    if bool(ids) == bool(query):
        raise click.UsageError("name issues by their ids, or say --query (see `issue list`)")
    if ids:
        return _named(store, ids)
    found = store.find(_parsed(query), _now(), search.SORTS[0], MOST + 1)
    if len(found) > MOST:
        raise click.UsageError(f"--query: more than {MOST} issues match; ask for fewer")
    return found


def _named(store: IssueStore, ids: Sequence[str]) -> list[Document]:
    found = store.named(ids)
    missing = set(ids) - {one["_id"] for one in found}
    if missing:
        raise click.ClickException(
            f"there is no issue {min(missing)!r}; `catchwater issue list` shows them"
        )
    return found


def _parsed(query: str) -> search.Search:
    try:
        return search.parse(query)
    except QueryParameterError as error:
        raise click.UsageError(str(error)) from error


def _until(text: str, at: datetime) -> states.Until:
    number, _, unit = text.strip().partition(" ")
    if unit in ("events", "users") and number.isascii() and number.isdigit() and int(number):
        more = int(number)
        return states.Until(events=more) if unit == "events" else states.Until(users=more)
    try:
        return states.Until(time=_time(text.strip(), at))
    except (ValueError, OverflowError):
        raise click.UsageError(
            f"--until: {text!r} is not allowed; write a duration such as 7d, a time such as "
            "2026-12-24, or a number: '100 events', '10 users'"
        ) from None


def _time(text: str, at: datetime) -> datetime:
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        return at + parse_duration(text)
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def _say(store: IssueStore, issues: Sequence[Document], *, as_json: bool) -> None:
    """What has become of them."""
    _show(store.named([one["_id"] for one in issues]), as_json=as_json)


def _show(issues: Sequence[Document], *, as_json: bool) -> None:
    at = _now()
    found = (shown.as_json(one, at) for one in issues)
    say_each(map(orjson.dumps if as_json else _line, found), "there are no such issues")


def _line(one: Document) -> str:
    title = " ".join(f"{one['type']}: {one['message']}".split())
    return (
        f"{one['id']}  {one['state']}  {one['count']} events  {one['users']} users  "
        f"{one['last_seen'] or '-'}  {title[:120]}"
    )


def _plain(value: Any) -> str:
    return value if isinstance(value, str) else orjson.dumps(value).decode()


def _now() -> datetime:
    return datetime.now(UTC)
