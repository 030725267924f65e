"""A pipeline on a real Redis that moves only when a test says so."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from catchwater.answers import Answer, Emit, Stored, Tally
from catchwater.event import Event, decode, encode
from catchwater.redis_client import Connection
from catchwater.streams import keys
from catchwater.streams.consumer import Consumer
from tests.dashboard import documents as made

if TYPE_CHECKING:
    import threading
    from collections.abc import Callable

    from pymongo.database import Database

    from catchwater.config.streamdefs import StreamDefs

    Mongo = Database[dict[str, Any]]

PIPELINE = """
streams: {raw: {}, named: {}, unique: {}, counted: {}}
stages:
  fingerprint: {run: 'stages.dedupe:dedupe', reads: raw, emits: named}
  dedupe: {run: 'stages.dedupe:dedupe', reads: named, emits: unique, once_for: 24h}
  count: {run: 'stages.count:count', reads: unique, emits: counted, samples: 20/h}
  sink: {run: sink, reads: counted}
defaults: {wait: 10ms}
"""


class Flow:
    def __init__(self, connection: Connection, defs: StreamDefs) -> None:
        self.connection = connection
        self.defs = defs

    def accept(self, count: int, first: int = 0) -> None:
        for number in range(first, first + count):
            event = Event(f"{number:032x}", "1", made.milliseconds(made.moment()), "snippet", b"{}")
            name = keys.stream(self.defs.tags[self.defs.partition_of(event.id)], "raw")
            self.connection.call(
                "XADD", name, "*", *[part for item in encode(event).items() for part in item]
            )

    def move(
        self, stage: str, answer: Callable[[int, Event], Answer] = lambda _, event: Emit(event)
    ) -> int:
        """Let one consumer of `stage` answer whatever waits; how many that was."""
        connection = Connection(self.connection.url)
        consumer = Consumer(connection, self.defs, stage, "tester")
        done = 0
        while batch := consumer.read():
            answers = [answer(done + i, decode(entry.fields)) for i, entry in enumerate(batch)]
            consumer.commit(zip(batch, answers, strict=True))
            done += len(batch)
        connection.close()
        return done

    def epochs(self) -> dict[str, str]:
        return {
            tag: self.connection.call("GET", keys.epoch(tag)).decode() for tag in self.defs.tags
        }


def flow_on(flow: Flow, mongo: Mongo, stopping: threading.Event) -> None:
    """Let one event after the other go all the way, to a MongoDB that always has what was
    counted.
    """
    done, parts = (
        0,
        {
            tag: f"parts.{made.moment():%Y%m}-{tag}-{epoch}-1"
            for tag, epoch in flow.epochs().items()
        },
    )
    consumers = {
        stage: Consumer(Connection(flow.connection.url), flow.defs, stage, "w")
        for stage in flow.defs.stages
    }
    counts = dict.fromkeys(parts.values(), 0)
    while not stopping.is_set():
        flow.accept(1, done)
        tag = flow.defs.tags[flow.defs.partition_of(f"{done:032x}")]
        for stage in ("fingerprint", "dedupe", "count"):
            (entry,) = consumers[stage].read()
            event = decode(entry.fields)
            consumers[stage].commit(
                [(entry, Emit(event, tally=Tally("1:v1:a") if stage == "count" else None))]
            )
        counts[parts[tag]] += 1
        mongo.issues.update_one({"_id": "1:v1:a"}, {"$max": counts}, upsert=True)
        while batch := consumers["sink"].read():
            consumers["sink"].commit([(entry, Stored()) for entry in batch])
        done += 1
