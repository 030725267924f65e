"""What every server of ours that speaks HTTP guards against: connections that say nothing, too many
of them, and what is no HTTP at all.
"""

from __future__ import annotations

import asyncio
import errno
import time
from typing import TYPE_CHECKING, Any

import structlog
from aiohttp import web
from aiohttp.http_exceptions import BadHttpMessage

from catchwater.service import raise_file_limit

if TYPE_CHECKING:
    import threading
    from collections.abc import Callable, Mapping

    from aiohttp.web_request import BaseRequest

log = structlog.get_logger()

HEADER_SECONDS = 15.0
"""That a new connection may take for its first request's headers."""

KEEPALIVE_SECONDS = 75.0
"""That it may take for those of a further one."""

LONGEST_HEADER = 36_864
"""Bytes of one header: 32 KB that a browser sends, and some more. The cookies of a whole site come
along to a subdomain of it, and aiohttp's own limit of 8 KB refused all that such visitors reported.
"""

LOG_EVERY_S = 60.0

SPARE_FILES = 64
"""Files that a process needs beside its connections."""

SERVER = "catchwater"
"""What the header Server says; aiohttp would say its version and Python's."""


class Runner(web.AppRunner):
    """Runs an application whose every response carries `headers`, also where no handler ran.

    A stranger's nonsense is counted and not logged. While all places are taken, the connections
    that have been silent for longest are closed for new ones.
    """

    def __init__(
        self,
        app: web.Application,
        headers: Mapping[str, str],
        malformed: Callable[[], None],
        **settings: Any,
    ) -> None:
        """`malformed` is called for each request that is no HTTP."""
        settings = {"access_log": None, "keepalive_timeout": KEEPALIVE_SECONDS, **settings}
        settings.setdefault("max_field_size", LONGEST_HEADER)
        super().__init__(app, **settings)
        self.malformed = malformed
        self.headers = {"Server": SERVER, **headers}
        app.on_response_prepare.append(self._add_headers)

    async def _add_headers(self, _request: web.Request, response: web.StreamResponse) -> None:
        """On every answer of the application, those of the router (404, 405) too."""
        response.headers.update(self.headers)

    async def _make_server(self) -> web.Server:
        server = await super()._make_server()
        server.__class__ = _Server  # aiohttp lets nobody choose the class
        server.runner = self  # type: ignore[attr-defined] # it is a _Server now
        return server

    async def serve_until(
        self, stopping: threading.Event, host: str, port: int, opened: Callable[[int], None]
    ) -> None:
        """Answer until `stopping` is set. `opened` is called with the port, which is another one
        for port 0. Raises OSError where it cannot be opened.
        """
        await self.setup()
        guarding = asyncio.create_task(self.close_idle_connections())
        try:
            await web.TCPSite(self, host.strip("[]"), port).start()
            opened(self.addresses[0][1])
            await asyncio.to_thread(stopping.wait)
        finally:
            guarding.cancel()
            await self.cleanup()

    async def close_idle_connections(self, seconds: float = HEADER_SECONDS) -> None:
        """Never ends: closes connections that only hold a place."""
        most = max(SPARE_FILES, raise_file_limit() - SPARE_FILES)
        asyncio.get_running_loop().set_exception_handler(_OutOfFiles())
        since: dict[web.RequestHandler, tuple[int, float]] = {}
        while True:
            connections = list(self.server.connections) if self.server else []
            since = _idle_since(connections, since, time.monotonic())
            for one in _to_close(since, seconds, len(connections) - most):
                one.force_close()
            await asyncio.sleep(min(1.0, seconds / 3))


def _idle_since(
    connections: list[web.RequestHandler],
    before: Mapping[web.RequestHandler, tuple[int, float]],
    now: float,
) -> dict[web.RequestHandler, tuple[int, float]]:
    """For each connection that serves no request: how many it had, and since when it waits."""
    idle: dict[web.RequestHandler, tuple[int, float]] = {}
    for one in connections:
        if one._current_request is None:  # noqa: SLF001 - aiohttp has no time-out for headers
            requests = one._request_count  # noqa: SLF001 - as above
            known = before.get(one)
            idle[one] = known if known and known[0] == requests else (requests, now)
    return idle


def _to_close(
    since: Mapping[web.RequestHandler, tuple[int, float]], seconds: float, too_many: int
) -> list[web.RequestHandler]:
    """Those that have not asked anything in time; and the most silent ones of too many."""
    now = time.monotonic()
    silent = [one for one, (asked, at) in since.items() if not asked and now - at > seconds]
    oldest = sorted(since, key=lambda one: since[one][1])
    return silent + oldest[: max(0, too_many)]


class _OutOfFiles:
    """Logs that there are no files left for connections once a minute, not once a connection."""

    def __init__(self) -> None:
        self._logged_at = -LOG_EVERY_S

    def __call__(self, loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        error = context.get("exception")
        if not isinstance(error, OSError) or error.errno not in (errno.EMFILE, errno.ENFILE):
            loop.default_exception_handler(context)
        elif time.monotonic() - self._logged_at >= LOG_EVERY_S:
            self._logged_at = time.monotonic()
            log.warning("no more connections can be accepted just now", why=str(error))


class _Server(web.Server):
    runner: Runner

    def __call__(self) -> web.RequestHandler:
        return _Connection(self, loop=self._loop, **self._kwargs)


class _Connection(web.RequestHandler):
    __slots__ = ("_runner",)

    def __init__(self, server: _Server, **settings: Any) -> None:
        super().__init__(server, **settings)
        self._runner = server.runner

    def handle_error(
        self,
        request: BaseRequest,
        status: int = 500,
        exc: BaseException | None = None,
        message: str | None = None,
    ) -> web.StreamResponse:
        answer = super().handle_error(request, status, exc, message)
        answer.headers.update(self._runner.headers)
        if status < 500:
            self._runner.malformed()
        return answer

    def log_exception(self, *args: Any, **more: Any) -> None:
        """A stranger's nonsense is counted; only what is wrong with us is logged."""
        if not isinstance(more.get("exc_info"), BadHttpMessage):
            super().log_exception(*args, **more)
