"""What lies in a folder of built scripts: each map with the script that it is of.

No server here.
"""

from __future__ import annotations

import base64
import binascii
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import unquote

import orjson

from catchwater.errors import InvalidSourceMapError
from catchwater.sourcemaps.positions import LARGEST, Map

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_SCRIPTS = (".js", ".mjs", ".cjs", ".jsx", ".bundle", ".jsbundle")
MAP_URL = re.compile(rb"//[#@][ \t]*sourceMappingURL=([^\s'\"]+)[ \t]*")
DEBUG_COMMENT = re.compile(rb"//[#@][ \t]*debugId=([0-9a-fA-F-]{32,36})")
_DEBUG_ID = re.compile("[0-9a-f]{32}")


@dataclass(frozen=True, slots=True)
class Artifact:
    """A file, and what came of it: a map (`raw`) of the script at `path`, or why there is
    nothing to upload.

    `broken`: it was to be a map, and is none that can be used.
    """

    file: str
    path: str = ""
    debug_id: str = ""
    raw: bytes = b""
    mappings: int = 0
    has_sources: bool = False
    why: str = ""
    broken: bool = False


def artifacts(folder: Path) -> Iterator[Artifact]:
    """Every script and map below a folder, in order of name."""
    root = folder.resolve()
    files = sorted(
        path
        for path in folder.rglob("*")
        if path.is_file()
        and "node_modules" not in path.parts
        and path.resolve().is_relative_to(root)  # a link may lead anywhere
    )
    taken: set[Path] = set()
    for script in (path for path in files if path.name.endswith(_SCRIPTS)):
        yield _of_script(folder, script, taken)
    for path in files:
        if path.name.endswith(".map") and path.resolve() not in taken:
            yield _of_map(folder, path)


def _of_script(folder: Path, script: Path, taken: set[Path]) -> Artifact:
    name, text = script.relative_to(folder).as_posix(), script.read_bytes()
    urls, ids = MAP_URL.findall(text), DEBUG_COMMENT.findall(text)
    debug_id = plain_id(ids[-1].decode()) if ids else ""
    url = urls[-1].decode("utf-8", "replace") if urls else f"{script.name}.map"
    if url.startswith("data:"):
        return checked(name, name, debug_id, inline(url))
    place = script.parent / unquote(
        url.partition("?")[0].rpartition("/")[2] if "://" in url else url.partition("?")[0]
    )
    if not place.is_file():
        why = (
            f"its map {url[:200]} is not there"
            if urls
            else "it names no map, and none lies beside it"
        )
        return Artifact(name, why=why)
    if not place.resolve().is_relative_to(folder.resolve()):
        return Artifact(name, why=f"its map {url[:200]} lies outside of {folder}")
    taken.add(place.resolve())
    return _read(
        place.relative_to(folder).as_posix() if ".." not in place.parts else name,
        name,
        debug_id,
        place,
    )


def _of_map(folder: Path, path: Path) -> Artifact:
    """A map that no script names: hidden maps are made so."""
    name = path.relative_to(folder).as_posix()
    if name.endswith(".css.map"):
        return Artifact(name, why="it is of a style sheet")
    return _read(name, name.removesuffix(".map"), "", path)


def _read(file: str, script: str, debug_id: str, path: Path) -> Artifact:
    size = path.stat().st_size
    if size > LARGEST:
        return Artifact(
            file, why=f"too large: {size:,} bytes, and {LARGEST:,} is the most", broken=True
        )
    return checked(file, script, debug_id, path.read_bytes())


def checked(file: str, script: str, debug_id: str, raw: bytes) -> Artifact:
    """The map in these bytes, of the script at that path; or why it is none."""
    raw = raw.removeprefix(b"\xef\xbb\xbf")
    try:
        found = Map(raw)
    except InvalidSourceMapError as error:
        return Artifact(file, why=str(error), broken=True)
    if not found.mappings:
        return Artifact(file, why="it maps nothing")
    own = debug_id or _debug_id(raw)
    return Artifact(file, script, own, raw, found.mappings, found.has_sources)


def _debug_id(raw: bytes) -> str:
    try:
        document = orjson.loads(raw)
    except ValueError:  # a line before the JSON, which symbolic passes over
        return ""
    value = document.get("debug_id") or document.get("debugId")
    return plain_id(value) if isinstance(value, str) else ""


def plain_id(debug_id: str) -> str:
    """32 hexadecimal digits, or '' for what is no debug id."""
    plain = debug_id.replace("-", "").lower()
    return plain if _DEBUG_ID.fullmatch(plain) else ""


def inline(url: str) -> bytes:
    """The map in a `data:` address; nothing if there is none."""
    kind, _, data = url.partition(",")
    try:
        return (
            base64.b64decode(data, validate=True)
            if kind.endswith(";base64")
            else unquote(data).encode()
        )
    except (binascii.Error, ValueError):
        return b""
