"""Texts of strangers on a terminal: control characters would move its cursor, or reverse a line.

Pure.
"""

from __future__ import annotations

import re

_INVISIBLE = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\xad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f"
    "\u2028-\u202e\u2060-\u206f\u3164\ufeff\uffa0\ufff0-\ufffb\U0001bca0-\U0001bca3"
    "\U0001d173-\U0001d17a\U000e0000-\U000e0fff\ud800-\udfff]"
)
"""Controls but for tab and line feed, what sets the direction of text, what has no width
(Default_Ignorable_Code_Point of Unicode, but for the variations that emoji have), and halves of
pairs, which no terminal can be sent.
"""


def visible(text: str) -> str:
    """`text` with such characters as escapes: valid inside a string of JSON, too."""
    return _INVISIBLE.sub(_escape, text)


def _escape(found: re.Match[str]) -> str:
    units = found[0].encode("utf-16-be", "surrogatepass")
    return "".join(f"\\u{units[i : i + 2].hex()}" for i in range(0, len(units), 2))
