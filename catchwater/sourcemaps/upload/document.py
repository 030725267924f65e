"""The JSON of a map, for what its parser does not tell of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import orjson

if TYPE_CHECKING:
    from collections.abc import Iterator

Document = dict[str, Any]


def document_of(raw: bytes) -> Document:
    """{} for what is no JSON object."""
    try:
        document = orjson.loads(raw)
    except ValueError:  # a line before the JSON, which symbolic passes over
        return {}
    return document if isinstance(document, dict) else {}


def numbered(document: Document, names: list[str]) -> Iterator[tuple[Document, list[int | None]]]:
    """The map, or each of its sections; and which of `names`, those of its sources as the parser
    has them, each of its own sources is. The parser brings sources of one name in several
    sections together.
    """
    if not isinstance(document.get("sections"), list):
        yield document, list(range(len(names)))
        return
    numbers: dict[str, int] = {}
    for number, name in enumerate(names):
        numbers.setdefault(name, number)
    for one in _plain_maps(document):
        yield one, [numbers.get(name) for name in _names(one)]


def _plain_maps(document: Document) -> Iterator[Document]:
    """In order, however deep they lie."""
    waiting = [document]
    while waiting:
        one = waiting.pop()
        sections = one.get("sections")
        if not isinstance(sections, list):
            yield one
            continue
        maps = [section.get("map") for section in sections if isinstance(section, dict)]
        waiting += reversed([found for found in maps if isinstance(found, dict)])


def _names(document: Document) -> Iterator[str]:
    """As the parser makes them: a source that has no address of its own is below the root."""
    root, sources = document.get("sourceRoot"), document.get("sources")
    prefix = f"{root.removesuffix('/')}/" if isinstance(root, str) and root else ""
    for one in sources if isinstance(sources, list) else ():
        name = one if isinstance(one, str) else ""
        yield name if name.startswith(("/", "http:", "https:")) else prefix + name
