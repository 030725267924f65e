"""A server that notices are sent to: it remembers what came, and answers as it is told."""

from __future__ import annotations

import math
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import orjson


@dataclass
class Got:
    path: str
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return orjson.loads(self.body)


@dataclass
class Receiver:
    url: str = ""
    got: list[Got] = field(default_factory=list)
    status: int = 200
    location: str = ""
    held_from: float = math.inf
    """The number of the first one that is answered only when `released` is set."""
    released: threading.Event = field(default_factory=threading.Event)

    def takes(self, request: BaseHTTPRequestHandler) -> bool:
        """Whether it came whole. It may be held for a while then."""
        length = int(request.headers["Content-Length"])
        body = request.rfile.read(length)
        if len(body) < length:
            return False
        self.got.append(Got(request.path, dict(request.headers), body))
        if len(self.got) >= self.held_from:
            self.released.wait(60)
        return True

    @property
    def titles(self) -> list[str]:
        return [one.json["title"] for one in self.got]

    @property
    def kinds(self) -> list[str]:
        return [one.json["kind"] for one in self.got]


@contextmanager
def receiving() -> Iterator[Receiver]:
    receiver = Receiver()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            if not receiver.takes(self):
                return  # its sender died
            self.send_response(receiver.status)
            if receiver.location:
                self.send_header("Location", receiver.location)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.05,))
    thread.start()
    receiver.url = f"http://127.0.0.1:{server.server_port}/hook"
    try:
        yield receiver
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
