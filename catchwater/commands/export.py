"""`catchwater export`: what is stored of a user, an issue or a project, as lines of JSON."""

from __future__ import annotations

from contextlib import closing
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

import click
import orjson

from catchwater.commands import options
from catchwater.commands.box import finds_box
from catchwater.commands.printing import say
from catchwater.instants import iso
from catchwater.issues.exporting import COLLECTIONS, Exporter
from catchwater.issues.samples import body_of

if TYPE_CHECKING:
    from catchwater.issues.exporting import Place

_BEGINS = b'{"collection":'
"""How every line does."""

_BLOCK = 1 << 20
"""Bytes that the end of a file is looked for in at a time."""


@click.command("export")
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
@options.whose
@options.mongo_url
@finds_box
def command(file: Path, user: str, issue: str, project: str, mongo_url: str) -> None:
    """Write what MongoDB holds of a user, an issue or a project to FILE: an object of JSON a line.

    Each has `collection`, `id` and the fields of its document; of a sample, the whole event. Is it
    cut short, then the same command goes on where FILE ends.
    """
    options.check_whose(user, issue, project)
    after = _end_of(file)
    with closing(Exporter(mongo_url)) as exporter, file.open("ab") as out:
        if user:
            found = exporter.of_user(user, project, after)
        else:
            of = exporter.of_issue if issue else exporter.of_project
            found = of(issue or project, after)
        lines = 0
        for collection, document in found:
            out.write(line(collection, document))
            lines += 1
    say(f"wrote {lines} documents to {file}", err=True)


def line(collection: str, document: dict[str, Any]) -> bytes:
    """A document as a line. Pure."""
    found = {name: value for name, value in document.items() if name != "_id"}
    if collection == "samples":
        found["event"] = body_of(document)
    whole = {"collection": collection, "id": document["_id"], **found}
    return orjson.dumps(whole, default=_plain, option=orjson.OPT_APPEND_NEWLINE)


def _plain(value: Any) -> Any:
    return iso(value) if isinstance(value, datetime) else str(value)


def _end_of(file: Path) -> Place:
    """Where a file ends. A line that was cut short is taken off it. ('', '') for an empty one.

    Raises UsageError for a file that is none of ours, and leaves it alone.
    """
    if not file.exists():
        return "", ""
    with file.open("r+b") as known:
        last, cut = _last_lines(known)
        place = _place(last) if last else ("", "")
        if (last and place[0] not in COLLECTIONS) or not _BEGINS.startswith(cut[: len(_BEGINS)]):
            raise click.UsageError(f"{file} is no export of Catchwater: name another file")
        known.truncate(known.seek(0, 2) - len(cut))
    return place


def _place(line: bytes) -> Place:
    """Which document a line is; ('', '') for what is no line of ours."""
    try:
        found = orjson.loads(line)
        return str(found["collection"]), str(found["id"])
    except (ValueError, KeyError, TypeError):
        return "", ""


def _last_lines(file: BinaryIO) -> tuple[bytes, bytes]:
    """The last whole line of a file, and what stands behind it."""
    size, read = file.seek(0, 2), b""
    while size > len(read) and read.rpartition(b"\n")[0].count(b"\n") < 1:
        step = min(_BLOCK, size - len(read))
        file.seek(size - len(read) - step)
        read = file.read(step) + read
    whole, _, cut = read.rpartition(b"\n")
    return whole.rpartition(b"\n")[2], cut
