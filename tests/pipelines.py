"""A declared pipeline on a real Redis: fixtures of the folders that test one."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from catchwater.config.streamdefs import StreamDefs, load
from catchwater.event import Event, encode
from catchwater.redis_client import Connection
from catchwater.streams.consumer import Consumer, prepare
from catchwater.streams.keys import stream
from catchwater.streams.loop import Loop
from catchwater.streams.processing import Work

PIPELINE = """
partitions: 2
streams: {raw: {}, named: {}, unique: {}, counted: {}}
stages:
  name: {run: stages.dedupe:dedupe, reads: raw, emits: named, once_for: 1h}
  dedupe: {run: stages.dedupe:dedupe, reads: named, emits: unique, once_for: 60s}
  count: {run: stages.count:count, reads: unique, emits: counted, samples: 4/h}
  sink: {run: sink, reads: counted}
defaults: {batch: 10, wait: 50ms, claim_after: 300ms, tries: 3}
"""


@dataclass
class Pipeline:
    """A declared pipeline on a real Redis, and short words for what tests do with it."""

    url: str
    defs: StreamDefs
    connection: Connection
    opened: list[Connection] = field(default_factory=list)

    def connect(self) -> Connection:
        self.opened.append(Connection(self.url))
        return self.opened[-1]

    def consumer(self, stage: str, name: str = "a") -> Consumer:
        return Consumer(self.connect(), self.defs, stage, name)

    def add(self, stream_name: str, *events: Event) -> None:
        for event in events:
            self.connection.call(*self.adding(stream_name, event))

    def adding(self, stream_name: str, event: Event) -> tuple[str | bytes, ...]:
        """The command that adds it."""
        tag = self.defs.tags[self.defs.partition_of(event.id)]
        flat = [part for item in encode(event).items() for part in item]
        return ("XADD", stream(tag, stream_name), "*", *flat)

    def inside(self, stream_name: str) -> list[dict[bytes, bytes]]:
        """The entries of a stream, over all partitions."""
        found = []
        for tag in self.defs.tags:
            for _, flat in self.connection.call("XRANGE", stream(tag, stream_name), "-", "+"):
                found.append(dict(zip(flat[::2], flat[1::2], strict=True)))
        return found

    def ids(self, stream_name: str) -> list[str]:
        return sorted(fields[b"id"].decode() for fields in self.inside(stream_name))

    @contextmanager
    def loop(self, stage: str, work: Work, name: str = "a") -> Iterator[Loop]:
        """A loop at work in a thread; stopped gracefully at the end."""
        stopping = threading.Event()
        loop = Loop(self.consumer(stage, name), work, stopping)
        thread = threading.Thread(target=loop.run)
        thread.start()
        try:
            yield loop
        finally:
            stopping.set()
            thread.join()


@pytest.fixture
def pipeline(redis_url: str, tmp_path: Path) -> Iterator[Pipeline]:
    path = tmp_path / "streamdefs.yaml"
    path.write_text(PIPELINE)
    defs = load(path)
    connection = Connection(redis_url)
    prepare(connection, defs)
    one = Pipeline(redis_url, defs, connection)
    yield one
    for each in (connection, *one.opened):
        each.close()


@pytest.fixture
def event() -> Callable[..., Event]:
    def make(
        number: int = 1,
        *,
        issue: str = "1:v1:a",
        received: int = 1_763_900_000_000,
        **facts: object,
    ) -> Event:
        about = {"type": "TypeError", "message": "boom", "culprit": "f (a.js)", "level": "error"}
        whole = {"issue": issue, "n": 1, "user": "", "tags": {}, "about": about} | facts
        return Event(f"{number:032x}", "1", received, "named", b'{"message":"boom"}', whole)

    return make
