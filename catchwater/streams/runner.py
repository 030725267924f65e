"""Runs the loops of stages, each in a thread of its own, until the process is asked to stop."""

from __future__ import annotations

import gc
import os
import secrets
import socket
import threading
from contextlib import ExitStack
from typing import TYPE_CHECKING

from catchwater.errors import UnavailableError
from catchwater.redis_client import Connection
from catchwater.service import raise_file_limit
from catchwater.streams import keys
from catchwater.streams.consumer import Consumer
from catchwater.streams.loop import Loop, Shared
from catchwater.streams.watchdog import watched

if TYPE_CHECKING:
    from collections.abc import Sequence

    from catchwater.config.streamdefs import StreamDefs
    from catchwater.streams.stage_loader import LoadedStage

AWAKE_S = 0.5
"""Within this the main thread acts on a signal that another thread got."""

LOOK_EVERY_S = 5.0
"""Seconds between two looks at which node of a cluster has which partitions."""

ASK_TIMEOUT_S = 2.0
ASK_AGAIN_S = 0.5
"""How long a node is waited for that is asked for that, and after how long it is asked again."""


class StageLoops:
    """The loops of one stage: one for each node of Redis, so that a node that is slow or away stops
    the partitions that it has, and no others. On a single Redis there is one loop.
    """

    def __init__(
        self,
        redis_url: str,
        defs: StreamDefs,
        stage: str,
        loaded: LoadedStage,
        consumer: str,
        stopping: threading.Event,
    ) -> None:
        """`consumer` '' takes a new name."""
        self._url = redis_url
        self._defs = defs
        self._stage = stage
        self._loaded = loaded
        self._name = consumer or new_consumer_name(stage)
        self._stopping = stopping
        self._shared = Shared()
        self._asking = Connection(redis_url, timeout_s=ASK_TIMEOUT_S)
        self._streams = [keys.stream(tag, defs.stages[stage].reads) for tag in defs.tags]
        self._loops: Sequence[Loop] = ()
        self._errors: list[BaseException] = []
        self._unknown = "has not reached Redis yet"

    @property
    def hang_after_s(self) -> float:
        """As of a loop."""
        return self._defs.stages[self._stage].hang_after.total_seconds()

    def busy_s(self, now: float) -> float:
        """As of a loop: only one of them works at a time."""
        return max((loop.busy_s(now) for loop in self._loops), default=0.0)

    def reasons(self) -> list[str]:
        """Why the stage, or what it does on a node, is not working; none when all are."""
        found = [loop.not_ready_reason or loop.slow_reason() for loop in self._loops]
        return list(filter(None, found if self._loops else [self._unknown]))

    def run(self) -> None:
        """Until it is to stop. Begins anew where partitions have moved to other nodes.

        Raises the first exception that ended a loop; then the others end, too.
        """
        while not self._stopping.is_set():
            if groups := self._grouped():
                self._run_each(groups)
            else:
                self._stopping.wait(ASK_AGAIN_S)
        self._asking.close()

    def _grouped(self) -> list[list[int]]:
        """The partitions of each node; nothing where no node says it just now."""
        try:
            found = self._asking.grouped(self._streams)
        except UnavailableError as error:
            self._unknown = str(error)
            return []
        number = {stream: partition for partition, stream in enumerate(self._streams)}
        return [[number[stream] for stream in streams] for streams in found]

    def _run_each(self, groups: Sequence[Sequence[int]]) -> None:
        ended = threading.Event()
        with ExitStack() as connections:
            self._loops = [self._loop(one, ended, connections) for one in groups]
            threads = [threading.Thread(target=self._guarded, args=(loop,)) for loop in self._loops]
            for thread in threads:
                thread.start()
            self._wait_while(groups)
            ended.set()
            for thread in threads:
                thread.join()
        if self._errors:
            raise self._errors[0]

    def _loop(
        self, partitions: Sequence[int], ended: threading.Event, connections: ExitStack
    ) -> Loop:
        wait_s = self._defs.stages[self._stage].wait.total_seconds()
        connection = Connection(self._url, timeout_s=max(5.0, 2 * wait_s + 1))
        connections.callback(connection.close)
        consumer = Consumer(connection, self._defs, self._stage, self._name, partitions)
        return Loop(consumer, self._loaded.work, ended, self._loaded.warm_up, self._shared)

    def _guarded(self, loop: Loop) -> None:
        try:
            loop.run()
        except BaseException as error:  # noqa: BLE001 - raised again by the thread that started it
            self._errors.append(error)
            self._stopping.set()

    def _wait_while(self, groups: Sequence[Sequence[int]]) -> None:
        """Until it is to stop, or the partitions are grouped in another way."""
        while not self._stopping.wait(LOOK_EVERY_S) and self._grouped() in ([], groups):
            pass


def run_stages(stages: Sequence[StageLoops], stopping: threading.Event) -> None:
    """Run the stages until `stopping` is set. When one ends, for whatever reason, all end.

    When one hangs, the process ends at once with exit code 1. Raises the first exception that ended
    a stage.
    """
    errors: list[BaseException] = []

    def guarded(stage: StageLoops) -> None:
        try:
            stage.run()
        except BaseException as error:  # noqa: BLE001 - raised again below, in the main thread
            errors.append(error)
        finally:
            stopping.set()

    threads = [threading.Thread(target=guarded, args=(stage,)) for stage in stages]
    raise_file_limit()  # on a cluster each stage has a connection for each partition
    gc.freeze()  # what lives as long as the process need not be looked through for garbage
    with watched(stages):
        for thread in threads:
            thread.start()
        for thread in threads:
            _join_awake(thread)
    if errors:
        raise errors[0]


def _join_awake(thread: threading.Thread) -> None:
    """Wait for it, and look up often: the kernel may hand a signal to any thread, and Python's
    main thread, which alone may act on it, would not wake up for that.
    """
    while thread.is_alive():
        thread.join(AWAKE_S)


def not_ready_reason(stages: Sequence[StageLoops]) -> str:
    """Why some stage is not working, for /readyz; '' when all are."""
    return "; ".join(dict.fromkeys(reason for stage in stages for reason in stage.reasons()))


def new_consumer_name(stage: str) -> str:
    """A name such as `fingerprint-host-1234-a1b2c3`, unique over all processes and machines."""
    return f"{stage}-{socket.gethostname()}-{os.getpid()}-{secrets.token_hex(3)}"
