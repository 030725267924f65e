"""A link that can go wrong: a proxy between two processes, on loopback."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Coroutine, Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from random import Random
from typing import Any, Self

UP, DOWN = "up", "down"
"""The ways: what is asked, and what is answered."""

CHUNK = 65_536


class Link:
    """Passes bytes on to a port of 127.0.0.1. Each fault lasts as long as its `with`."""

    def __init__(self, target: int, random: Random) -> None:
        self.port = 0
        self.faults: set[str] = set()
        """What struck some bytes or a connection: a test asks, so that it cannot pass unharmed."""
        self._target = target
        self._random = random
        self._refuses = False
        self._held: set[str] = set()
        self._bytes_a_second = 0
        self._pieces = False
        self._halves = 0.0
        self._writers: set[asyncio.StreamWriter] = set()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever)

    def __enter__(self) -> Self:
        self._thread.start()
        self._server = self._run(asyncio.start_server(self._serve, "127.0.0.1", 0))
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    def __exit__(self, *_: object) -> None:
        self._run(self._end())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def lead_to(self, target: int) -> None:
        """From now on to another port: every connection is reset."""
        self._target = target
        self._run(self._reset())

    @contextmanager
    def cut(self) -> Iterator[None]:
        """Every connection is reset, and no new one comes to be."""
        with self._while(_refuses=True):
            self._run(self._reset())
            yield

    @contextmanager
    def silent(self, *ways: str) -> Iterator[None]:
        """Nothing arrives, and nobody is told. What was sent meanwhile never arrives."""
        with self._while(_held=set(ways)):
            try:
                yield
            finally:
                self._run(self._reset())

    def late(self, *ways: str) -> AbstractContextManager[None]:
        """The same, but then everything arrives."""
        return self._while(_held=set(ways))

    def slow(self, bytes_a_second: int) -> AbstractContextManager[None]:
        return self._while(_bytes_a_second=bytes_a_second)

    def in_pieces(self) -> AbstractContextManager[None]:
        """A few bytes at a time."""
        return self._while(_pieces=True)

    def in_halves(self, share: float) -> AbstractContextManager[None]:
        """Of that share of packets only a part arrives; then the connection is reset."""
        return self._while(_halves=share)

    @contextmanager
    def _while(self, **fault: Any) -> Iterator[None]:
        """The link is in that state, and afterwards as it was."""
        before = {name: getattr(self, name) for name in fault}
        vars(self).update(fault)
        try:
            yield
        finally:
            vars(self).update(before)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self._refuses:
            self.faults.add("refused")
            writer.transport.abort()
            return
        try:
            far_reader, far = await asyncio.open_connection("127.0.0.1", self._target)
        except OSError:
            writer.transport.abort()
            return
        self._writers |= {writer, far}
        ways = (self._pump(reader, far, UP), self._pump(far_reader, writer, DOWN))
        await asyncio.wait(
            [asyncio.ensure_future(way) for way in ways], return_when="FIRST_COMPLETED"
        )
        for one in (writer, far):
            one.transport.abort()
            self._writers.discard(one)

    async def _pump(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, way: str
    ) -> None:
        with suppress(OSError):
            while packet := await reader.read(CHUNK):
                await self._wait(packet, way)
                if self._random.random() < self._halves:
                    self.faults.add("half")
                    writer.write(packet[: len(packet) // 2])
                    await writer.drain()
                    return
                await self._write(writer, packet)

    async def _wait(self, packet: bytes, way: str) -> None:
        while way in self._held:
            self.faults.add(f"held {way}")
            await asyncio.sleep(0.01)
        if self._bytes_a_second:
            self.faults.add("slow")
            await asyncio.sleep(len(packet) / self._bytes_a_second)

    async def _write(self, writer: asyncio.StreamWriter, packet: bytes) -> None:
        while self._pieces and packet:
            self.faults.add("piece")
            length = self._random.randint(1, 200)
            writer.write(packet[:length])
            await writer.drain()
            await asyncio.sleep(0.0005)
            packet = packet[length:]
        writer.write(packet)
        await writer.drain()

    async def _reset(self) -> None:
        self.faults |= {"reset"} if self._writers else set()
        for writer in self._writers:
            writer.transport.abort()

    async def _end(self) -> None:
        self._server.close()
        await self._reset()
        others = asyncio.all_tasks() - {asyncio.current_task()}
        for task in others:
            task.cancel()
        await asyncio.gather(*others, return_exceptions=True)

    def _run(self, work: Coroutine[Any, Any, Any]) -> Any:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(10)
