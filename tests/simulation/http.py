"""A client's connection to ingest's real HTTP server, without a socket: bytes in, bytes out."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import orjson

from catchwater.config.projects import Project, Projects
from catchwater.http_server import Runner
from ingest import responses
from ingest.admission import Admission
from ingest.commands.ingest import SERVER
from ingest.in_flight import InFlight
from ingest.rates import Rates
from ingest.server import IngestHandlers, application
from ingest.settings import Limits
from ingest.unaccepted import UnacceptedCounts

if TYPE_CHECKING:
    from collections.abc import Sequence

    from catchwater.config.streamdefs import StreamDefs
    from catchwater.streams.producer import EventProducer
    from ingest.batching import EventBatcher
    from ingest.spool import Spool

PROJECT = Project(id="1", name="shop", key="1" * 32)  # type: ignore[call-arg] # the rest has defaults


def request(reports: Sequence[dict[str, Any]]) -> bytes:
    """What the snippet posts."""
    body = orjson.dumps(list(reports))
    head = (
        f"POST /e/{PROJECT.key} HTTP/1.1\r\nHost: errors.example\r\n"
        "User-Agent: Mozilla/5.0 Chrome/156.0.0.0\r\nOrigin: https://shop.example\r\n"
        f"Content-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body


async def opened(
    producer: EventProducer, batcher: EventBatcher, spool: Spool, defs: StreamDefs
) -> Runner:
    """The server of an ingest process, which listens nowhere."""
    limits = Limits()
    room = Admission(
        defs, 1.0, lambda: None, spool.fill, Rates(producer), InFlight(limits.in_flight_bytes)
    )
    projects = Projects([PROJECT])
    handlers = IngestHandlers(lambda: projects, batcher, UnacceptedCounts(), room, limits)
    runner = Runner(application(handlers, limits), responses.CORS, lambda: None, **SERVER)
    await runner.setup()
    return runner


class ClientConnection(asyncio.Transport):
    """One connection: `send` what the client says, then wait for `status`."""

    def __init__(self, runner: Runner) -> None:
        super().__init__()
        self._said = b""
        self._status: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        assert runner.server
        self._protocol = runner.server()
        self._protocol.connection_made(self)

    def send(self, data: bytes) -> None:
        self._protocol.data_received(data)

    async def status(self) -> int:
        """Of the answer; 0 when the server closes without one."""
        return await self._status

    def hang_up(self) -> None:
        self._protocol.connection_lost(ConnectionResetError("the client is gone"))

    # What the server calls ----------------------------------------------------------------------

    def write(self, data: Any) -> None:
        self._said += bytes(data)
        if b"\r\n\r\n" in self._said and not self._status.done():
            self._status.set_result(int(self._said.split(b" ", 2)[1]))

    def writelines(self, parts: Any) -> None:
        self.write(b"".join(map(bytes, parts)))

    def close(self) -> None:
        if not self._status.done():
            self._status.set_result(0)

    abort = close

    def is_closing(self) -> bool:
        return self._status.done()

    def get_extra_info(self, name: str, default: Any = None) -> Any:
        return ("192.0.2.1", 1) if name == "peername" else default

    def pause_reading(self) -> None: ...

    def resume_reading(self) -> None: ...
