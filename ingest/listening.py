"""The socket that ingest accepts connections on, and how it stops without breaking one."""

from __future__ import annotations

import asyncio
import os
import socket
import time
from typing import TYPE_CHECKING

from aiohttp import web

if TYPE_CHECKING:
    from collections.abc import Mapping

BACKLOG = 1024

LINGER_S = 2.0
"""How long connections that are kept alive may take to send one more request. It is answered with
`Connection: close`, so their clients close them: if the server did, a request on its way would be
reset.
"""

SYSTEMD_FD = 3
"""The first socket that systemd hands over (sd_listen_fds(3))."""

CLOSING = web.AppKey("closing", asyncio.Event)


def inherited_fd(environment: Mapping[str, str]) -> int | None:
    """The listening socket that systemd handed to this process, if it did."""
    for_us = environment.get("LISTEN_PID") == str(os.getpid())
    return SYSTEMD_FD if for_us and environment.get("LISTEN_FDS", "0") != "0" else None


def make_site(runner: web.AppRunner, host: str, port: int, fd: int | None) -> web.BaseSite:
    """Where to accept connections: the inherited socket `fd`, or else `host` and `port`.

    An inherited socket stays open while this process is replaced: connections wait in its backlog.
    Of a port that processes share, the kernel resets what waits for the one that stops.
    """
    if fd is None:
        return web.TCPSite(runner, host, port, reuse_port=True, backlog=BACKLOG)
    return web.SockSite(runner, socket.socket(fileno=os.dup(fd)), backlog=BACKLOG)


async def close_gently(runner: web.AppRunner, site: web.BaseSite, closing: asyncio.Event) -> None:
    """Accept nothing more, answer what comes on open connections, and let their clients close."""
    closing.set()
    await site.stop()
    deadline = time.monotonic() + LINGER_S
    while runner.server and runner.server.connections and time.monotonic() < deadline:  # noqa: ASYNC110 - aiohttp has no event for it
        await asyncio.sleep(0.02)
    await runner.cleanup()


async def close_after_answer(request: web.Request, response: web.StreamResponse) -> None:
    """While ingest stops, ask the client to close its connection."""
    if request.app[CLOSING].is_set():
        response.headers["Connection"] = "close"
        response.force_close()
