"""The plan of a commit: what commit.lua does for one batch of one partition. Pure."""

from __future__ import annotations

import math
from base64 import b64encode
from dataclasses import dataclass
from datetime import timedelta
from hashlib import blake2b
from pathlib import Path
from typing import TYPE_CHECKING, Any, Generic, NamedTuple, TypeVar

import orjson

from catchwater.answers import Answer, Drop, Emit, Reject, Skip, Stored, Tally
from catchwater.event import Event, Json, encode
from catchwater.streams import counters, keys, time_buckets
from catchwater.streams.hyperloglog import register

if TYPE_CHECKING:
    from collections.abc import Iterable

    from catchwater.config.streamdefs import StreamDefs

Name = TypeVar("Name", str, int)
Row = TypeVar("Row")

SCRIPT = Path(__file__).with_suffix(".lua")

TALLY_HEAD = encode(Event("-", "", 0, "tally", b""))[b"head"].decode()
"""The head of the entry that carries a commit's counters to the sink."""


@dataclass(frozen=True, slots=True)
class Entry:
    """An event's place in a stream, as it was read. `tries` includes this delivery."""

    partition: int
    id: str
    fields: dict[bytes, bytes]
    tries: int = 1

    @property
    def size(self) -> int:
        """Bytes of its fields."""
        return sum(map(len, self.fields.values()))


class CommitTotals(NamedTuple):
    """How many entries of a commit had each outcome, in the order that commit.lua returns them.

    `won` entries were acknowledged by this commit, `stale` ones by an earlier commit. Each won
    entry has exactly one of the other outcomes.
    """

    won: int = 0
    stale: int = 0
    emitted: int = 0
    duplicate: int = 0
    dropped: int = 0
    dead: int = 0
    stored: int = 0
    skipped: int = 0


class _Table(Generic[Name, Row]):
    """Rows that entries share. An entry refers to a row by its number, counted from 1 as in Lua."""

    def __init__(self) -> None:
        self.rows: list[Row] = []
        self._numbers: dict[Name, int] = {}

    def number_of(self, name: Name) -> int | None:
        return self._numbers.get(name)

    def add(self, name: Name, row: Row) -> int:
        """Add a row that is not there yet. Returns its number."""
        self.rows.append(row)
        self._numbers[name] = len(self.rows)
        return len(self.rows)


