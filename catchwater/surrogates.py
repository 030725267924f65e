"""Half a pair of surrogates: JavaScript's texts may hold one, and browsers send it; UTF-8 cannot.

Pure.
"""

from __future__ import annotations

import json
import re

_SURROGATES = re.compile("[\ud800-\udfff]")


def replaced(text: str) -> str:
    """`text` with U+FFFD for each half pair: it is worth more than half a character."""
    return text if text.isascii() else _SURROGATES.sub("\ufffd", text)


def replaced_in_json(text: bytes) -> bytes:
    """A JSON document without half pairs, as UTF-8.

    Raises ValueError or RecursionError for what is no JSON.
    """
    found = json.loads(text.decode("utf-8"))
    return replaced(json.dumps(found, ensure_ascii=False, allow_nan=False)).encode()
