"""Catchwater's processes as tasks of the simulation: the code is the real one."""

from __future__ import annotations

import asyncio
import selectors
from collections.abc import Callable
from concurrent.futures import Executor, Future
from functools import partial
from pathlib import Path
from typing import Any, Protocol

from catchwater.config.streamdefs import StreamDefs
from catchwater.http_server import Runner
from catchwater.streams.consumer import Consumer
from catchwater.streams.loop import Loop
from catchwater.streams.producer import EventProducer
from catchwater.streams.stage_loader import load_stages
from ingest.batching import EventBatcher
from ingest.draining import SpoolDrain
from ingest.spool import Spool
from sink.work import store_in
from sink.writer import MongoWriter
from tests.simulation import http
from tests.simulation.scheduler import Scheduler, VirtualFlag
from tests.simulation.servers import SimulatedAsyncConnection, SimulatedConnection, Weather, Wire


def run_stage(
    wire: Wire, defs: StreamDefs, stage: str, name: str, weather: Weather, flag: VirtualFlag
) -> None:
    """A process of a stage, until it is killed, or `flag` asks it to stop."""
    connection = SimulatedConnection(wire, weather)
    try:
        if defs.stages[stage].run == ["sink"]:
            writer = MongoWriter("simulated", defs.retention)
            writer._prepared = True  # the simulated one needs no index
            work: Any = partial(store_in, writer)
        else:
            work = load_stages(defs, [stage], None)[stage].work
        Loop(Consumer(connection, defs, stage, name), work, flag).run()
    finally:
        connection.close()


class Done(Protocol):
    """Hears whether a post was answered with 2xx."""

    def __call__(self, *, taken: bool) -> None: ...


class IngestProcess:
    """An ingest process on a loop that has the simulation's clock: its HTTP server, batcher, spool,
    drain and producer.
    """

    def __init__(self, wire: Wire, defs: StreamDefs, folder: Path, weather: Weather) -> None:
        self._weather = weather
        self._wire = wire
        self._defs = defs
        self._folder = folder
        self.loop: asyncio.SelectorEventLoop | None = None
        self._runner: Runner | None = None
        self._work: set[asyncio.Task[None]] = set()

    def run(self) -> None:
        """Until it is killed."""
        selector = VirtualSelector(self._weather.scheduler)
        loop = asyncio.SelectorEventLoop(selector)
        loop.time = selector.now_s  # type: ignore[method-assign]
        spool = Spool(self._folder, 10**8)
        spool.executor.shutdown()
        spool.executor = executor = InlineExecutor()
        producer = EventProducer("redis://simulated", self._defs)
        producer._connection = link = SimulatedAsyncConnection(self._wire, self._weather)
        try:
            loop.run_until_complete(self._serve(loop, producer, spool))
        finally:
            self.loop = None
            selector.dead = executor.dead = link.cut = True
            _bury(loop)
            spool.close()

    async def _serve(
        self, loop: asyncio.SelectorEventLoop, producer: EventProducer, spool: Spool
    ) -> None:
        batcher = EventBatcher(producer, spool)
        self._runner = await http.opened(producer, batcher, spool, self._defs)
        self.loop = loop
        await SpoolDrain(producer, spool).run()

    def post(self, request: bytes, done: Done) -> None:
        """Take a post, if it runs. `done` hears whether it was answered with 2xx, unless it dies
        before.
        """
        if self.loop is None:
            done(taken=False)  # connection refused
            return
        task = self.loop.create_task(self._answer(request, done))
        self._work.add(task)
        task.add_done_callback(self._work.discard)

    async def _answer(self, request: bytes, done: Done) -> None:
        assert self._runner
        connection = http.ClientConnection(self._runner)
        first = self._weather.random.randint(1, len(request))
        connection.send(request[:first])
        await asyncio.sleep(self._weather.pause_s())
        if self._weather.random.random() < self._weather.fault:
            self._weather.seen["client gone"] += 1
            connection.hang_up()
            return
        connection.send(request[first:])
        status = await connection.status()
        if self.loop:
            done(taken=200 <= status < 300)
        connection.hang_up()


def _bury(loop: asyncio.AbstractEventLoop) -> None:
    """End what a dead process had begun. It reaches no server, file or client any more."""
    loop.set_exception_handler(lambda *_: None)
    while tasks := asyncio.all_tasks(loop):
        for task in tasks:
            task.cancel()
        loop.run_until_complete(asyncio.gather(*tasks, return_exceptions=True))
    loop.close()


class VirtualSelector(selectors.SelectSelector):
    """Waits by the simulation's clock. No file is ever ready: there are none but the loop's own.

    The loop of a dead process has a clock that runs on while the simulation's stands still, so that
    whatever sleeps there wakes up and ends.
    """

    def __init__(self, scheduler: Scheduler) -> None:
        super().__init__()
        self._scheduler = scheduler
        self._after_death_s = 0.0
        self.dead = False

    def now_s(self) -> float:
        return self._scheduler.now_s() + self._after_death_s

    def select(self, timeout: float | None = None) -> list[Any]:
        if self.dead:
            self._after_death_s += timeout or 0.0
        else:
            running = asyncio._get_running_loop()
            asyncio._set_running_loop(None)  # each task of the simulation may run a loop
            try:
                self._scheduler.pause(1.0 if timeout is None else min(timeout, 1.0))
            finally:
                asyncio._set_running_loop(running)
        return []


class InlineExecutor(Executor):
    """Does it at once. Whoever waits for it hears of it a turn of the loop later."""

    dead = False

    def submit(self, call: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        future: Future[Any] = Future()
        if self.dead:
            raise RuntimeError("the process is dead")
        try:
            future.set_result(call(*args, **kwargs))
        except Exception as error:  # noqa: BLE001 - whoever waits for it hears of it
            future.set_exception(error)
        return future
