"""`catchwater explain`: which issue a report belongs to, and why. Needs no server."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any, BinaryIO

import click
import orjson

from catchwater import options
from stages import projects as per_project
from stages.fingerprint import READERS
from stages.naming import body, saved, versions
from stages.noise.unwanted import unwanted

if TYPE_CHECKING:
    from pathlib import Path

# Fields that a Sentry event has and a report of the snippet has not.
_SENTRYS = frozenset({
    "exception", "logentry", "event_id", "platform", "contexts", "timestamp", "request", "transaction", "threads",
})  # fmt: skip
_READERS = {**READERS, "named": saved.read}


@click.command("explain")
@click.argument("file", type=click.File("rb"), default="-")
@options.projects
@click.option(
    "--project", default="", metavar="ID", help="Apply this project's rules, and say which filter would drop."
)
def command(file: BinaryIO, projects: Path, project: str) -> None:
    """Print the fingerprint, the frames and the reasons for each report in FILE (or standard input).

    One JSON object a line: reports of the snippet, Sentry events, Reporting API reports, CSP reports, or the raw
    events that Catchwater keeps. One JSON object a line comes out. A line that is none of these is named on
    standard error, the others go on, and the exit code is 1.
    """
    if project:
        _check(projects, project)
    wrong = 0
    for number, line in enumerate(file, 1):
        if not line.strip():
            continue
        try:
            explained = explain(line, project)
        except ValueError as error:
            wrong += 1
            click.echo(f"line {number}: {error}", err=True)
            continue
        click.echo(one_line(explained))
    sys.exit(1 if wrong else 0)


def explain(line: bytes, project: str = "") -> dict[str, Any]:
    """What is printed for one line. Raises ValueError with a reason if it is not one of the known shapes."""
    try:
        told = orjson.loads(line.removeprefix(b"\xef\xbb\xbf"))
    except orjson.JSONDecodeError as error:
        raise ValueError(f"not JSON: {error}; each line must hold one JSON object") from error
    if not isinstance(told, dict):
        raise ValueError(f"a JSON {type(told).__name__}, not an object; each line must hold one report or event")  # noqa: TRY004 - one kind of error for one kind of trouble
    details = _READERS[kind_of(told)](told)
    wishes = per_project.of(project)
    name, fingerprints = versions.named(details, wishes.rules)
    found = {"id": id_of(told), **body.identity(details, name, fingerprints)}
    if project and (reason := unwanted(details, {}, wishes.filters)):
        found["dropped"] = reason
    return found | ({"title": name.title} if name.title else {})


def _check(path: Path, project: str) -> None:
    """Raises BadParameter for a project that the file does not know; Mistaken when the file is wrong."""
    listed = per_project.read(path)
    if project not in listed:
        known = ", ".join(listed) or "none"
        raise click.BadParameter(f"there is no project {project!r} in {path}; known: {known}", param_hint="--project")
    per_project.watch(path)


def one_line(told: dict[str, Any]) -> bytes:
    """JSON in what every reader takes for one line: some end a line at these three characters, too."""
    written = orjson.dumps(told)
    for char in ("\x85", "\u2028", "\u2029"):
        written = written.replace(char.encode(), f"\\u{ord(char):04x}".encode())
    return written


def kind_of(told: dict[str, Any]) -> str:
    """Which reader understands `told`, by its shape."""
    if "fingerprints" in told and "frames" in told:
        return "named"
    if "csp-report" in told:
        return "csp"
    if isinstance(told.get("body"), dict) and isinstance(told.get("type"), str) and "message" not in told:
        return "report"
    if not _SENTRYS.isdisjoint(told):
        return "sentry"
    return "sentry" if isinstance(told.get("sdk"), dict) else "snippet"


def id_of(told: dict[str, Any]) -> str | None:
    """The event's id, if the report brings one: 32 hexadecimal digits, as ingest would take it."""
    given = told.get("id") or told.get("event_id")
    return given.replace("-", "").lower() if isinstance(given, str) else None
