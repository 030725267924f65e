"""Takes out what a pattern finds, and counts it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections import Counter


def marked(pattern: Any, mark: str, kind: str, text: str, found: Counter[str]) -> str:
    """`text` with `mark` for each find of `pattern`, which is of `re` or of RE2."""
    cleaned: str
    cleaned, n = pattern.subn(mark, text)
    if n:
        found[kind] += n
    return cleaned
