"""A stage's side of Redis Streams: read, claim, commit, trim and leave, over all partitions."""

from __future__ import annotations

import secrets
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from catchwater.errors import CatchwaterError, GrownError, RefusedError, UnavailableError
from catchwater.redis_client import Connection, as_mapping
from catchwater.streams import commit, keys, moving
from catchwater.streams.agreement import check_again
from catchwater.streams.batch_size import BatchSize
from catchwater.streams.commit import CommitTotals, Entry, plan_commit
from catchwater.streams.deliveries import (
    Claimed,
    Delivered,
    HeldEntry,
    PendingEntry,
    by_partition,
    is_unread,
    vanished,
)
from catchwater.streams.new_entries import new_entries, of_fair_shares

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from catchwater.answers import Answer
    from catchwater.config.streamdefs import StreamDefs

TRIM = Path(__file__).with_name("trim.lua")
CREATE_GROUP = Path(__file__).with_name("create_group.lua")
REAP = Path(__file__).with_name("reap.lua")
RELEASE = Path(__file__).with_name("release.lua")

_MILLISECOND = timedelta(milliseconds=1)


def prepare(
    connection: Connection,
    defs: StreamDefs,
    own: str = "",
    tags: Sequence[str] = (),
    *,
    agreed: bool = False,
) -> None:
    """Create missing epochs and groups, and check that this Redis fits `defs`.

    For each partition it sets the key of its epoch; for each stage and partition it creates the
    stream and the group. A group starts at 0, so that it reads what is in the stream already. Safe
    to call at any time, by any number of processes.

    It reads first and writes only what is missing: a Redis that is full refuses writes, and must
    not keep stages from working off what fills it. So for the stage `own` the groups of others may
    be missing: each makes its own, as soon as there is room. With `tags`, only these partitions and
    their nodes are looked at; `agreed` as in agreement.py.

    Raises RefusedError when what is fixed differs from what is stored (agreement.py), or when Redis
    may evict keys.
    """
    check_again(connection, defs, list(map(keys.epoch, tags)), agreed=agreed)
    _create_epochs(connection, tags or defs.tags)
    for stage, settings in defs.stages.items():
        try:
            _create_groups(connection, tags or defs.tags, stage, settings.reads)
        except UnavailableError:
            if own in {"", stage}:
                raise


def _create_epochs(connection: Connection, tags: Sequence[str]) -> None:
    epochs = [keys.epoch(tag) for tag in tags]
    existing = connection.calls([("EXISTS", epoch) for epoch in epochs])
    connection.calls(
        [
            ("SET", epoch, secrets.token_hex(4), "NX")
            for epoch, exists in zip(epochs, existing, strict=True)
            if not exists
        ]
    )


def _create_groups(connection: Connection, tags: Sequence[str], stage: str, reads: str) -> None:
    recorded = (f"{stage}:base", f"trimmed:{reads}")
    found = connection.calls([("HMGET", keys.ledger(tag), *recorded) for tag in tags])
    connection.scripts(
        CREATE_GROUP,
        [
            ([keys.stream(tag, reads), keys.ledger(tag)], [stage, reads])
            for tag, values in zip(tags, found, strict=True)
            if None in values or not _has_group(connection, keys.stream(tag, reads), stage)
        ],
    )


def _has_group(connection: Connection, stream: str, group: str) -> bool:
    try:
        groups = connection.call("XINFO GROUPS", stream)
    except RefusedError as error:
        if str(error) == "no such key":
            return False
        raise
    return any(as_mapping(flat)[b"name"] == group.encode() for flat in groups)


