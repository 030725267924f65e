"""An artifact bundle as sentry-cli makes it: a zip of scripts and maps, and `manifest.json`
that says which is which.

Names in it are keys, never paths of this machine: nothing is unpacked to disk. Everything in it may
be a lie.
"""

from __future__ import annotations

import posixpath
import struct
import zipfile
import zlib
from dataclasses import dataclass
from typing import IO, TYPE_CHECKING, Any
from urllib.parse import unquote

import orjson

from catchwater.errors import UploadError
from catchwater.sourcemaps.lookup import path_of
from catchwater.sourcemaps.store import LARGEST
from catchwater.sourcemaps.upload.folder import (
    Artifact,
    checked,
    inline,
    named_debug_id,
    named_map,
    plain_id,
    with_script,
)
from catchwater.sourcemaps.upload.nearest import Ends
from catchwater.sourcemaps.upload.zip_directory import check_directory

if TYPE_CHECKING:
    from collections.abc import Iterator

    from catchwater.sourcemaps.upload.map_reader import MapReader

UNPACKED = 2 * 2**30
"""Bytes of all that is read of a bundle, unpacked."""

MANIFEST = 16 * 2**20
"""Bytes of its manifest, unpacked."""

LONGEST_PATH = 1_000
"""Characters of the address of a file."""

_DAMAGED = (
    zipfile.BadZipFile,
    zlib.error,
    struct.error,
    EOFError,
    OSError,
    OverflowError,
    RuntimeError,
    ValueError,
)
_SCRIPT, _MAP = ("minified_source", "source"), "source_map"


@dataclass(frozen=True, slots=True)
class Entry:
    """A file of the manifest.

    `path` is where it is served, without the host: `~/static/app.js`.
    """

    name: str
    kind: str
    path: str
    map_url: str
    debug_id: str


def artifacts(file: IO[bytes], reader: MapReader, most: int = UNPACKED) -> Iterator[Artifact]:
    """Every script and map of a bundle, as `folder.artifacts` has them.

    Raises UploadError if it is no bundle, or unpacks to more than `most` bytes.
    """
    with _opened(file) as archive:
        yield from _Bundle(archive, reader, most).artifacts()


def named_project(file: IO[bytes], reader: MapReader) -> str:
    """The project that the manifest of a bundle names. Raises UploadError if it names none."""
    with _opened(file) as archive:
        found = _Bundle(archive, reader, UNPACKED).project
    if not isinstance(found, str) or not found:
        raise UploadError(400, "the bundle names no project: give sentry-cli one by --project")
    return found


def _opened(file: IO[bytes]) -> zipfile.ZipFile:
    check_directory(file)
    try:
        return zipfile.ZipFile(file)
    except _DAMAGED as error:
        raise UploadError(
            400, f"this is no zip file that can be read: {str(error)[:200]}"
        ) from error


