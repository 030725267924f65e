"""Texts of strangers on a terminal: control characters would move its cursor, or reverse a line.

Pure.
"""

from __future__ import annotations

import re

_INVISIBLE = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff\ufff9-\ufffb]"
)
"""Controls but for tab and line feed, what sets the direction of text, and what has no width."""


def visible(text: str) -> str:
    """`text` with such characters as escapes: valid inside a string of JSON, too."""
    return _INVISIBLE.sub(lambda found: f"\\u{ord(found[0]):04x}", text)
