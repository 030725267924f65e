"""The JSON of a map, for what its parser does not tell of it."""

from __future__ import annotations

from typing import Any

import orjson


def document_of(raw: bytes) -> dict[str, Any]:
    """{} for what is no JSON object."""
    try:
        document = orjson.loads(raw)
    except ValueError:  # a line before the JSON, which symbolic passes over
        return {}
    return document if isinstance(document, dict) else {}
