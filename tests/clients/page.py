"""docs/clients.md: which of Sentry's clients were tried, and what became of their errors.

Each of its tables is written by the test that makes it, where all clients are tried.
"""

from __future__ import annotations

import os
import re
from pathlib import Path

from tests.clients.apps import APPS
from tests.clients.old import OLD
from tests.clients.sdks import SDKS
from tests.clients.uploading import DEPENDENCIES, EVERY, bundler_of

ALL = os.environ.get("CATCHWATER_CLIENTS") == "all"
PAGE = Path(__file__).parents[2] / "docs" / "clients.md"
Table = dict[str, dict[str, str]]
"""For each client what came of it, by column."""

WAYS = ("directly", "through nginx", "by release")
SDK_COLUMNS = ("thrown", "rejected", "captured", "message", "component", "told")


def write_uploads(found: Table) -> None:
    _write("uploads", "".join(_upload(client, found[client]) for client in EVERY))


def write_old(found: Table) -> None:
    rows = (_line([text], found[client], ("bundler", "frame")) for client, text in OLD.items())
    _write("old", "".join(rows))


def write_sdks(found: Table) -> None:
    _write("sdks", "".join(_line([f"`{name}`"], found[name], SDK_COLUMNS) for name in SDKS))


def write_apps(found: Table) -> None:
    _write("apps", "".join(_app(name, found[name]) for name in APPS))


def names_of(table: str) -> list[str]:
    """The first cell of each row that the page has there."""
    found = re.search(_table(table), PAGE.read_text(), re.DOTALL)
    assert found, f"{PAGE} has no table {table}"
    return re.findall(r"^\| `([^`]+)` \|", found[2], re.MULTILINE)


def _write(table: str, rows: str) -> None:
    """Its rows stand between the line below the head and the next comment."""
    text = PAGE.read_text()
    pattern = re.compile(_table(table), re.DOTALL)
    PAGE.write_text(pattern.sub(lambda found: found[1] + rows + found[3], text))
    print(rows)


def _table(name: str) -> str:
    return rf"(<!-- {name} -->\n\n\|[^\n]*\n\|[^\n]*\n)(.*?)(\n<!-- end -->)"


def _upload(client: str, came: dict[str, str]) -> str:
    told = DEPENDENCIES[client].removeprefix("npm:")
    bundler = bundler_of(client)
    cells = {way: f"`{text}`" for way, text in came.items()}
    return _line([f"`{told}`", f"{bundler} {DEPENDENCIES[bundler]}"], cells, WAYS)


def _app(name: str, came: dict[str, str]) -> str:
    framework, sdk, uploader = (f"`{text}`" for text in APPS[name].named())
    return _line([framework, sdk, uploader], came, ("built", "frame"))


def _line(first: list[str], came: dict[str, str], columns: tuple[str, ...]) -> str:
    return f"| {' | '.join([*first, *(came.get(column, '') for column in columns)])} |\n"