class _Bundle:
    def __init__(self, archive: zipfile.ZipFile, reader: MapReader, most: int) -> None:
        self._archive = archive
        self._reader = reader
        self._most = self._left = most
        manifest = self._read("manifest.json", MANIFEST)
        if isinstance(manifest, str):
            raise UploadError(400, f"manifest.json of the bundle cannot be used: {manifest}")
        document = _document(manifest)
        self.project: Any = document.get("project")
        self._entries = _entries(document)
        self._maps = {entry.path: entry for entry in self._entries if entry.kind == _MAP}
        self._ends = Ends(path[2:] for path in self._maps)
        self._taken: set[str] = set()

    def artifacts(self) -> Iterator[Artifact]:
        scripts, without = [one for one in self._entries if one.kind in _SCRIPT], []
        for script in scripts:
            found = self._of_script(script)
            if not found.path:
                without.append(script.path[2:])
            yield found
        served, ends = {script.path for script in scripts}, Ends(without)
        for entry in self._maps.values():
            if entry.name not in self._taken:
                own = entry.path.removesuffix(".map")
                found = self._of_map(entry, own, entry.debug_id)
                yield found if own in served else with_script(found, ends)

    def _of_script(self, script: Entry) -> Artifact:
        url, debug_id = script.map_url, script.debug_id
        if not url or url.startswith("data:"):
            text = self._read(script.name, LARGEST)
            if isinstance(text, str):
                return Artifact(script.path, why=text, broken=True)
            url, debug_id = url or named_map(text), debug_id or named_debug_id(text)
        if url.startswith("data:"):
            return checked(self._reader, script.path, script.path[2:], debug_id, inline(url))
        entry = self._map_at(script.path, url)
        if entry is None:
            why = (
                f"its map {url[:200]} is not in the bundle"
                if url
                else "it names no map, and none is beside it"
            )
            return Artifact(script.path, why=why)
        self._taken.add(entry.name)
        return self._of_map(entry, script.path, debug_id or entry.debug_id)

    def _map_at(self, script: str, url: str) -> Entry | None:
        """The map that a script names; where there is none of that address, the only one with the
        longest end of it: a bundle's paths need not begin where the site does.
        """
        place = _beside(script, url or f"{posixpath.basename(script)}.map")
        if place in self._maps or not (url.startswith("/") or "://" in url):
            return self._maps.get(place)
        beside = f"{posixpath.dirname(script)}/{posixpath.basename(place)}"
        found = self._ends.nearest(place[2:])
        return self._maps.get(f"~/{found[0]}" if len(found) == 1 else beside)

    def _of_map(self, entry: Entry, script: str, debug_id: str) -> Artifact:
        if entry.path.endswith(".css.map"):
            return Artifact(entry.path, why="it is of a style sheet")
        raw = self._read(entry.name, LARGEST)
        if isinstance(raw, str):
            return Artifact(entry.path, why=raw, broken=True)
        return checked(self._reader, entry.path, script[2:], debug_id, raw)

    def _read(self, name: str, most: int) -> bytes | str:
        """The bytes of a file, or why they cannot be had.

        Raises UploadError when the bundle has unpacked to too much.
        """
        try:
            info = self._archive.getinfo(name)
            if info.compress_type not in {zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED}:
                return f"it is packed by method {info.compress_type}: only deflate is read"
            with self._archive.open(info) as stream:
                raw = stream.read(most + 1)
        except KeyError:
            return "it is not in the bundle"
        except _DAMAGED as error:
            return f"it cannot be unpacked: {str(error)[:200]}"
        self._left -= len(raw)
        if self._left < 0:
            raise UploadError(
                413,
                (
                    f"the bundle unpacks to more than {self._most:,} bytes: upload its folders "
                    f"one by "
                    f"one"
                ),
            )
        return raw if len(raw) <= most else f"too large: more than {most:,} bytes"


def _document(manifest: bytes) -> dict[str, Any]:
    try:
        document = orjson.loads(manifest)
    except ValueError as error:
        raise UploadError(
            400, f"manifest.json of the bundle is no JSON: {str(error)[:200]}"
        ) from error
    if not isinstance(document, dict) or not isinstance(document.get("files"), dict):
        raise UploadError(
            400, "manifest.json of the bundle has no `files`: {name: {type, url, headers}}"
        )
    return document


def _entries(document: dict[str, Any]) -> list[Entry]:
    found = (_entry(name, one) for name, one in document["files"].items())
    return [entry for entry in found if entry is not None]


def _entry(name: str, value: Any) -> Entry | None:
    """A script or a map; None for anything else, such as sources and what has no address."""
    kind, url, headers = (
        (value.get(key) for key in ("type", "url", "headers"))
        if isinstance(value, dict)
        else [None] * 3
    )
    if kind not in (*_SCRIPT, _MAP) or not isinstance(url, str) or not 0 < len(url) <= LONGEST_PATH:
        return None
    lower = (
        {key.lower(): value for key, value in headers.items()} if isinstance(headers, dict) else {}
    )
    map_url, debug_id = (lower.get("sourcemap") or lower.get("x-sourcemap"), lower.get("debug-id"))
    path = url if url.startswith("~/") else path_of(url)
    return Entry(
        name,
        kind,
        path,
        map_url if isinstance(map_url, str) else "",
        plain_id(debug_id) if isinstance(debug_id, str) else "",
    )


def _beside(script: str, url: str) -> str:
    """Where a script's map is served."""
    if "://" in url:
        return path_of(url)
    path = unquote(url.partition("#")[0].partition("?")[0])
    folder = "~" if path.startswith("/") else posixpath.dirname(script)
    return posixpath.normpath(f"{folder}/{path.lstrip('/')}")
