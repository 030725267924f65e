"""A stage's streams: reading, taking over, committing and trimming, over all partitions at once."""

from __future__ import annotations

import secrets
from collections import defaultdict
from typing import TYPE_CHECKING, NamedTuple, TypeVar

from catchwater import keys
from catchwater.commit import Entry, plan
from catchwater.connection import Connection, NoGroup, NoLife, Refused, Unavailable, pairs

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from catchwater.answers import Answer
    from catchwater.streamdefs import StreamDefs

T = TypeVar("T")

__all__ = ["Consumer", "NoGroup", "NoLife", "Refused", "Unavailable", "prepare"]


class Held(NamedTuple):
    """An entry that is pending for this consumer, and how often it was delivered so far."""

    partition: int
    id: str
    deliveries: int


LAYOUT = "1"
"""Version of the key table. Another one in Redis refuses to start."""


def prepare(connection: Connection, defs: StreamDefs) -> None:
    """Make what is missing: groups at 0 (nothing that waits is skipped), lives. Check what must agree.

    Safe to call at any time, by any number of processes. Raises Refused when this Redis must not be used.
    """
    _agree(connection, defs)
    _never_evicts(connection)
    connection.calls([("SET", keys.life(tag), secrets.token_hex(4), "NX") for tag in defs.tags])
    for name, stage in defs.stages.items():
        for tag in defs.tags:
            _make_group(connection, keys.stream(tag, stage.reads), name)


def _agree(connection: Connection, defs: StreamDefs) -> None:
    mine = {"partitions": str(defs.partitions), "layout": LAYOUT}
    for name, value in mine.items():
        connection.call("HSETNX", keys.META, name, value)
        stored = connection.call("HGET", keys.META, name).decode()
        if stored != value:
            raise Refused(
                f"{name} is {value} here, but {stored} in the Redis at {connection.url}: it is fixed for the life of "
                f"the data; set {name}: {stored} in streamdefs.yaml, or use another Redis"
            )


def _never_evicts(connection: Connection) -> None:
    lines = connection.call("INFO", "memory").decode().splitlines()
    policy = dict(line.split(":", 1) for line in lines if ":" in line).get("maxmemory_policy", "noeviction")
    if policy != "noeviction":
        raise Refused(
            f"maxmemory-policy is {policy!r} in the Redis at {connection.url}: it would throw away events that were "
            "accepted; set it to noeviction"
        )


def _make_group(connection: Connection, stream: str, group: str) -> None:
    try:
        connection.call("XGROUP CREATE", stream, group, "0", "MKSTREAM")
    except Refused as error:
        if not str(error).startswith("BUSYGROUP"):
            raise


class Consumer:
    """One consumer of one stage, over all partitions. Belongs to one thread."""

    def __init__(self, connection: Connection, defs: StreamDefs, stage: str, name: str) -> None:
        self._connection = connection
        self._defs = defs
        self._tags = defs.tags
        self.stage = stage
        self.settings = defs.stages[stage]
        self.name = name
        self.partitions = defs.partitions
        self._streams = [keys.stream(tag, self.settings.reads) for tag in self._tags]
        self._partition = {stream.encode(): i for i, stream in enumerate(self._streams)}

    def read(self) -> list[Entry]:
        """New entries of every partition, `batch` in all; waits `wait` for them. Raises NoGroup."""
        share = max(1, -(-self.settings.batch // len(self._streams)))
        wait = int(self.settings.wait * 1000)
        command = ("XREADGROUP", "GROUP", self.stage, self.name, "COUNT", share, "BLOCK", wait, "STREAMS")
        found = self._connection.call(*command, *self._streams, *[">"] * len(self._streams))
        return [
            Entry(self._partition[stream], id_.decode(), pairs(fields or ()))
            for stream, entries in found or ()
            for id_, fields in entries
        ]

    def take_over(self, cursors: list[bytes]) -> tuple[list[bytes], int]:
        """Make mine what others have held for `claim_after`, from these cursors on, without delivering it yet.

        Answers the next cursors (b"0-0" means: once round) and how many entries had vanished from the stream
        while they were pending: accepted events that are lost.
        """
        idle = int(self.settings.claim_after * 1000)
        command = ("XAUTOCLAIM", self.stage, self.name, idle)
        results = self._connection.calls(
            [
                (command[0], stream, *command[1:], cursor, "COUNT", self.settings.batch, "JUSTID")
                for stream, cursor in zip(self._streams, cursors, strict=True)
            ]
        )
        return [result[0] for result in results], sum(len(result[2]) for result in results if len(result) > 2)

    def held(self) -> list[Held]:
        """What is pending for this consumer, at most `batch` a partition."""
        results = self._connection.calls(
            [("XPENDING", stream, self.stage, "-", "+", self.settings.batch, self.name) for stream in self._streams]
        )
        return [
            Held(partition, id_.decode(), tries)
            for partition, rows in enumerate(results)
            for id_, _consumer, _idle, tries in rows
        ]

    def deliver(self, held: Sequence[Held]) -> list[Entry]:
        """Read what this consumer holds; each entry's count of deliveries goes up by one."""
        ids = _by_partition((one.partition, one.id) for one in held)
        tries = {(one.partition, one.id): one.deliveries + 1 for one in held}
        results = self._connection.calls(
            [
                ("XCLAIM", self._streams[partition], self.stage, self.name, 0, *wanted)
                for partition, wanted in ids.items()
            ]
        )
        return [
            Entry(partition, id_.decode(), pairs(fields or ()), tries[partition, id_.decode()])
            for partition, entries in zip(ids, results, strict=True)
            for id_, fields in entries
        ]

    def keep(self, batch: Sequence[Entry]) -> None:
        """Say that this consumer is still at work on these: their idle time starts anew, deliveries do not count up."""
        ids = _by_partition((entry.partition, entry.id) for entry in batch)
        self._connection.calls(
            [
                ("XCLAIM", self._streams[partition], self.stage, self.name, 0, *some, "JUSTID")
                for partition, some in ids.items()
            ]
        )

    def commit(self, answered: Iterable[tuple[Entry, Answer]]) -> list[int]:
        """Apply the answers, each once, whoever else has them too. Safe to call again. Raises NoLife.

        Answers the sums of {won, stale, emitted, duplicates, dropped, dead, stored}.
        """
        by_partition = _by_partition((one[0].partition, one) for one in answered)
        plans = [plan(self._defs, self.stage, self._tags[partition], some) for partition, some in by_partition.items()]
        results = self._connection.scripts("commit", [(one.keys, one.args()) for one in plans])
        return [sum(column) for column in zip(*results, strict=True)]

    def trim(self) -> int:
        """Drop from the stream what every declared group has committed. Answers how many entries went."""
        groups = self._defs.readers(self.settings.reads)
        return sum(self._connection.scripts("trim", [([stream], groups) for stream in self._streams]))

    def release(self) -> None:
        """Leave: hand over what is held, so that others need not wait for it, and go if nothing is left."""
        self._connection.scripts("release", [([stream], [self.stage, self.name]) for stream in self._streams])

    def prepare(self) -> None:
        prepare(self._connection, self._defs)


def _by_partition(pairs: Iterable[tuple[int, T]]) -> dict[int, list[T]]:
    grouped: defaultdict[int, list[T]] = defaultdict(list)
    for partition, value in pairs:
        grouped[partition].append(value)
    return grouped