class Consumer:
    """One consumer of one stage, over all `partitions` or some. Belongs to one thread.

    Every method raises UnavailableError while Redis is away, and MissingGroupError when a stream
    or a group is gone.
    """

    def __init__(
        self,
        connection: Connection,
        defs: StreamDefs,
        stage: str,
        name: str,
        partitions: Sequence[int] = (),
    ) -> None:
        self._connection = connection
        self._defs = defs
        self.partitions = partitions or range(defs.partitions)
        self._tags = [defs.tags[partition] for partition in self.partitions]
        self.stage = stage
        self.settings = defs.stages[stage]
        self.name = name
        self.batch_size = BatchSize(self.settings.batch)
        self._streams = [keys.stream(tag, self.settings.reads) for tag in self._tags]
        self._stream_of = dict(zip(self.partitions, self._streams, strict=True))
        self._partition_of = {one.encode(): number for number, one in self._stream_of.items()}
        self._new = new_entries(connection, stage, name, self._streams)
        self._deferred: CatchwaterError | None = None

    def prepare(self, *, agreed: bool = False) -> None:
        """Create missing epochs and groups, of all stages: see the function `prepare`."""
        prepare(self._connection, self._defs, self.stage, self._tags, agreed=agreed)

    def read(self) -> list[Entry]:
        """New entries of its partitions. Waits for them, for `wait` at most.

        About `batch_size` in all: each partition gives at most its share, rounded up. Where others
        leave room, those that have more fill it.
        """
        wanted, partitions = self.batch_size.entries, len(self._streams)
        found = of_fair_shares(self._new, wanted, partitions, self.settings.wait)
        self._defer([found.error])
        batch = [
            Entry(self._partition_of[stream], id_.decode(), as_mapping(fields or ()))
            for stream, entries in found.streams
            for id_, fields in entries
        ]
        self.batch_size.record([entry.size for entry in batch])
        return batch

    def _defer(self, replies: Iterable[Any]) -> None:
        errors = (reply for reply in replies if isinstance(reply, CatchwaterError))
        self._deferred = self._deferred or next(errors, None)

    def raise_deferred(self) -> None:
        """Raise why some partitions gave nothing when others gave a batch: on a cluster one node
        may be away. What the others delivered is worked on first; read again, each delivery would
        count, and an outage would end in dead letters.
        """
        error, self._deferred = self._deferred, None
        if error:
            raise error

    def claim_abandoned(self, cursors: Sequence[bytes]) -> Claimed:
        """Claim entries that were idle for `claim_after`, whichever consumer had them.

        Claims at most `batch` per partition, and does not read them: see `pending`. Partitions that
        cannot be asked just now are left for the next time: see `raise_deferred`.
        """
        idle_ms = self.settings.claim_after // _MILLISECOND
        options = ("COUNT", self.settings.batch, "JUSTID")
        replies = self._connection.attempts(
            [
                ("XAUTOCLAIM", stream, self.stage, self.name, idle_ms, cursor, *options)
                for stream, cursor in zip(self._streams, cursors, strict=True)
            ]
        )
        answered = [one for one in replies if not isinstance(one, CatchwaterError)]
        if not answered:
            raise replies[0]
        self._defer(replies)
        found = zip(replies, cursors, strict=True)
        return Claimed(
            [old if isinstance(one, CatchwaterError) else one[0] for one, old in found],
            sum(len(one[2]) for one in answered if len(one) > 2),
        )

    def pending(self) -> list[PendingEntry]:
        """What is pending for this consumer, at most `batch` per partition."""
        results = self._connection.calls(list(map(self._listing, self._streams)))
        return [
            PendingEntry(partition, id_.decode(), deliveries)
            for partition, rows in zip(self.partitions, results, strict=True)
            for id_, _consumer, _idle, deliveries in rows
        ]

    def held_since_the_future(self) -> set[HeldEntry]:
        """Entries of other consumers that were delivered at this very moment, or later.

        Later: Redis's clock was set back since. Redis says 0 of their idle time until its clock has
        caught up, however long that takes. Looks at `batch` entries of each partition at most.
        """
        span = ("-", "+", self.settings.batch)
        results = self._connection.calls(
            [("XPENDING", stream, self.stage, *span) for stream in self._streams]
        )
        return {
            HeldEntry(partition, id_.decode(), consumer, deliveries)
            for partition, rows in zip(self.partitions, results, strict=True)
            for id_, consumer, idle_ms, deliveries in rows
            if idle_ms == 0 and consumer != self.name.encode()
        }

    def claim(self, held: Iterable[HeldEntry]) -> None:
        """Claim entries whatever their idle time. Does not read them: see `pending`."""
        self._take_over(by_partition((entry.partition, entry.id) for entry in held))

    def deliver(self, pending: Sequence[PendingEntry]) -> Delivered:
        """Read pending entries. Each delivery counts.

        Raises where no partition can be read; of some, see `raise_deferred`.
        """
        ids = by_partition((entry.partition, entry.id) for entry in pending)
        tries = {(entry.partition, entry.id): entry.deliveries + 1 for entry in pending}
        listings = [self._listing(self._stream_of[partition]) for partition in ids]
        claims = [
            ("XCLAIM", self._stream_of[partition], self.stage, self.name, 0, *its_ids)
            for partition, its_ids in ids.items()
        ]
        replies = self._connection.attempts([*listings, *claims])
        answered = {
            partition: (listed, reply)
            for partition, listed, reply in zip(ids, replies, replies[len(ids) :], strict=False)
            if not isinstance(reply, CatchwaterError) and not isinstance(listed, CatchwaterError)
        }
        self._defer(replies)
        batch = [
            Entry(partition, id_.decode(), as_mapping(fields or ()), tries[partition, id_.decode()])
            for partition, (_, entries) in answered.items()
            for id_, fields in entries
        ]
        if not batch:
            self.raise_deferred()
        self.batch_size.record([entry.size for entry in batch])
        lost = sum(vanished(ids[one], *replies) for one, replies in answered.items())
        return Delivered(batch, lost)

    def _listing(self, stream: str) -> tuple[Any, ...]:
        return ("XPENDING", stream, self.stage, "-", "+", self.settings.batch, self.name)

    def renew_claim(self, batch: Sequence[Entry]) -> None:
        """Reset the idle time of these entries: this consumer still works on them."""
        self._take_over(by_partition((entry.partition, entry.id) for entry in batch))

    def _take_over(self, ids: dict[int, list[str]]) -> None:
        self._connection.calls(
            [
                ("XCLAIM", self._stream_of[partition], self.stage, self.name, 0, *its_ids, "JUSTID")
                for partition, its_ids in ids.items()
            ]
        )

    def commit(self, answered: Iterable[tuple[Entry, Answer]]) -> CommitTotals:
        """Acknowledge the entries and apply their answers, each exactly once.

        What is to be moved is added where it belongs before that, at least once.

        Safe to call again, and while another consumer commits the same entries. Returns the totals
        over all partitions. Raises MissingEpochError when Redis has lost a partition's data, and
        ValueError for a mark in a stage without `once_for`.
        """
        pairs = list(answered)
        moving.forward(self._connection, self._defs, self.stage, pairs)
        grouped = by_partition((entry.partition, (entry, answer)) for entry, answer in pairs)
        plans = [
            plan_commit(self._defs, self.stage, self._defs.tags[partition], its_answers)
            for partition, its_answers in grouped.items()
        ]
        calls = [(plan.keys, plan.args()) for plan in plans]
        results = self._connection.scripts(commit.SCRIPT, calls)
        return CommitTotals(*map(sum, zip(*results, strict=True)))

    def places(self, batch: Sequence[Entry]) -> Sequence[int]:
        """The partitions that have this stage's marks of these events: others than the entries are
        in where these were added while there were fewer. () for a stage without marks.
        """
        if self.settings.once_for is None:
            return ()
        ids = [
            entry.fields[b"id"] if b"id" in entry.fields else b""  # noqa: SIM401 - no call for each event
            for entry in batch
        ]
        return self._defs.partitions_of(ids)

    def memory_is_full(self) -> bool:
        """Whether Redis, or a node that has one of these partitions, is over its memory limit."""
        return any(
            0 < int(memory.get("maxmemory", 0)) <= int(memory["used_memory"])
            for memory in self._connection.infos("memory", self._streams)
        )

    def emitted_waits(self) -> bool:
        """Whether another stage has still to work on what this one emitted."""
        if not self.settings.emits:
            return False
        streams = [keys.stream(tag, self.settings.emits) for tag in self._tags]
        there = self._connection.calls([("EXISTS", stream) for stream in streams])
        emitted = [stream for stream, exists in zip(streams, there, strict=True) if exists]
        infos = self._connection.calls([("XINFO STREAM", stream) for stream in emitted])
        groups = self._connection.calls([("XINFO GROUPS", stream) for stream in emitted])
        readers = {name.encode() for name in self._defs.readers(self.settings.emits)}
        found = zip(map(as_mapping, infos), groups, strict=True)
        return any(is_unread(info, its_groups, readers) for info, its_groups in found)

    def trim(self) -> int:
        """Delete entries that every declared group has committed. Returns how many."""
        args = [self.settings.reads, *self._defs.readers(self.settings.reads)]
        pairs = zip(self._streams, map(keys.ledger, self._tags), strict=True)
        calls = [(list(pair), args) for pair in pairs]
        return sum(self._connection.scripts(TRIM, calls))

    def check_partitions(self) -> None:
        """Raise GrownError where there are more than this process knows. A commit says so, too, but
        who has nothing to do commits nothing.
        """
        there = self._connection.call("GET", keys.fence(self._tags[0]))
        if there and int(there) != (known := self._defs.partitions):
            raise GrownError.of(int(there), known)

    def reap(self, silent_for: timedelta) -> int:
        """Delete consumers of this stage that were silent for so long and have nothing pending.

        Returns how many, over all partitions.
        """
        args = [self.stage, silent_for // _MILLISECOND]
        calls = [([stream], args) for stream in self._streams]
        return sum(self._connection.scripts(REAP, calls))

    def release(self) -> None:
        """Leave: hand over what is pending, so that others need not wait for `claim_after`."""
        args = [self.stage, self.name]
        self._connection.scripts(RELEASE, [([stream], args) for stream in self._streams])
