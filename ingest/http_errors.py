"""What is answered when aiohttp itself refuses a request: it is no HTTP, or its headers are too
long.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from aiohttp import web
from aiohttp.http_exceptions import BadHttpMessage

from ingest import responses

if TYPE_CHECKING:
    from collections.abc import Callable

    from aiohttp.web_request import BaseRequest


class Runner(web.AppRunner):
    """Runs an application whose every response carries CORS headers, also where no handler ran.

    `refused` is called with the reason, `not_http`, for each of these.
    """

    def __init__(
        self, app: web.Application, refused: Callable[[str], None], **settings: Any
    ) -> None:
        super().__init__(app, **settings)
        self._refused = refused

    async def _make_server(self) -> web.Server:
        server = await super()._make_server()
        server.__class__ = _Server  # aiohttp lets nobody choose the class
        server.refused = self._refused  # type: ignore[attr-defined] # it is a _Server now
        return server


class _Server(web.Server):
    refused: Callable[[str], None]

    def __call__(self) -> web.RequestHandler:
        return _Connection(self, loop=self._loop, **self._kwargs)


class _Connection(web.RequestHandler):
    __slots__ = ("_refused",)

    def __init__(self, server: _Server, **settings: Any) -> None:
        super().__init__(server, **settings)
        self._refused = server.refused

    def handle_error(
        self,
        request: BaseRequest,
        status: int = 500,
        exc: BaseException | None = None,
        message: str | None = None,
    ) -> web.StreamResponse:
        answer = super().handle_error(request, status, exc, message)
        answer.headers.update(responses.CORS)
        if status < 500:
            self._refused("not_http")
        return answer

    def log_exception(self, *args: Any, **more: Any) -> None:
        """A stranger's nonsense is counted; only what is wrong with us is logged."""
        if not isinstance(more.get("exc_info"), BadHttpMessage):
            super().log_exception(*args, **more)
