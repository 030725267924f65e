"""Chunks out of a request: the parts of a form, each a file that is named for its SHA-1 and may
be packed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from aiohttp import BodyPartReader, MultipartReader, web
from aiohttp.http_exceptions import HttpProcessingError

from catchwater.errors import UploadError
from catchwater.sourcemaps.upload.chunks import CHUNK, unpacked

if TYPE_CHECKING:
    from catchwater.sourcemaps.upload.chunks import Chunks

PARTS = 4
"""Chunks in one request."""

REQUEST = PARTS * CHUNK + 2**20
"""Bytes of one request."""

_FIELDS = ("file", "file_gzip")
_UNREADABLE = (
    ValueError,
    AssertionError,
    RuntimeError,
    HttpProcessingError,
    web.RequestPayloadError,
)


async def receive(request: web.Request, chunks: Chunks) -> int:
    """Store the chunks of a request; returns how many.

    Raises UploadError for what is no chunk, and for too many.
    """
    if (request.content_length or 0) > REQUEST:
        raise UploadError(
            413, f"a request may have {REQUEST:,} bytes, this one has {request.content_length:,}"
        )
    count = 0
    try:
        parts = await request.multipart()
        while (part := await parts.next()) is not None:
            count += 1
            await _store(part, count, chunks)
    except _UNREADABLE as error:
        raise UploadError(400, f"this is no form that can be read: {str(error)[:200]}") from error
    return count


async def _store(part: MultipartReader | BodyPartReader, number: int, chunks: Chunks) -> None:
    if not isinstance(part, BodyPartReader) or part.name not in _FIELDS or number > PARTS:
        raise UploadError(
            400,
            f"a request has up to {PARTS} files, called `file` or `file_gzip`, and nothing else",
        )
    raw = await _bytes(part)
    chunks.put(part.filename or "", unpacked(raw) if part.name == "file_gzip" else raw)


async def _bytes(part: BodyPartReader) -> bytes:
    raw = bytearray()
    while read := await part.read_chunk(2**16):
        raw += read
        if len(raw) > CHUNK + 2**16:  # what gzip cannot pack grows a little
            raise UploadError(413, f"a chunk may have {CHUNK:,} bytes")
    return bytes(raw)
