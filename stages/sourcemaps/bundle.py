"""What sentry-cli packs: a zip of scripts and maps, with a `manifest.json` that says where each is served. Hostile.

Source: github.com/getsentry/symbolic, symbolic-debuginfo/src/sourcebundle.rs. Before the zip stand eight bytes.
"""

from __future__ import annotations

import zipfile
import zlib
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, urljoin

import orjson

from stages.sourcemaps.folder import Piece, checked, plain_id
from stages.sourcemaps.positions import LARGEST

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

MANIFEST = "manifest.json"
MOST_FILES = 10_000
LARGEST_MANIFEST = 16 * 2**20
_LONGEST_PATH = 1_000


class NoBundle(Exception):  # noqa: N818 - what it is
    """The bytes are no artifact bundle. Its text says why."""


def pieces_in(bundle: Path) -> Iterator[Piece]:
    """Every map in a bundle, with the script that it is of, one after the other in memory. Raises NoBundle."""
    try:
        with zipfile.ZipFile(bundle) as archive:
            files = _files(archive)
            scripts = {_map_of(one): one for one in files.values() if one["type"] == "minified_source"}
            for name, told in files.items():
                if told["type"] == "source_map":
                    yield _piece(archive, name, told, scripts.get(told["url"]))
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError, OSError) as error:
        raise NoBundle(f"it is no zip that can be read: {error}") from error


def _files(archive: zipfile.ZipFile) -> dict[str, dict[str, Any]]:
    """What the manifest tells of each file that is there: `type`, `url` and `headers` with small names."""
    if len(archive.namelist()) > MOST_FILES:
        raise NoBundle(f"it holds {len(archive.namelist()):,} files, and {MOST_FILES:,} is the most")
    try:
        told = orjson.loads(_read(archive, MANIFEST, LARGEST_MANIFEST))
    except (KeyError, ValueError) as error:
        raise NoBundle(f"its {MANIFEST} cannot be read: {error}") from error
    listed = told.get("files") if isinstance(told, dict) else None
    if not isinstance(listed, dict):
        raise NoBundle(f"its {MANIFEST} lists no files")
    there = set(archive.namelist())
    return {name: _plain(one) for name, one in listed.items() if name in there and isinstance(one, dict)}


def _plain(told: dict[str, Any]) -> dict[str, Any]:
    headers = told.get("headers")
    named = headers.items() if isinstance(headers, dict) else ()
    return {
        "type": told.get("type"),
        "url": str(told.get("url") or "")[:_LONGEST_PATH],
        **{name.lower(): value for name, value in named if isinstance(value, str)},
    }


def _map_of(script: dict[str, Any]) -> str:
    """The address of a script's map: it may be told relative to the script."""
    target = script.get("sourcemap") or script.get("x-sourcemap") or ""
    return urljoin(script["url"].removeprefix("~"), target) if "://" in target else _beside(script["url"], target)


def _beside(url: str, target: str) -> str:
    root = "http://x/"
    joined = urljoin(root + url.removeprefix("~/"), target)
    return "~/" + unquote(joined.removeprefix(root)) if joined.startswith(root) else target


def _piece(archive: zipfile.ZipFile, name: str, told: dict[str, Any], script: dict[str, Any] | None) -> Piece:
    url = script["url"] if script else told["url"].removesuffix(".map")
    if url.endswith(".css"):
        return Piece(name, why="it is of a style sheet")
    path = url.partition("://")[2].partition("/")[2] if "://" in url else url.removeprefix("~/")
    size = archive.getinfo(name).file_size
    if size > LARGEST:
        return Piece(name, why=f"too large: {size:,} bytes, and {LARGEST:,} is the most", broken=True)
    debug_id = plain_id((script or {}).get("debug-id", "")) or plain_id(told.get("debug-id", ""))
    return checked(name, path, debug_id, _read(archive, name, LARGEST))


def _read(archive: zipfile.ZipFile, name: str, most: int) -> bytes:
    """A file of the bundle, whatever size it says that it has. Raises NoBundle for one that unpacks to more."""
    with archive.open(name) as stream:
        found = stream.read(most + 1)
    if len(found) > most:
        raise NoBundle(f"{name[:200]} unpacks to more than {most:,} bytes")
    return found
