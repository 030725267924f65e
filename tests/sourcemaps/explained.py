"""Events and maps made by hand."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import orjson
from click.testing import CliRunner, Result

from catchwater.answers import Emit
from catchwater.commands.sourcemaps import command
from catchwater.event import Event
from catchwater.sourcemaps.cache import MapCache
from stages.fingerprint import Resources, fingerprint

ADDRESS = "https://cdn7.example/shop.js"


def simple(**given: Any) -> bytes:
    """A map whose line 1, columns 1 to 10 are of line 2 of a.js."""
    content = "function outer() {\n  boom(1);\n}\n"
    told = {
        "version": 3,
        "sources": ["src/a.js"],
        "names": ["boom"],
        "mappings": "AACEA,U",
        "sourcesContent": [content],
    }
    return orjson.dumps(told | given)


def position(script: Path, text: str) -> tuple[int, int]:
    """Line and column, counted from 1, of a text in a script."""
    before = script.read_text().partition(text)[0]
    return before.count("\n") + 1, len(before) - (before.rfind("\n") + 1) + 1


def report(places: list[tuple[int, int]], release: str, address: str = ADDRESS) -> dict[str, Any]:
    stack = "".join(
        f"\n    at x{n} ({address}:{line}:{column})" for n, (line, column) in enumerate(places)
    )
    message = "Cannot read properties of undefined (reading 'lines')"
    return {
        "type": "TypeError",
        "message": message,
        "stack": f"TypeError: {message}{stack}",
        "release": release,
    }


def named(told: dict[str, Any], maps: MapCache, kind: str = "snippet") -> dict[str, Any]:
    """The named body that the stage makes of a report, with these maps."""
    event = Event("0" * 32, "1", 1_700_000_000_000, kind, orjson.dumps(told))
    answer = fingerprint(event, Resources(maps=maps))
    assert isinstance(answer, Emit)
    found: dict[str, Any] = orjson.loads(answer.event.body)
    return found


def upload(mongo: str, folder: Path, *options: str, project: str = "1") -> Result:
    return run("upload", str(folder), "--project", project, "--mongo-url", mongo, *options)


def run(*arguments: str) -> Result:
    return CliRunner().invoke(command, arguments)
