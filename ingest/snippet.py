"""The snippet's files, set up for one project."""

from __future__ import annotations

import gzip
from base64 import b64encode
from dataclasses import dataclass
from functools import cache, lru_cache
from hashlib import sha256, sha384
from pathlib import Path

import brotli
import orjson

_BUILT = Path(__file__).parent / "snippet" / "built"
FILES = {"": _BUILT / "snippet.min.js", "extras": _BUILT / "extras.min.js"}
"""The built files: `""` is served at `/c/{key}.js`, `extras` at `/c/{key}.extras.js`."""
STUB_FILE = _BUILT / "inline.min.js"
"""The built inline part."""

PLACE = '"__CATCHWATER_ENDPOINT__"'
"""Where the address goes, quotes included: it is replaced by a JSON string, which is a
JavaScript string too.
"""

NO_FILTERS = "{}"
"""What stands behind the address, for the project's filters (see page_filters.py)."""

DIGITS = 16
"""Of the hash that stands in an immutable address."""
BEST, QUICK = 11, 5
"""How hard brotli tries: 5 ms and 1.8 KB, 0.1 ms and 1.9 KB."""


@dataclass(frozen=True, slots=True)
class Script:
    """One file for one endpoint, in every coding it is sent in."""

    bodies: dict[str, bytes]
    digest: str
    """The hash of its content that stands in its immutable address: 16 hex digits."""
    integrity: str
    """What a tag's `integrity` says of it."""


def script(file: str, endpoint: str, effort: int = BEST, filters: str = NO_FILTERS) -> Script:
    """The file of that name that reports to `endpoint`, and leaves out what `filters` say.

    `effort`: brotli's; QUICK where a stranger's word decides.
    """
    return made(FILES[file], endpoint, effort, filters)


@lru_cache(maxsize=256)
def made(built: Path, endpoint: str, effort: int, filters: str = NO_FILTERS) -> Script:
    """About 8 KB each, so the 256 in the cache take 2 MB."""
    filtering = _source(built).replace(f"{PLACE},{NO_FILTERS}", f"{PLACE},{filters}")
    plain = filtering.replace(PLACE, _string(endpoint)).encode()
    packed = brotli.compress(plain, mode=brotli.MODE_TEXT, quality=effort)
    return Script(
        {"identity": plain, "br": packed, "gzip": gzip.compress(plain, 9, mtime=0)},
        sha256(plain).hexdigest()[:DIGITS],
        f"sha384-{b64encode(sha384(plain).digest()).decode()}",
    )


def path(key: str, file: str = "", digest: str = "") -> str:
    """Where ingest serves a file for the project with that key; immutable with a digest."""
    return f"/c/{'.'.join(filter(None, (key, file, digest)))}.js"


def named(name: str) -> tuple[str, str, str]:
    """Key, file and digest of what stands before `.js` in an address, as `path` makes it.

    Raises ValueError.
    """
    key, *rest = name.split(".")
    file = rest.pop(0) if rest and rest[0] and rest[0] in FILES else ""
    if len(rest) > 1 or not all(map(_is_digest, rest)):
        raise ValueError(name)
    return key, file, "".join(rest)


def _is_digest(text: str) -> bool:
    return len(text) == DIGITS and set(text) <= set("0123456789abcdef")


@cache
def _source(built: Path) -> str:
    return built.read_text(encoding="utf-8")


def _string(text: str) -> str:
    """A JavaScript string that does not end the script it stands in."""
    return orjson.dumps(text).decode().replace("<", "\\u003c")
