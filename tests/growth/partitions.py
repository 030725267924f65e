"""A pipeline whose partitions are doubled, as processes see it that know so many."""

from __future__ import annotations

from typing import TYPE_CHECKING

from catchwater.answers import Stored
from catchwater.config.streamdefs import SINK
from catchwater.monitoring import snapshot as snapshots
from catchwater.monitoring.audit import make_audit
from catchwater.streams import counters
from catchwater.streams.processing import Breaker, answer_batch, split_replayed
from catchwater.streams.stage_loader import load_stages
from tests.pipelines import Pipeline
from tests.streams.committed import bodies, highest_values

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from catchwater.answers import Answer
    from catchwater.event import Event
    from catchwater.monitoring.audit import Audit
    from catchwater.streams.commit import CommitTotals, Entry
    from catchwater.streams.consumer import Consumer
    from catchwater.streams.processing import Answered, Work

APART = """
partitions: 8
streams: {raw: {}, named: {}, unique: {}, counted: {}}
stages:
  name: {run: tests.growth.stages:passing, reads: raw, emits: named}
  dedupe: {run: stages.dedupe:dedupe, reads: named, emits: unique, once_for: 1h}
  count: {run: stages.count:count, reads: unique, emits: counted, samples: 4/h}
  sink: {run: sink, reads: counted}
defaults: {batch: 50, wait: 10ms, claim_after: 1s}
"""
CHAINED = """
partitions: 8
streams: {raw: {}, counted: {}}
stages:
  count:
    run: [tests.growth.stages:passing, stages.dedupe:dedupe, stages.count:count]
    reads: raw
    emits: counted
    once_for: 1h
  sink: {run: sink, reads: counted}
defaults: {batch: 50, wait: 10ms, claim_after: 1s}
"""
KINDS = {"apart": APART, "chained": CHAINED}

MONTH = len("yyyymm")


class Sized(Pipeline):
    """It works through the whole pipeline in the thread of the test."""

    def apart(self) -> Sized:
        """With a connection of its own, for another thread."""
        return Sized(self.url, self.defs, self.connect())

    def use(self, stage: str, name: str = "a") -> Consumer:
        consumer = self.consumer(stage, name)
        consumer.prepare()
        return consumer

    def answers(self, consumer: Consumer, batch: Sequence[Entry]) -> Answered:
        own, skipped = split_replayed(consumer.stage, batch)
        breaker, tries = Breaker(), consumer.settings.tries
        work = self.work(consumer.stage)
        return skipped + answer_batch(work, own, tries, breaker, consumer.places(own))

    def work(self, stage: str) -> Work:
        if self.defs.stages[stage].run == [SINK]:
            return _stored
        return load_stages(self.defs, [stage], None)[stage].work

    def turn(self, stage: str) -> CommitTotals:
        """What a new consumer finds, is committed."""
        consumer = self.use(stage)
        return consumer.commit(self.answers(consumer, consumer.read()))

    def drain(self) -> None:
        """Until nothing is left to read."""
        consumers = {name: self.use(name) for name in self.defs.stages}
        while any([self._turned(one) for one in consumers.values()]):  # noqa: C419 - all have a turn
            pass

    def _turned(self, consumer: Consumer) -> int:
        batch = consumer.read()
        consumer.commit(self.answers(consumer, batch))
        return len(batch)

    def depth(self, stage: str) -> int:
        found = snapshots.take(self.connection, self.defs).stages
        return next(one.depth for one in found if one.stage == stage)

    @property
    def audit(self) -> Audit:
        return make_audit(snapshots.take(self.connection, self.defs))

    def stored(self, issue: str = "1:v1:a") -> int:
        """What MongoDB has of an issue once all is stored: the highest value of each partition."""
        names = {sent["name"] for body in bodies(self) for sent in body["buckets"]}
        months = [highest_values(self, name) for name in names if len(name) == MONTH]
        return sum(month[counters.events_field(issue)] for month in months)


def _stored(events: Sequence[Event]) -> list[Answer]:
    return [Stored() for _ in events]


def write(folder: Path, kind: str, partitions: int) -> Path:
    """The pipeline of that kind, as a file."""
    path = folder / f"{kind}-{partitions}.yaml"
    path.write_text(KINDS[kind].replace("partitions: 8", f"partitions: {partitions}"))
    return path
