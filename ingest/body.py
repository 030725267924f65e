"""The body of one request: read and unpacked within its bounds of time and bytes, a piece at a
time, so that nobody else waits.
"""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from catchwater.errors import BodyTooLargeError, MalformedEnvelopeError, RefusedRequestError
from ingest import decompression, envelope, responses

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from aiohttp import web

    from ingest.in_flight import PostBytes

SMALL = 16_384
"""Packed bytes of a body that need not wait for a larger one."""

_unpacking = {True: asyncio.Semaphore(1), False: asyncio.Semaphore(1)}
"""One small and one larger body are unpacked at a time: an unpacker has a window of up to 16 MB,
which no budget of bytes counts.
"""


class Body:
    def __init__(self, request: web.Request, seconds: float) -> None:
        """`seconds` is how long it may take to arrive."""
        self._request = request
        self._seconds = seconds
        self._encoding = request.headers.get("Content-Encoding", "")
        self._raw = bytearray()
        """What has come so far. It grows in place: a list of parts, joined, would take twice that.
        """

    async def first_line(self) -> bytes:
        """The first line, unpacked. No more of the body is read than that needs.

        Raises MalformedEnvelopeError when it is longer than a header may be.
        """
        async with self._in_time():
            while True:
                line, end, _ = decompression.beginning(
                    bytes(self._raw), self._encoding, envelope.LONGEST_HEADER
                ).partition(b"\n")
                if end or self._request.content.at_eof():
                    return line
                if max(len(self._raw), len(line)) >= envelope.LONGEST_HEADER:
                    raise MalformedEnvelopeError(
                        f"the envelope's header is longer than {envelope.LONGEST_HEADER} bytes"
                    )
                self._raw += await self._request.content.readany()

    async def read(self, most: int, held: PostBytes) -> bytes | bytearray:
        """All of it, unpacked: at most `most` bytes, packed and unpacked.

        Raises BodyTooLargeError, ContentEncodingError, and RefusedRequestError when there is no
        room for it or it does not come in time.
        """
        if (length := self._request.content_length or 0) > most:
            raise BodyTooLargeError(f"a body of {length} bytes; {most} are allowed")
        raw = await self._read(most, held)
        return await self._unpack(bytes(raw), most, held) if self._encoding else raw

    async def _read(self, most: int, held: PostBytes) -> bytes | bytearray:
        content = self._request.content
        if content.is_eof() and not self._raw:
            # all of it came with the headers, as nearly always: no clock is needed
            whole = await self._request.read()
            held.add(len(whole))
            return whole
        held.add(len(self._raw))
        async with self._in_time():
            while part := await content.readany():
                if len(self._raw) + len(part) > most:
                    raise BodyTooLargeError(f"a body of more than {most} bytes")
                held.add(len(part))
                self._raw += part
        return self._raw

    async def _unpack(self, raw: bytes, most: int, held: PostBytes) -> bytearray:
        found = bytearray()
        async with _unpacking[len(raw) <= SMALL]:
            for piece in decompression.unpacked(raw, self._encoding, most):
                held.add(len(piece))
                if found:
                    await asyncio.sleep(0)
                found += piece
        return found

    @asynccontextmanager
    async def _in_time(self) -> AsyncIterator[None]:
        try:
            async with asyncio.timeout(self._seconds):
                yield
        except TimeoutError as error:
            raise RefusedRequestError(
                "slow", responses.problem(408, "the body did not come in time")
            ) from error
