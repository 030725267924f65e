"""What lies in a folder of built scripts: each map with the script that it is of.

No server here.
"""

from __future__ import annotations

import base64
import binascii
import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING
from urllib.parse import unquote

from catchwater.errors import InvalidSourceMapError
from catchwater.sourcemaps.store import LARGEST
from catchwater.sourcemaps.upload.map_reader import NO_MAP, MapFacts
from catchwater.sourcemaps.upload.nearest import Ends

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from catchwater.sourcemaps.upload.map_reader import MapReader

_SCRIPTS = (".js", ".mjs", ".cjs", ".jsx", ".bundle", ".jsbundle")
_MAP_URL = re.compile(rb"//[#@][ \t]*sourceMappingURL=([^\s'\"`]+)")
_NO_CODE = re.compile(rb"(?>\s+|//[^\n]*|/\*(?>[^*]+|\*(?!/))*\*/)*+")
_DEBUG_COMMENT = re.compile(rb"//[#@][ \t]*debugId=([0-9a-fA-F-]{32,36})")
_DEBUG_ID = re.compile("[0-9a-f]{32}")


@dataclass(frozen=True, slots=True)
class Artifact:
    """A file, and what came of it: a map of the script at `path`, or why there is
    nothing to upload.

    `broken`: it was to be a map, and is none that can be used.
    """

    file: str
    path: str = ""
    debug_id: str = ""
    found: MapFacts = NO_MAP
    why: str = ""
    broken: bool = False


def artifacts(folder: Path, reader: MapReader) -> Iterator[Artifact]:
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
    without: list[str] = []
    for script in (path for path in files if path.name.endswith(_SCRIPTS)):
        found = _of_script(folder, script, taken, reader)
        if not found.path:
            without.append(script.relative_to(folder).as_posix())
        yield found
    ends = Ends(without)
    for path in files:
        if path.name.endswith(".map") and path.resolve() not in taken:
            yield _of_map(folder, path, ends, reader)


def _of_script(folder: Path, script: Path, taken: set[Path], reader: MapReader) -> Artifact:
    name, text = script.relative_to(folder).as_posix(), script.read_bytes()
    named, debug_id = named_map(text), named_debug_id(text)
    url = named or f"{script.name}.map"
    if url.startswith("data:"):
        return checked(reader, name, name, debug_id, inline(url))
    place = _place(folder, script, url)
    if not _is_file(place):
        why = (
            f"its map {url[:200]} is not there"
            if named
            else "it names no map, and none lies beside it"
        )
        return Artifact(name, why=why)
    if not place.resolve().is_relative_to(folder.resolve()):
        return Artifact(name, why=f"its map {url[:200]} lies outside of {folder}")
    taken.add(place.resolve())
    file = place.resolve().relative_to(folder.resolve()).as_posix()
    return _read(reader, file, name, debug_id, place)


def _place(folder: Path, script: Path, url: str) -> Path:
    """Where the map at an address lies: seen from the script, or, where the address begins at the
    root of a site, at the longest end of it that is in the folder.
    """
    path = unquote(url.partition("#")[0].partition("?")[0])
    if "://" not in path and not path.startswith("/"):
        return script.parent / path
    parts = path.rpartition("://")[2].strip("/").split("/")
    ends = [folder.joinpath(*parts[at:]) for at in range(len(parts))]
    beside = script.parent / parts[-1]
    return next((end for end in [*ends[:-1], beside, ends[-1]] if _is_file(end)), beside)


def _is_file(path: Path) -> bool:
    try:
        return path.is_file()
    except OSError:  # its name is longer than any can be
        return False


def named_map(script: bytes) -> str:
    """Where a script says that its map is; '' where it does not.

    By the last comment that says so, with no code behind it (ECMA-426): what looks like one inside
    of a text or a function is none. Build tools, and libraries that make maps, have such texts.
    """
    *_, last = (None, *_MAP_URL.finditer(script))
    if last is None or not _NO_CODE.fullmatch(script, last.end()):
        return ""
    return last[1].decode("utf-8", "replace")


def named_debug_id(script: bytes) -> str:
    """The debug id in a script's last comment that has one; '' where none has."""
    ids = _DEBUG_COMMENT.findall(script)
    return plain_id(ids[-1].decode()) if ids else ""


def _of_map(folder: Path, path: Path, without: Ends, reader: MapReader) -> Artifact:
    """A map that no script names: hidden maps are made so.

    It is of the script beside it, or of one of these `without` a map.
    """
    name = path.relative_to(folder).as_posix()
    if name.endswith(".css.map"):
        return Artifact(name, why="it is of a style sheet")
    found = _read(reader, name, name.removesuffix(".map"), "", path)
    return found if (folder / found.path).is_file() else with_script(found, without)


def with_script(found: Artifact, scripts: Ends) -> Artifact:
    """A map that lies beside no script, as that of one of these: the one whose path shares the
    longest end with the map's `file`, or else with its own path.

    Without any it stays what it is: only maps may be uploaded, or it has a debug id. Where several
    scripts may be meant it is of none, unless it has a debug id.
    """
    told = [found.found.script, found.path]
    meant = [scripts.nearest(path) for path in told if path and found.path]
    script = next((one[0] for one in meant if len(one) == 1), None)
    if script is not None:
        return replace(found, path=script)
    if not any(meant) or found.debug_id:
        return found
    several = next(filter(None, meant))
    why = f"it may be of {' or '.join(several)}: let its script name it (sourceMappingURL)"
    return Artifact(found.file, why=why)


def _read(reader: MapReader, file: str, script: str, debug_id: str, path: Path) -> Artifact:
    size = path.stat().st_size
    if size > LARGEST:
        return Artifact(
            file, why=f"too large: {size:,} bytes, and {LARGEST:,} is the most", broken=True
        )
    return checked(reader, file, script, debug_id, path.read_bytes())


def checked(reader: MapReader, file: str, script: str, debug_id: str, raw: bytes) -> Artifact:
    """The map in these bytes, of the script at that path; or why it is none."""
    try:
        found = reader.read(raw.removeprefix(b"\xef\xbb\xbf"))
    except InvalidSourceMapError as error:
        return Artifact(file, why=str(error), broken=True)
    if not found.mappings and not found.unread:
        return Artifact(file, why="it maps nothing")
    return Artifact(file, script, debug_id or plain_id(found.debug_id), found)


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
