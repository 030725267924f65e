"""The whole pipeline in this process, from raw events to MongoDB, on real servers."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import orjson
from pymongo import MongoClient
from pymongo.database import Database

from catchwater.config.streamdefs import StreamDefs, load
from catchwater.event import Event, encode
from catchwater.redis_client import Connection
from catchwater.stage import StageEnvironment
from catchwater.streams.consumer import Consumer, prepare
from catchwater.streams.keys import stream
from catchwater.streams.loop import Loop
from catchwater.streams.processing import Work
from catchwater.streams.stage_loader import load_stages
from sink.work import store_in
from sink.writer import MongoWriter
from tests.waiting import wait_until

DEFS = """
partitions: 2
streams: {raw: {}, named: {}, unique: {}, counted: {}}
stages:
  fingerprint: {run: stages.fingerprint:fingerprint, reads: raw, emits: named}
  dedupe: {run: stages.dedupe:dedupe, reads: named, emits: unique, once_for: 1h}
  count: {run: stages.count:count, reads: unique, emits: counted, samples: 1000/h}
  sink: {run: sink, reads: counted}
defaults: {batch: 10, wait: 50ms}
"""
PROJECT = 'projects:\n  - id: "1"\n    name: shop\n    key: 0123456789abcdef0123456789abcdef\n'
WAIT_S = 60
"""Several loops share a loaded machine."""


@dataclass
class Whole:
    """`projects` is read again when it changes, as by a service."""

    defs: StreamDefs
    redis: Connection
    database: Database[dict[str, Any]]
    projects: Path
    sent: int = 0

    def send(self, report: dict[str, Any], count: int = 1, kind: str = "snippet") -> None:
        """Events of their own with one content."""
        for _ in range(count):
            self.sent += 1
            event = Event(f"{self.sent:032x}", "1", 1_763_900_000_000, kind, orjson.dumps(report))
            tag = self.defs.tags[self.defs.partition_of(event.id)]
            flat = [part for item in encode(event).items() for part in item]
            self.redis.call("XADD", stream(tag, "raw"), "*", *flat)

    def counted(self) -> dict[str, int]:
        """How many events each issue has by itself, once all that was sent is stored."""

        wait_until(lambda: sum(self.events().values()) == self.sent, "all are stored", WAIT_S)
        wait_until(lambda: self.database.samples.count_documents({}) == self.sent, "whole", WAIT_S)
        return self.events()

    def events(self) -> dict[str, int]:
        """How many events each issue has now."""
        every = self.database.issues.find({"parts": {"$exists": True}})
        return {one["_id"]: sum(one["parts"].values()) for one in every}

    @contextmanager
    def loop(self, stage: str, work: Work) -> Iterator[None]:
        connection, stopping = Connection(self.redis.url), threading.Event()
        loop = Loop(Consumer(connection, self.defs, stage, "a"), work, stopping)
        thread = threading.Thread(target=loop.run)
        thread.start()
        try:
            yield
        finally:
            stopping.set()
            thread.join()
            connection.close()


@contextmanager
def whole_pipeline(
    redis_url: str, mongo_url: str, folder: Path, streamdefs: str = DEFS
) -> Iterator[Whole]:
    """Its stages and its sink at work in threads. The database is emptied first."""
    (folder / "streamdefs.yaml").write_text(streamdefs)
    (folder / "projects.yaml").write_text(PROJECT)
    defs, redis = load(folder / "streamdefs.yaml"), Connection(redis_url)
    prepare(redis, defs)
    names = [name for name in defs.stages if name != "sink"]
    with MongoClient[dict[str, Any]](mongo_url, tz_aware=True) as client, ExitStack() as stack:
        client.drop_database("catchwater")
        whole = Whole(defs, redis, client.catchwater, folder / "projects.yaml")
        writer = MongoWriter(mongo_url, defs.retention)
        stack.callback(redis.close)
        stack.callback(writer.close)
        stack.enter_context(whole.loop("sink", partial(store_in, writer)))
        environment = StageEnvironment(mongo_url, projects=whole.projects)
        for name, one in load_stages(defs, names, environment).items():
            stack.enter_context(whole.loop(name, one.work))
        yield whole
