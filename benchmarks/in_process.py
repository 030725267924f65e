"""The counting path, from `raw` to MongoDB, in one process: each stage in turn, with full batches,
as while events wait.
"""

from __future__ import annotations

import gc
from contextlib import AbstractContextManager, nullcontext
from functools import partial
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pymongo import MongoClient

from benchmarks.stages import added
from catchwater.config.streamdefs import SINK, SOURCE, StreamDefs
from catchwater.redis_client import Connection
from catchwater.stage import StageEnvironment
from catchwater.streams.consumer import Consumer, prepare
from catchwater.streams.processing import Breaker, Work, answer_batch
from catchwater.streams.runner import new_consumer_name
from catchwater.streams.stage_loader import load_stages
from sink.work import store_in
from sink.writer import MongoWriter

if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Self

    from catchwater.event import Event

AT_ONCE = 500
"""Events that are added in a round trip."""


class InProcess:
    """A context manager. Empties the Redis database and the database `catchwater` first.

    Ingest is not part of it: `add` puts the entries into Redis that it would put there.
    """

    def __init__(self, redis_url: str, mongo_url: str, defs: StreamDefs) -> None:
        self.defs = defs
        self.connection = Connection(redis_url)
        self.client = MongoClient[dict[str, Any]](mongo_url)
        self._writer = MongoWriter(mongo_url, defs.retention)
        self._mongo_url = mongo_url
        self.stages: dict[str, Work] = {}

    def __enter__(self) -> Self:
        self.client.drop_database("catchwater")
        self.connection.call("FLUSHDB")
        prepare(self.connection, self.defs)
        self._writer.prepare()
        self.stages = _loaded(self.defs, self._mongo_url)
        self.stages[self.sink] = partial(store_in, self._writer)
        gc.freeze()  # as services do
        return self

    def __exit__(self, *_: object) -> None:
        gc.unfreeze()
        self._writer.close()
        self.client.close()
        self.connection.close()

    @property
    def sink(self) -> str:
        return next(name for name, stage in self.defs.stages.items() if stage.run == [SINK])

    def add(self, events: Iterable[Event]) -> None:
        add(self.connection, self.defs, events)

    def work(self, name: str, around: AbstractContextManager[object] | None = None) -> None:
        """Let one stage work until nothing waits for it, each turn within `around`."""
        consumer = Consumer(self.connection, self.defs, name, new_consumer_name(name))
        breaker, work, turn = Breaker(), self.stages[name], around or nullcontext()
        while True:
            consumer.batch_size.entries = consumer.settings.batch
            with turn:
                if batch := consumer.read():
                    tries, places = consumer.settings.tries, consumer.places(batch)
                    consumer.commit(answer_batch(work, batch, tries, breaker, places))
            if not batch:
                consumer.trim()
                return


def _loaded(defs: StreamDefs, mongo_url: str) -> dict[str, Work]:
    environment = StageEnvironment(mongo_url, projects=Path("/nonexistent/projects.yaml"))
    loaded = load_stages(defs, defs.counting_path, environment)
    for one in loaded.values():
        one.warm_up()
    return {name: one.work for name, one in loaded.items()}


def add(connection: Connection, defs: StreamDefs, events: Iterable[Event]) -> None:
    """As ingest adds them."""
    coming = iter(events)
    while some := [added(defs, SOURCE, event) for event in islice(coming, AT_ONCE)]:
        connection.calls(some)
