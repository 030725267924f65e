"""A way between a page and its server that takes time, as the real one does: what was not on
its way yet is lost.
"""

from __future__ import annotations

import asyncio
import threading
from typing import Self


class Distance:
    """Passes on what comes to its port after `seconds`, unless the browser has given the
    request up by then.
    """

    def __init__(self, port: int, seconds: float) -> None:
        self._target = port
        self._seconds = seconds
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self.port = 0
        self.started = 0  # requests, or parts of them, that have set out

    def __enter__(self) -> Self:
        self._thread.start()
        self._server = self._run(asyncio.start_server(self._passed, "127.0.0.1", 0))
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    def __exit__(self, *_: object) -> None:
        self._loop.call_soon_threadsafe(self._server.close)
        self._run(self._settled())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def _run(self, work):
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(timeout=20)

    @staticmethod
    async def _settled() -> None:
        others = asyncio.all_tasks() - {asyncio.current_task()}
        for one in others:
            one.cancel()
        await asyncio.gather(*others, return_exceptions=True)

    async def _passed(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        there, back = await asyncio.open_connection("127.0.0.1", self._target)
        try:
            await asyncio.gather(self._on_its_way(reader, back), self._copied(there, writer))
        except (OSError, asyncio.CancelledError):
            pass
        finally:
            for one in (writer, back):
                one.close()

    async def _on_its_way(self, reader: asyncio.StreamReader, to: asyncio.StreamWriter) -> None:
        while data := await reader.read(2**20):
            self.started += 1
            await asyncio.sleep(self._seconds)
            if reader.at_eof() or reader.exception():
                break  # the browser has hung up
            to.write(data)
        to.close()

    @staticmethod
    async def _copied(reader: asyncio.StreamReader, to: asyncio.StreamWriter) -> None:
        while data := await reader.read(2**20):
            to.write(data)
