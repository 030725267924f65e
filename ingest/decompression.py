"""A request's body, unpacked piece by piece: a bomb of a few kilobytes must neither become
gigabytes nor stop the event loop.

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
    from collections.abc import Callable, Iterator

PIECE = 262_144
"""Bytes that are unpacked at a time, at most: well below a millisecond's work for the slowest."""

STEP = 65_536
"""Packed bytes that are looked at at a time."""

MOST_FOLD = 200
"""How many times its size a body may unpack to. JSON of real reports is packed 4- to 20-fold, and
100-fold where it repeats itself.
"""

FOLD_FREE = 1_000_000
"""Bytes that a body may unpack to whatever its size."""


def unpacked(body: bytes, encoding: str, limit: int) -> Iterator[bytes]:
    """The pieces of `body` without its Content-Encoding, in order; at most `limit` bytes in all.

    Raises BodyTooLargeError or ContentEncodingError.
    """
    name = coding(encoding)
    most = min(limit, max(FOLD_FREE, MOST_FOLD * len(body)))
    size = 0
    try:
        for piece in _UNPACK[name](body):
            size += len(piece)
            if size > most:
                raise BodyTooLargeError(_too_large(limit, most, len(body)))
            yield piece
    except (zlib.error, brotli.error, zstandard.ZstdError, EOFError) as error:
        raise ContentEncodingError(f"the body is not {name}: {error}") from error


def coding(encoding: str) -> str:
    """The one coding that a Content-Encoding names, '' for none.

    Raises ContentEncodingError for an unknown one, and for several: no client packs a body twice,
    and each further coding would multiply what a small body costs.
    """
    names = [part.strip().lower() for part in encoding[:200].split(",")]
    names = [name for name in names if name not in ("", "identity")]
    if len(names) > 1:
        raise ContentEncodingError(
            f"Content-Encoding {encoding[:60]!r} names more than one coding; at most one is undone"
        )
    if names and names[0] not in _UNPACK:
        raise ContentEncodingError(
            f"Content-Encoding {names[0][:60]!r} is unknown; known: gzip, deflate, br, zstd"
        )
    return names[0] if names else ""


def beginning(part: bytes, encoding: str, size: int) -> bytes:
    """The first `size` bytes, or fewer, of a body of which `part` has come so far.

    Raises ContentEncodingError.
    """
    found = b""
    try:
        for piece in _UNPACK[coding(encoding)](part):
            found += piece
            if len(found) >= size:
                break
    except (zlib.error, brotli.error, zstandard.ZstdError, EOFError):
        pass  # it goes on, or it is none: whoever reads all of it finds out
    return found[:size]


def _too_large(limit: int, most: int, packed: int) -> str:
    if most == limit:
        return f"the body unpacks to more than {limit} bytes"
    return f"{packed} bytes unpack to more than {most}: more than {MOST_FOLD} times as many"


def _steps(body: bytes) -> Iterator[bytes]:
    for start in range(0, len(body), STEP):
        yield body[start : start + STEP]


def _identity(body: bytes) -> Iterator[bytes]:
    yield body


def _gzip(body: bytes) -> Iterator[bytes]:
    return _zlib(body, 16 + zlib.MAX_WBITS)


def _deflate(body: bytes) -> Iterator[bytes]:
    """The format of zlib as HTTP has it, or raw as some clients send it (RFC 1950, 2.2)."""
    has_header = body[:1] and body[0] & 0x0F == 8 and int.from_bytes(body[:2]) % 31 == 0
    return _zlib(body, zlib.MAX_WBITS if has_header else -zlib.MAX_WBITS)


def _zlib(body: bytes, window: int) -> Iterator[bytes]:
    unpacker = zlib.decompressobj(window)
    for step in _steps(body):
        rest, full = step, True
        while (rest or full) and not unpacker.eof:
            piece = unpacker.decompress(rest, PIECE)
            rest, full = unpacker.unconsumed_tail, len(piece) == PIECE
            yield piece
        if unpacker.eof:
            return
    raise EOFError("it ends too early")


def _brotli(body: bytes) -> Iterator[bytes]:
    unpacker = brotli.Decompressor()
    for step in _steps(body):
        yield unpacker.process(step, output_buffer_limit=PIECE)
        while not unpacker.can_accept_more_data():
            yield unpacker.process(b"", output_buffer_limit=PIECE)
    while not unpacker.is_finished():
        if not (piece := unpacker.process(b"", output_buffer_limit=PIECE)):
            raise EOFError("it ends too early")
        yield piece


def _zstd(body: bytes) -> Iterator[bytes]:
    unpacker = zstandard.ZstdDecompressor(max_window_size=2**23)
    with unpacker.stream_reader(io.BytesIO(body)) as reader:
        while piece := reader.read(PIECE):
            yield piece


_UNPACK: dict[str, Callable[[bytes], Iterator[bytes]]] = {
    "": _identity,
    "gzip": _gzip,
    "x-gzip": _gzip,
    "deflate": _deflate,
    "br": _brotli,
    "zstd": _zstd,
}
