"""Chunks out of a request: the parts of a form, each a file that is named for its SHA-1 and may be packed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aiohttp import BodyPartReader, web
from aiohttp.http_exceptions import HttpProcessingError

from stages.sourcemaps.chunks import CHUNK, Wrong, unpacked

if TYPE_CHECKING:
    from stages.sourcemaps.chunks import Chunks

PARTS = 4
"""Chunks in one request."""

REQUEST = PARTS * CHUNK + 2**20
"""Bytes of one request."""

_FIELDS = ("file", "file_gzip")


async def receive(request: web.Request, chunks: Chunks) -> int:
    """Keep the chunks of a request; answers how many. Raises Wrong for what is no chunk, and for too many."""
    if (request.content_length or 0) > REQUEST:
        raise Wrong(413, f"a request may have {REQUEST:,} bytes, this one has {request.content_length:,}")
    count = 0
    try:
        parts = await request.multipart()
        while (part := await parts.next()) is not None:
            count += 1
            if not isinstance(part, BodyPartReader) or part.name not in _FIELDS or count > PARTS:
                raise Wrong(400, f"a request has up to {PARTS} files, called `file` or `file_gzip`, and nothing else")
            raw = await _bytes(part)
            chunks.keep(part.filename or "", unpacked(raw) if part.name == "file_gzip" else raw)
    except (ValueError, AssertionError, RuntimeError, HttpProcessingError, web.RequestPayloadError) as error:
        raise Wrong(400, f"this is no form that can be read: {str(error)[:200]}") from error
    return count


async def _bytes(part: BodyPartReader) -> bytes:
    raw = bytearray()
    while read := await part.read_chunk(2**16):
        raw += read
        if len(raw) > CHUNK + 2**16:  # what gzip cannot pack grows a little
            raise Wrong(413, f"a chunk may have {CHUNK:,} bytes")
    return bytes(raw)
