"""The snippet, set up for one project."""

from __future__ import annotations

from functools import lru_cache
from hashlib import blake2b
from pathlib import Path

import orjson

PLACE = '"__CATCHWATER_ENDPOINT__"'
"""Where the address goes, quotes included: it is replaced by a JSON string, which is a JavaScript string too."""


@lru_cache(maxsize=256)
def snippet(endpoint: str) -> tuple[bytes, str]:
    """The script that reports to `endpoint`, and its ETag."""
    script = _source().replace(PLACE, _string(endpoint)).encode()
    return script, f'"{blake2b(script, digest_size=12).hexdigest()}"'


@lru_cache(maxsize=1)
def _source() -> str:
    return (Path(__file__).parent / "snippet.min.js").read_text(encoding="utf-8")


def _string(text: str) -> str:
    """A JavaScript string that does not end the script it stands in."""
    return orjson.dumps(text).decode().replace("<", "\\u003c")