class CommitPlan:
    """The keys and the arguments of one call of commit.lua, gathered answer by answer.

    Entries share keys, windows of marks and buckets of counters: each is sent once, in a table.
    """

    def __init__(self, defs: StreamDefs, stage: str, tag: str) -> None:
        """`tag` is the hash tag of the partition; all entries must be from it."""
        self._defs = defs
        self._settings = defs.stages[stage]
        self._stage = stage
        self._tag = tag
        self._entries: list[Json] = []
        self._blobs: list[bytes] = []
        self._windows: _Table[int, Json] = _Table()
        self._buckets: _Table[str, Json] = _Table()
        self._keys: _Table[str, str] = _Table()
        # commit.lua knows these five by their number
        self._keys.rows += [
            keys.stream(tag, self._settings.reads),
            keys.stream(tag, self._settings.emits or self._settings.reads),
            keys.dead(tag),
            keys.ledger(tag),
            keys.epoch(tag),
        ]

    @property
    def keys(self) -> list[str]:
        """KEYS: every key that the script may touch."""
        return self._keys.rows

    def add(self, entry: Entry, answer: Answer) -> None:
        """Add one answer. Raises ValueError for a mark in a stage without `once_for`."""
        self._entries.append({"id": entry.id, **self._action(entry, answer)})

    def args(self) -> list[bytes]:
        """ARGV: the plan as JSON, then the heads and bodies that it refers to."""
        samples = self._settings.samples or 1
        horizon_s = (self._settings.once_for or timedelta(0)).total_seconds()
        plan = {
            "stage": self._stage,
            "tag": self._tag,
            "entries": self._entries,
            "windows": self._windows.rows,
            "once_ttl": math.ceil(horizon_s * 3 / 2) + 1,
            "buckets": self._buckets.rows,
            "tag_values": counters.TAG_VALUES,
            "tag_names": counters.TAG_NAMES,
            "first_samples": samples,
            "hourly_samples": math.ceil(samples / self._defs.partitions),
            "tally_head": TALLY_HEAD,
        }
        return [orjson.dumps(plan), *self._blobs]

    def _action(self, entry: Entry, answer: Answer) -> Json:
        match answer:
            case Stored():
                return {"act": "store"}
            case Skip() if b"for" in entry.fields:  # replayed for another stage
                return {"act": "skip"}
            case Skip():
                return {"act": "drop", "why": "skipped"}
            case Drop(reason, client_reports):
                counted = {"client_reports": dict(client_reports)} if client_reports else {}
                return {"act": "drop", "why": reason[:80], **counted}
            case Reject(why):
                return {"act": "reject", "why": why[:2000], "tries": entry.tries}
            case Emit():
                event, mark = self._event(entry, answer), self._mark(entry, answer)
                return {"act": "emit", **event, **mark, **self._tally(answer)}

    def _event(self, entry: Entry, answer: Emit) -> Json:
        """The event's bytes; none if the stage left them as they were, as Redis can copy those."""
        event = answer.event
        fields = encode(event)
        if all(entry.fields.get(name) == value for name, value in fields.items()):
            return {}
        self._blobs += [fields[b"head"], fields[b"body"]]
        return {"event": event.id, "at": len(self._blobs)}

    def _mark(self, entry: Entry, answer: Emit) -> Json:
        """The mark and its window, chosen by the entry's id: Redis's clock, the same for all."""
        if not answer.once:
            return {}
        if self._settings.once_for is None:
            raise ValueError(
                f"stage {self._stage!r} answers Emit(once=...) but sets no once_for: "
                "add it to the stage in streamdefs.yaml"
            )
        half_ms = int(self._settings.once_for / timedelta(milliseconds=2))
        index = int(entry.id.partition("-")[0]) // half_ms
        return {"mark": _short(answer.once), "window": self._window(index)}

    def _tally(self, answer: Emit) -> Json:
        if answer.tally is None:
            return {}
        tally, received = answer.tally, answer.event.received
        counted: dict[str, Any] = {
            "issue": tally.issue,
            "at": received,
            "about": orjson.dumps(tally.about).decode(),
            "n": tally.n,
            "events": counters.events_field(tally.issue),
            "more": counters.more_field(tally.issue),
            "hour": self._bucket(time_buckets.hour(received), keys.HOUR_TTL_S),
            "month": self._bucket(time_buckets.month(received), keys.MONTH_TTL_S),
            "tags": _tags(tally),
        }
        if tally.names:
            counted["names"] = list(tally.names)
        if tally.user:
            index, counted["rank"] = register(tally.user)
            counted["register"] = str(index)
        return {"tally": counted}

    def _key(self, name: str) -> int:
        """The number of a key in KEYS."""
        return self._keys.number_of(name) or self._keys.add(name, name)

    def _window(self, index: int) -> int:
        """The number of the window of marks that is `index` half horizons after 1970."""
        if (number := self._windows.number_of(index)) is not None:
            return number
        near = [
            self._key(keys.once(self._tag, self._stage, index + step)) for step in (-2, -1, 0, 1, 2)
        ]
        return self._windows.add(index, {"own": near[2], "near": near})

    def _bucket(self, name: str, ttl_s: int) -> int:
        """The number of a bucket of counters; it expires `ttl_s` seconds after its last change."""
        if (number := self._buckets.number_of(name)) is not None:
            return number
        generations = keys.generations(self._tag, time_buckets.month_of(name))
        generations_ttl = self._defs.retention.issues + timedelta(days=62)
        bucket = {
            "name": name,
            "key": self._key(keys.tally(self._tag, name)),
            "ttl": ttl_s,
            "generations": self._key(generations),
            "generations_ttl": int(generations_ttl.total_seconds()),
        }
        return self._buckets.add(name, bucket)


def plan_commit(
    defs: StreamDefs, stage: str, tag: str, answered: Iterable[tuple[Entry, Answer]]
) -> CommitPlan:
    """The commit of these answers. All entries must be from the partition with that hash tag.

    Raises ValueError for a mark in a stage without `once_for`.
    """
    plan = CommitPlan(defs, stage, tag)
    for entry, answer in answered:
        plan.add(entry, answer)
    return plan


def _short(mark: str) -> str:
    """22 characters for a mark of any length: 128 bits, to keep Redis small."""
    return b64encode(blake2b(mark.encode(), digest_size=16).digest())[:22].decode()


def _tags(tally: Tally) -> list[Json]:
    issue, other = tally.issue, counters.OTHER
    return [
        {
            "field": counters.tag_field(issue, name, value),
            "distinct": counters.distinct_field(issue, name),
            "other": counters.tag_field(issue, name, other),
            "names": counters.names_field(issue),
            "nameless": counters.tag_field(issue, other, other),
        }
        for name, value in tally.tags.items()
    ]
