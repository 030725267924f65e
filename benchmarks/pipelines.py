"""A Redis or a cluster with a pipeline on it, and processes of its stages."""

from __future__ import annotations

import itertools
import os
import signal
import time
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING

from pymongo import MongoClient

from benchmarks.services import ready
from benchmarks.sinks import tallies
from benchmarks.stages import ISSUES, added, done, inputs
from benchmarks.whole import cpu_seconds
from catchwater.config.streamdefs import SINK, StreamDefs, load, packaged
from catchwater.event import encode
from catchwater.mongo_client import DATABASE
from catchwater.redis_client import Connection
from catchwater.streams.consumer import prepare
from catchwater.streams.keys import stream

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from catchwater.event import Event
    from catchwater.local.servers import RedisServer

Command = tuple[object, ...]

AT_ONCE = 500
LOOK_S = 0.05
"""Between two looks at what is done: they cost Redis something, too."""

MOST_S = 600.0


class Pipeline:
    """The packaged pipeline with so many partitions, on `nodes`, which `url` is the address of."""

    def __init__(
        self, url: str, nodes: Sequence[RedisServer], partitions: int, mongo_url: str, folder: Path
    ) -> None:
        self.nodes = nodes
        self.connection = Connection(url)
        self._mongo_url = mongo_url
        self._folder = folder
        self._settings = settings = folder / f"streamdefs-{partitions}.yaml"
        settings.write_text(
            packaged().read_text().replace("partitions: 8", f"partitions: {partitions}")
        )
        (folder / "projects.yaml").write_text("projects: []\n")
        self.defs: StreamDefs = load(settings)

    def empty(self) -> None:
        """As if nothing had ever been in Redis and in MongoDB."""
        self.connection.each("FLUSHDB")
        prepare(self.connection, self.defs)
        with MongoClient[dict[str, object]](self._mongo_url) as client:
            client.drop_database(DATABASE)

    def entries(self, stage: str, count: int, busy: int = 1) -> list[Command]:
        """The commands that add so many entries to what it reads: events, and for the sink
        tallies. Of the events one partition gets `busy` times as many as each other one.
        """
        reads = self.defs.stages[stage].reads
        if stage != SINK:
            events = inputs(self.defs, count)[stage]
            return [added(self.defs, reads, one) for one in self._uneven(events, busy)]
        tags = self.defs.tags
        every = enumerate(tallies(tags, ISSUES, count, int(time.time() * 1000)))
        return [
            ("XADD", stream(tags[n % len(tags)], reads), "*", *_flat(encode(one)))
            for n, one in every
        ]

    def _uneven(self, events: Sequence[Event], busy: int) -> Iterator[Event]:
        """The events, those of the first partition under new ids until it has its share."""
        ids = map("{:032x}".format, itertools.count())
        first = (one for one in ids if self.defs.partition_of(one) == 0)
        more = busy - 1
        for number, event in enumerate(events):
            to_first = number % (self.defs.partitions + more) < more
            yield replace(event, id=next(first)) if to_first else event

    def add(self, commands: Sequence[Command]) -> None:
        for first in range(0, len(commands), AT_ONCE):
            self.connection.calls(commands[first : first + AT_ONCE])

    def wait_for(self, stage: str, count: int, tags: Sequence[str] = ()) -> None:
        """Until it has committed so many entries, in these partitions or in all."""
        deadline = time.monotonic() + MOST_S
        while done(self.connection, tags or self.defs.tags, stage) < count:
            assert time.monotonic() < deadline, f"{stage} does not come to its end"
            time.sleep(LOOK_S)

    def cpu(self) -> list[float]:
        """CPU seconds of each node so far."""
        return [cpu_seconds(node.pid) for node in self.nodes]

    @contextmanager
    def at_work(self, stage: str, number: int) -> Iterator[list[int]]:
        """So many processes of a stage, when they are ready: their ids."""
        settings = {
            "REDIS_URL": self.connection.url,
            "MONGO_URL": self._mongo_url,
            "STREAMDEFS": str(self._settings),
            "PROJECTS": str(self._folder / "projects.yaml"),
        }
        what = ("sink",) if stage == SINK else ("stage", stage)
        with ExitStack() as running:
            yield [running.enter_context(ready(settings, *what)) for _ in range(number)]


@contextmanager
def paused(pids: Sequence[int]) -> Iterator[None]:
    """They stand still meanwhile."""
    for pid in pids:
        os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        for pid in pids:
            os.kill(pid, signal.SIGCONT)


def _flat(fields: dict[bytes, bytes]) -> list[bytes]:
    return [part for item in fields.items() for part in item]
