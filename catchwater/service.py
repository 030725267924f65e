"""What every service does the same way: logs, signals, and the ops port."""

from __future__ import annotations

import logging
import resource
import signal
import socket
import sys
import threading
from contextlib import suppress
from http import HTTPStatus
from socketserver import ThreadingMixIn
from typing import TYPE_CHECKING, Any, Self
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server

import orjson
import structlog
from prometheus_client import make_wsgi_app

from catchwater.redaction import redacted
from catchwater.visible import visible

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from types import TracebackType
    from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

MOST_REQUESTS = 32
"""Requests that an ops port answers at once."""

REQUEST_S = 10.0
"""How long a scraper may take to send its request."""


def configure_logging(service: str, level: str = "INFO") -> None:
    """Log one JSON object per line to standard error: our own logs, and those of libraries."""
    shared: list[Any] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        # Without local variables: they may contain passwords and what people's browsers sent.
        structlog.processors.ExceptionRenderer(
            structlog.tracebacks.ExceptionDictTransformer(show_locals=False)
        ),
    ]
    renderer = structlog.processors.JSONRenderer(serializer=_line)
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(processor=renderer, foreign_pre_chain=shared)
    )
    logging.basicConfig(handlers=[handler], level=level, force=True)
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.make_filtering_bound_logger(level),
        cache_logger_on_first_use=True,
    )
    structlog.contextvars.bind_contextvars(service=service)


def raise_file_limit() -> int:
    """Let this process open as many files as it may. Returns how many: a shell's default is 1,024.

    Child processes inherit it.
    """
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    with suppress(ValueError, OSError):
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    return resource.getrlimit(resource.RLIMIT_NOFILE)[0]


def stop_signal() -> threading.Event:
    """Returns an event that SIGTERM or Ctrl-C sets. A second signal ends the process at once."""
    stopping = threading.Event()

    def stop(number: int, _frame: object) -> None:
        if stopping.is_set():
            sys.exit(128 + number)
        stopping.set()

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, stop)
    return stopping


class OpsServer:
    """A thread that serves `/metrics`, `/healthz` and `/readyz`; a context manager.

    `/healthz` says that the process is alive. `/readyz` returns 503 and the reason while the
    service cannot work.
    """

    def __init__(self, host: str, port: int, not_ready_reason: Callable[[], str]) -> None:
        """`not_ready_reason` returns why the service is not ready, '' when it is.

        Port 0 takes any free one: see the attribute `port`.
        """
        self._metrics: WSGIApplication = make_wsgi_app()
        self._not_ready_reason = not_ready_reason
        self._server = make_server(host, port, self._app, _Server, _Quiet)
        self.port = self._server.server_port
        self._thread = threading.Thread(
            target=self._server.serve_forever, args=(0.1,), name="ops", daemon=True
        )

    def __enter__(self) -> Self:
        self._thread.start()
        structlog.get_logger().info("ops port is open", port=self.port)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def _app(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        path = environ.get("PATH_INFO")
        if path == "/metrics":
            return self._metrics(environ, start_response)
        if path == "/healthz":
            return _text(start_response, HTTPStatus.OK, "alive")
        if path == "/readyz":
            reason = self._not_ready_reason()
            status = HTTPStatus.SERVICE_UNAVAILABLE if reason else HTTPStatus.OK
            return _text(start_response, status, redacted(reason) or "ready")
        return _text(
            start_response, HTTPStatus.NOT_FOUND, "here are /metrics, /healthz and /readyz"
        )


class _Server(ThreadingMixIn, WSGIServer):
    """A thread for each request: a client that trickles its own must not keep the others waiting.

    One that comes while all threads are taken is sent away.
    """

    daemon_threads = True
    block_on_close = False

    def __init__(self, *args: Any, **more: Any) -> None:
        super().__init__(*args, **more)
        self._free = threading.BoundedSemaphore(MOST_REQUESTS)

    def process_request(self, request: Any, client_address: Any) -> None:
        if self._free.acquire(blocking=False):
            super().process_request(request, client_address)
        else:
            self.shutdown_request(request)

    def process_request_thread(self, request: Any, client_address: Any) -> None:
        slow = threading.Timer(REQUEST_S, _stop_reading, [request])
        slow.daemon = True
        slow.start()
        try:
            super().process_request_thread(request, client_address)
        finally:
            slow.cancel()
            self._free.release()


def _stop_reading(request: socket.socket) -> None:
    with suppress(OSError):  # it was answered just now
        request.shutdown(socket.SHUT_RD)


class _Quiet(WSGIRequestHandler):
    timeout = 5
    """Seconds that a scraper may be silent."""

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - its name in the base class
        """Log nothing: there is a scrape every few seconds."""


def _text(start_response: StartResponse, status: HTTPStatus, text: str) -> list[bytes]:
    start_response(
        f"{status.value} {status.phrase}", [("Content-Type", "text/plain; charset=utf-8")]
    )
    return [f"{text}\n".encode()]


def _line(event: Any, default: Callable[[Any], Any] = str, **_: Any) -> str:
    """One line of the log. Libraries' own lines may have addresses with passwords, and ours what
    strangers sent.
    """
    line = orjson.dumps(_redacted(event), default=lambda value: _redacted(default(value)))
    return visible(line.decode())


def _redacted(value: Any) -> Any:
    """Each text by itself: what looks like an address may not reach into the next."""
    if isinstance(value, str):
        return redacted(value)
    if isinstance(value, dict):
        return {_redacted(name): _redacted(one) for name, one in value.items()}
    return [_redacted(one) for one in value] if isinstance(value, list | tuple) else value
