"""A request's body, unpacked, with a bound: a bomb of a few kilobytes must not become gigabytes.

Pure.
"""

from __future__ import annotations

import io
import zlib
from typing import TYPE_CHECKING

import brotli
import zstandard

from catchwater.errors import BodyTooLargeError, ContentEncodingError

if TYPE_CHECKING:
    from collections.abc import Callable


def unpacked(body: bytes, encoding: str, limit: int) -> bytes:
    """`body` without its Content-Encoding; at most `limit` bytes.

    Raises BodyTooLargeError or ContentEncodingError.
    """
    for name in reversed([part.strip().lower() for part in encoding.split(",")]):
        if name not in _UNPACK:
            raise ContentEncodingError(
                f"Content-Encoding {name!r} is unknown; known: gzip, deflate, br, zstd"
            )
        try:
            body = _UNPACK[name](body, limit)
        except (zlib.error, brotli.error, zstandard.ZstdError, EOFError) as error:
            raise ContentEncodingError(f"the body is not {name}: {error}") from error
    return body


def _identity(body: bytes, limit: int) -> bytes:
    if len(body) > limit:
        raise BodyTooLargeError(f"more than {limit} bytes")
    return body


def _gzip(body: bytes, limit: int) -> bytes:
    return _zlib(body, limit, 16 + zlib.MAX_WBITS)


def _deflate(body: bytes, limit: int) -> bytes:
    """The format of zlib as HTTP has it, or raw as some clients send it."""
    try:
        return _zlib(body, limit, zlib.MAX_WBITS)
    except zlib.error:
        return _zlib(body, limit, -zlib.MAX_WBITS)


def _zlib(body: bytes, limit: int, window: int) -> bytes:
    unpacker = zlib.decompressobj(window)
    found = unpacker.decompress(body, limit + 1)
    if not unpacker.eof and len(found) <= limit:
        raise EOFError("it ends too early")
    return _identity(found, limit)


def _brotli(body: bytes, limit: int) -> bytes:
    unpacker = brotli.Decompressor()
    found = unpacker.process(body, output_buffer_limit=limit + 1)
    while len(found) <= limit and not unpacker.is_finished():
        more = unpacker.process(b"", output_buffer_limit=limit + 1 - len(found))
        if not more:
            raise EOFError("it ends too early")
        found += more
    return _identity(found, limit)


def _zstd(body: bytes, limit: int) -> bytes:
    with zstandard.ZstdDecompressor(max_window_size=2**23).stream_reader(
        io.BytesIO(body)
    ) as reader:
        return _identity(reader.read(limit + 1), limit)


_UNPACK: dict[str, Callable[[bytes, int], bytes]] = {
    "": _identity,
    "identity": _identity,
    "gzip": _gzip,
    "x-gzip": _gzip,
    "deflate": _deflate,
    "br": _brotli,
    "zstd": _zstd,
}
