"""Debug ids: build plugins write one into a script and into its map, and clients send them."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from stages.grouping import fields

if TYPE_CHECKING:
    from collections.abc import Iterable

    from stages.grouping.fields import FieldReader

MOST = 200

_DEBUG_ID = re.compile("[0-9a-f]{32}")


def read(take: FieldReader, pairs: Iterable[tuple[Any, Any]], name: str) -> dict[str, str]:
    """32 hexadecimal digits by the script's address, of what a client's field `name` says."""
    found = {}
    for file, debug_id in pairs:
        plain = take.text(debug_id, name, 50).replace("-", "").lower()
        if _DEBUG_ID.fullmatch(plain):
            found[take.text(file, name, fields.TEXT)] = plain
    found.pop("", None)
    return found
