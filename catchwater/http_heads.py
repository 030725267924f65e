"""Bytes of requests that are no body: heads, the sizes of chunks, trailers.

aiohttp bounds each line of a head and their number, which still are 5 MB for each connection, and
nobody has said by then who sends them. Here they count for a connection and for all together.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from aiohttp.streams import EMPTY_PAYLOAD

if TYPE_CHECKING:
    from aiohttp import StreamReader

ONE = 131_072
"""Bytes that one connection may send outside of bodies before its request begins or goes on."""

ALL = 16_777_216
"""The same for all connections of a server together. Python takes twice that for them."""

SMALL = 8_192
"""Bytes of a usual head. More of them together with a body may be the beginning of the next."""


class HeadBytes:
    """What one connection sent outside of bodies, and is not answered yet. Pure."""

    def __init__(self) -> None:
        self._body: StreamReader = EMPTY_PAYLOAD
        self._received = 0
        self._rest = 0

    @property
    def held(self) -> int:
        """Bodies count twice against what came: each small chunk has a size and two line ends."""
        return max(0, self._received - 2 * self._body.total_bytes)

    def more(self, size: int) -> None:
        """So many bytes came, and no head ended with them."""
        self._received += size

    def begun(self, size: int, body: StreamReader, *, others: bool) -> None:
        """So many bytes came, and with them the end of a head. `others`: there are requests of
        before that are not answered.
        """
        outside = size - body.total_bytes
        self._rest = outside if outside > SMALL else 0
        self._received, self._body = (self.held if others else 0) + size, body

    def answered(self, others: int) -> None:
        """One request is; so many have come and are not.

        It may be answered before all of its body came: what comes of that is still body.
        """
        if not others and not self._body.is_eof():
            return
        held, self._body = self.held, EMPTY_PAYLOAD
        self._received = held * others // (others + 1) if others else self._rest
        self._rest = self._rest if others else 0
