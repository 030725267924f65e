"""The script in a component's file: Vue, Svelte and Astro write markup around it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator

_COMPONENTS = (".vue", ".svelte", ".astro")
_FENCE = b"---"
_NOT_A_LINE_END = re.compile(rb"[^\n]+")
_TYPESCRIPT = re.compile(rb"""\blang\s*=\s*["']?ts["'\s>]""")


class Script(NamedTuple):
    """What is parsed. Every place in `text` is where it was in the file; `is_part`: there is
    something around it that is no script.
    """

    text: bytes
    typescript: bool
    is_part: bool = False


def script_of(source: bytes, file: str) -> Script:
    """All of a script; of a component the text of its scripts, with blanks for everything else.

    A compiled component has no markup any more: it is a script as any other.
    """
    path, _, query = file.partition("?")
    if not path.endswith(_COMPONENTS):
        return Script(source, path.endswith((".ts", ".mts", ".cts")))
    parts = sorted([*_tags(source), *_frontmatter(source, path)])
    typescript = path.endswith(".astro") or "lang.ts" in query
    if not parts:
        return Script(source, typescript)
    typescript = typescript or any(_TYPESCRIPT.search(source, *tag) for tag, _ in parts)
    return Script(_blanked(source, [inside for _, inside in parts]), typescript, is_part=True)


_Part = tuple[tuple[int, int], tuple[int, int]]
"""From where to where its opening tag goes, and its text."""


def _tags(source: bytes) -> Iterator[_Part]:
    """The `<script>` elements. Linear: one that does not end goes on to the end of the file."""
    text, at = source.lower(), 0
    while (opens := text.find(b"<script", at)) >= 0:
        begins = text.find(b">", opens) + 1
        ends = text.find(b"</script", begins)
        if begins == 0:
            return
        yield (opens, begins), (begins, ends if ends >= 0 else len(text))
        if ends < 0:
            return
        at = ends


def _frontmatter(source: bytes, path: str) -> Iterator[_Part]:
    """What stands between the first two fences of an Astro component."""
    if path.endswith(".astro") and source.lstrip().startswith(_FENCE):
        begins = source.find(_FENCE) + len(_FENCE)
        ends = source.find(b"\n" + _FENCE, begins)
        if ends >= 0:
            yield (begins, begins), (begins, ends)


def _blanked(source: bytes, parts: list[tuple[int, int]]) -> bytes:
    made, at = [], 0
    for begins, ends in parts:
        made += [_blanks(source[at:begins]), source[begins:ends]]
        at = max(at, ends)
    return b"".join([*made, _blanks(source[at:])])


def _blanks(text: bytes) -> bytes:
    return _NOT_A_LINE_END.sub(lambda found: b" " * len(found[0]), text)
