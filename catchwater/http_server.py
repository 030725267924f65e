"""What every server of ours that speaks HTTP guards against: connections that say nothing, too many
of them, and what is no HTTP at all.
"""

from __future__ import annotations

import asyncio
import errno
import gc
import time
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import structlog
from aiohttp import web
from aiohttp.http_exceptions import BadHttpMessage

from catchwater import http_heads
from catchwater.http_heads import HeadBytes
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

GARBAGE_S = 0.05
"""After which handlers whose connection was closed have ended."""

SPARE_FILES = 64
"""Files that a process needs beside its connections."""

MOST_CONNECTIONS = 10_000
"""Also where there may be a million files: each connection with a request takes 13 KB."""

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
        self.head_bytes = 0
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
        most = min(MOST_CONNECTIONS, max(SPARE_FILES, raise_file_limit() - SPARE_FILES))
        asyncio.get_running_loop().set_exception_handler(_OutOfFiles())
        gc.freeze()  # what lives as long as the process need not be looked through for garbage
        states: dict[web.RequestHandler, _State] = {}
        while True:
            connections = self._connections()
            states = _states(connections, states, time.monotonic())
            for one in _to_close(states, seconds, len(connections) - most):
                one.force_close()
            await asyncio.sleep(min(1.0, seconds / 3))

    def _connections(self) -> list[web.RequestHandler]:
        return list(self.server.connections) if self.server else []

    def count_head_bytes(self, more: int) -> None:
        """Of all connections together. Beyond the bound those that have most lose their place."""
        self.head_bytes += more
        if more <= 0 or self.head_bytes <= http_heads.ALL:
            return
        connections = [one for one in self._connections() if isinstance(one, _Connection)]
        for one in sorted(connections, key=lambda one: one.head_bytes, reverse=True):
            if self.head_bytes <= http_heads.ALL // 2:
                break
            one.force_close()
            one.give_back_head_bytes()
        # aiohttp's requests that were broken off are circles of references
        asyncio.get_running_loop().call_later(GARBAGE_S, gc.collect)


@dataclass(frozen=True, slots=True)
class _State:
    """What a connection has been doing without a change."""

    requests: int
    """How many it has sent."""
    runs: bool
    """Whether a handler has one of them: it may wait for a body that does not come."""
    unread: bool
    """Whether more of the answer waits than the client reads."""
    since: float

    def is_as(self, other: _State) -> bool:
        return replace(self, since=other.since) == other


def _states(
    connections: list[web.RequestHandler], before: Mapping[web.RequestHandler, _State], now: float
) -> dict[web.RequestHandler, _State]:
    found: dict[web.RequestHandler, _State] = {}
    for one in connections:
        runs = one._current_request is not None  # noqa: SLF001 - aiohttp has no time-out for headers
        state = _State(one._request_count, runs, one.writing_paused, now)  # noqa: SLF001 - as above
        known = before.get(one)
        found[one] = known if known is not None and state.is_as(known) else state
    return found


def _to_close(
    states: Mapping[web.RequestHandler, _State], seconds: float, too_many: int
) -> list[web.RequestHandler]:
    """Those that have not asked anything in time, or do not read; and of too many those that
    have been silent for longest, and after them those whose request has.
    """
    now = time.monotonic()
    late = [one for one, state in states.items() if _is_late(state, now, seconds)]
    oldest = sorted(states, key=lambda one: (states[one].runs, states[one].since))
    return late + oldest[: max(0, too_many)]


def _is_late(state: _State, now: float, seconds: float) -> bool:
    if state.unread:
        return now - state.since > KEEPALIVE_SECONDS
    return not state.runs and not state.requests and now - state.since > seconds


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
    __slots__ = ("_heads", "_runner", "head_bytes")

    def __init__(self, server: _Server, **settings: Any) -> None:
        super().__init__(server, **settings)
        self._runner = server.runner
        self._heads = HeadBytes()
        self.head_bytes = 0

    def data_received(self, data: bytes) -> None:
        """Counts what is no body, for the parser holds it."""
        requests, waiting = self._request_count, len(self._messages)
        super().data_received(data)
        if self._request_count == requests:
            self._heads.more(len(data))
        elif self._messages:
            others = waiting > 0 or self._current_request is not None
            self._heads.begun(len(data), self._messages[-1][1], others=others)
        if not self._reading_paused:  # the parser has a part of the body that it keeps back
            self._count_head_bytes()
            if self._request_count == requests and self.head_bytes > http_heads.ONE:
                self._runner.malformed()
                self.force_close()

    async def finish_response(self, *args: Any, **more: Any) -> tuple[web.StreamResponse, bool]:
        done = await super().finish_response(*args, **more)
        self._heads.answered(len(self._messages))
        self._count_head_bytes()
        return done

    def connection_lost(self, exc: BaseException | None) -> None:
        super().connection_lost(exc)
        self.give_back_head_bytes()

    def give_back_head_bytes(self) -> None:
        self._heads = HeadBytes()
        self._count_head_bytes()

    def _count_head_bytes(self) -> None:
        more = self._heads.held - self.head_bytes
        if more:
            self.head_bytes += more
            self._runner.count_head_bytes(more)

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
        """A stranger's nonsense is counted; only what is wrong with us is logged, and not what
        breaks off where a connection was closed while its body came.
        """
        closed = self._force_close or self.transport is None
        if not (closed or isinstance(more.get("exc_info"), BadHttpMessage)):
            super().log_exception(*args, **more)
