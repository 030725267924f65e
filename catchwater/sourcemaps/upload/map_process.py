"""The process that reads maps: all that is known of one, and its index. Started by `map_reader`.

The sources in a map have a process of their own, so that a hostile one costs only its own names.
"""

from __future__ import annotations

import sys
from contextlib import closing
from functools import partial
from typing import Any

from catchwater.errors import InvalidSourceMapError, SourceUnreadableError
from catchwater.sourcemaps.child_process import serve
from catchwater.sourcemaps.parsed_map import ParsedMap
from catchwater.sourcemaps.scope_reader import ScopeReader
from catchwater.sourcemaps.upload.document import document_of
from catchwater.sourcemaps.upload.indexing import functions_of
from catchwater.sourcemaps.upload.place_indexing import index_of_places
from catchwater.sourcemaps.upload.repair import without_bad_references


def answer(
    reader: ScopeReader, question: dict[str, Any], raw: bytes
) -> tuple[dict[str, Any], bytes]:
    """`why`: it is no map. `broken`: no parser of sources can be started. `repaired`: how many of
    the bytes behind the answer are those of the map as it can be used; the others are its index.
    """
    spent = reader.spent
    told, found = _read(reader, raw, wants_index=question["index"])
    return told | {"cpu": reader.spent - spent}, found


def _read(reader: ScopeReader, raw: bytes, *, wants_index: bool) -> tuple[dict[str, Any], bytes]:
    try:
        usable, one = _usable(raw)
        document = document_of(usable)
        functions = functions_of(document, one, reader) if wants_index else None
        index = index_of_places(one, functions) if functions else b""
    except InvalidSourceMapError as error:
        return {"why": str(error)}, b""
    except SourceUnreadableError as error:
        return {"broken": str(error)}, b""
    repaired = b"" if usable is raw else usable
    return _facts(document, one) | {"repaired": len(repaired)}, repaired + index


def _usable(raw: bytes) -> tuple[bytes, ParsedMap]:
    """A map as it can be used: without mappings that name what it has not.

    Raises InvalidSourceMapError.
    """
    try:
        return raw, ParsedMap(raw)
    except InvalidSourceMapError as error:
        repaired = without_bad_references(raw) if "bad reference" in str(error) else None
        if repaired is None:
            raise
        return repaired, ParsedMap(repaired)


def _facts(document: dict[str, Any], one: ParsedMap) -> dict[str, Any]:
    told = {"debug_id": document.get("debug_id") or document.get("debugId")}
    told["file"] = document.get("file")
    texts = {name: value for name, value in told.items() if isinstance(value, str)}
    return texts | {"mappings": one.mappings, "has_sources": one.has_sources}


if __name__ == "__main__":
    with closing(ScopeReader()) as scopes:
        serve(partial(answer, scopes), sys.stdin.buffer, sys.stdout.buffer)
