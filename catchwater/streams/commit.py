"""The plan of a commit: what commit.lua does for one batch of one partition. Pure."""

from __future__ import annotations

import math
from collections.abc import Hashable
from dataclasses import dataclass
from datetime import timedelta
from functools import lru_cache
from hashlib import blake2b
from pathlib import Path
from typing import TYPE_CHECKING, Any, Generic, NamedTuple, TypeVar

import orjson

from catchwater.answers import Answer, Drop, Emit, Move, Reject, Skip, Stored, Tally
from catchwater.event import Event, Json, encode
from catchwater.streams import counters, keys, time_buckets
from catchwater.streams.hyperloglog import register

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from catchwater.config.streamdefs import StreamDefs

Name = TypeVar("Name", bound=Hashable)
Row = TypeVar("Row")

SCRIPT = Path(__file__).with_suffix(".lua")

OTHER_ABOUT: Json = {
    "type": "Other errors",
    "message": "errors of issues beyond the limit: see `issues` in streamdefs.yaml",
    "culprit": "",
    "level": "error",
}
"""What the dashboard shows of the issue that counts the events of issues too many."""

FIELDS: Json = {
    "events": counters.events_field(""),
    "more": counters.more_field(""),
    "tag": counters.tag_field("", "").removesuffix(counters.SEPARATOR),
    "then": counters.SEPARATOR,
}
"""How the fields of an issue's counters begin; its id follows, and behind that a tag."""

_TOO_LARGE = 2**53
"""Below this, whole numbers are exact in Lua."""

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
    moved: int = 0


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

    Entries share keys, windows of marks, issues and their counters: each is sent once, in a table.
    """

    def __init__(self, defs: StreamDefs, stage: str, tag: str) -> None:
        """`tag` is the hash tag of the partition; all entries must be from it."""
        self._defs = defs
        self._settings = defs.stages[stage]
        self._stage = stage
        self._tag = tag
        self._entries: list[Json] = []
        self._marks: list[bytes] = []
        self._blobs: list[bytes] = []
        self._windows: _Table[int, Json] = _Table()
        self._issues: _Table[str, Json] = _Table()
        self._counters: _Table[tuple[int, str], Json] = _Table()
        self._buckets: _Table[tuple[str, str], Json] = _Table()
        self._tags: _Table[tuple[str, str], Json] = _Table()
        self._keys: _Table[str, str] = _Table()
        # commit.lua knows these six by their number
        self._keys.rows += [
            keys.stream(tag, self._settings.reads),
            keys.stream(tag, self._settings.emits or self._settings.reads),
            keys.dead(tag),
            keys.ledger(tag),
            keys.epoch(tag),
            keys.fence(tag),
        ]

    @property
    def keys(self) -> list[str]:
        """KEYS: every key that the script may touch."""
        return self._keys.rows

    def add(self, entry: Entry, answer: Answer) -> None:
        """Add one answer. Raises ValueError for a mark in a stage without `once_for`."""
        self._entries.append({"id": entry.id, **self._action(entry, answer)})

    def args(self) -> list[bytes]:
        """ARGV: the plan as JSON, then the marks, heads and bodies that it refers to."""
        first_samples, hourly_samples = samples(self._defs, self._stage)
        horizon_s = (self._settings.once_for or timedelta(0)).total_seconds()
        plan = {
            "stage": self._stage,
            "tag": self._tag,
            "partitions": self._defs.partitions,
            "entries": self._entries,
            "windows": self._windows.rows,
            "once_ttl": math.ceil(horizon_s * 3 / 2) + 1,
            "issues": self._issues.rows,
            "issues_most": self._settings.issues,
            "values_most": self._settings.issues * counters.VALUES_PER_ISSUE,
            "counters": self._counters.rows,
            "buckets": self._buckets.rows,
            "tags": self._tags.rows,
            "fields": FIELDS,
            "other": counters.OTHER,
            "tag_values": counters.TAG_VALUES,
            "tag_names": counters.TAG_NAMES,
            "first_samples": first_samples,
            "hourly_samples": hourly_samples,
            "tally_head": TALLY_HEAD,
        }
        return [orjson.dumps(plan), b"".join(self._marks), *self._blobs]

    def _action(self, entry: Entry, answer: Answer) -> Json:
        match answer:
            case Stored() | Move():  # done already, by the sink or by moving.py
                return {"act": "store" if isinstance(answer, Stored) else "move"}
            case Skip() if b"for" in entry.fields:  # replayed for another stage
                return {"act": "skip"}
            case Skip():
                return {"act": "drop", "why": "skipped"}
            case Drop(reason, client_reports, once):
                counted = {"client_reports": _counts(client_reports)} if client_reports else {}
                return {"act": "drop", "why": reason[:80], **counted, **self._mark(entry, once)}
            case Reject(why):
                return {"act": "reject", "why": why[:2000], "tries": entry.tries}
            case Emit():
                event, mark = self._event(entry, answer), self._mark(entry, answer.once)
                return {"act": "emit", **event, **mark, **self._tally(answer)}

    def _event(self, entry: Entry, answer: Emit) -> Json:
        """The event's bytes; none if the stage left them as they were, as Redis can copy those."""
        event = answer.event
        fields = encode(event)  # a stage may have changed its facts in place
        if all(entry.fields.get(name) == value for name, value in fields.items()):
            return {}
        self._blobs += [fields[b"head"], fields[b"body"]]
        return {"event": event.id, "at": len(self._blobs) + 1}  # ARGV[3] is the first

    def _mark(self, entry: Entry, once: str) -> Json:
        """The mark and its window, chosen by the entry's id: Redis's clock, the same for all."""
        if not once:
            return {}
        if self._settings.once_for is None:
            raise ValueError(
                f"stage {self._stage!r} answers once=... but sets no once_for: "
                "add it to the stage in streamdefs.yaml"
            )
        half_ms = int(self._settings.once_for / timedelta(milliseconds=2))
        index = int(entry.id.partition("-")[0]) // half_ms
        self._marks.append(mark_digest(once))
        return {"mark": len(self._marks), "window": self._window(index)}

    def _tally(self, answer: Emit) -> Json:
        if answer.tally is None:
            return {}
        tally, received = answer.tally, answer.event.received
        issue, hour = self._issue(tally), time_buckets.hour(received)
        counted: dict[str, Any] = {
            "issue": issue,
            "at": received,
            "n": tally.n,
            "hour": self._counter(issue, hour),
            "month": self._counter(issue, time_buckets.month_of(hour)),
            "tags": [self._tag_number(*tag) for tag in tally.tags.items()],
            "whole": bool(answer.event.body),
        }
        if tally.names:
            counted["names"] = list(tally.names)
        if tally.user:
            index, counted["rank"] = register(tally.user)
            counted["register"] = str(index)
        return {"tally": counted}

    def _tag_number(self, name: str, value: str) -> int:
        """The number of a tag with its value."""
        known = self._tags.number_of((name, value))
        return known or self._tags.add((name, value), _tag(name, value))

    def _key(self, name: str) -> int:
        """The number of a key in KEYS."""
        return self._keys.number_of(name) or self._keys.add(name, name)

    def _window(self, index: int) -> int:
        """The number of the window of marks that is `index` half horizons after 1970."""
        if (number := self._windows.number_of(index)) is not None:
            return number
        near = [
            self._key(keys.marks(self._tag, self._stage, index + step))
            for step in (-2, -1, 0, 1, 2)
        ]
        return self._windows.add(index, {"own": near[2], "near": near})

    def _issue(self, tally: Tally) -> int:
        """The number of an issue, whose project has a row for its issues too many, too."""
        if (number := self._issues.number_of(tally.issue)) is not None:
            return number
        other = counters.other_issue(counters.project_of(tally.issue))
        number = self._issues.number_of(other) or self._add_issue(other, OTHER_ABOUT)
        if tally.issue == other:  # of a stage of one's own: two rows would have one key
            return number
        return self._add_issue(tally.issue, tally.about, other=number)

    def _add_issue(self, issue: str, about: Json, **row: int) -> int:
        about_text = orjson.dumps(about).decode()
        return self._issues.add(issue, {"issue": issue, "about": about_text, **row})

    def _counter(self, number: int, bucket: str) -> int:
        """The number of an issue's counters of an hour or a month."""
        if (known := self._counters.number_of((number, bucket))) is not None:
            return known
        issue = self._issues.rows[number - 1]
        row = {
            "key": self._key(keys.tally(self._tag, bucket, issue["issue"])),
            "bucket": self._bucket(bucket, counters.project_of(issue["issue"])),
        }
        if "other" in issue:
            row["other"] = self._counter(issue["other"], bucket)
        return self._counters.add((number, bucket), row)

    def _bucket(self, bucket: str, project: str) -> int:
        """The number of what all counters of a project in an hour or a month have in common."""
        known = self._buckets.number_of((bucket, project))
        row = {} if known else self._bucket_row(bucket, project)
        return known or self._buckets.add((bucket, project), row)

    def _bucket_row(self, bucket: str, project: str) -> Json:
        month = time_buckets.month_of(bucket)
        retention = self._defs.retention
        generations_ttl = max(retention.issues, retention.hours) + timedelta(days=62)
        row = {
            "bucket": bucket,
            "project": project,
            "generation": self._key(keys.generation(self._tag, bucket)),
            "generations": self._key(keys.generations(self._tag, month)),
            "generations_ttl": int(generations_ttl.total_seconds()),
        }
        if bucket != month:
            return {**row, "ttl": keys.HOUR_TTL_S, "slack": keys.HOUR_SLACK_S}
        sizes = self._key(keys.sizes(self._tag, month))
        return {**row, "ttl": keys.MONTH_TTL_S, "slack": keys.MONTH_SLACK_S, "sizes": sizes}


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


def samples(defs: StreamDefs, stage: str) -> tuple[int, int]:
    """How many events of an issue become samples in one partition: the first ones of a month, and
    of each hour.
    """
    wanted = defs.stages[stage].samples or 1
    return wanted, math.ceil(wanted / defs.partitions)


def mark_digest(mark: str) -> bytes:
    """12 bytes for a mark of any length, to keep Redis small: commit.lua stores 9 of them."""
    return blake2b(mark.encode(), digest_size=12).digest()


def _counts(client_reports: Mapping[str, int]) -> dict[str, int]:
    """Only whole numbers: `true` is none, and would end the script in the middle, as one would that
    Lua writes with an exponent.
    """
    return {
        reason: n
        for reason, n in client_reports.items()
        if isinstance(n, int) and not isinstance(n, bool) and abs(n) < _TOO_LARGE
    }


@lru_cache(maxsize=4096)
def _tag(name: str, value: str) -> Json:
    """A tag's text, and its field in Redis, where a digest stands for what is long."""
    text = counters.tag(name, value)
    return {
        "name": name,
        "text": text,
        "field": counters.tag("tag", counters.short_tag(text)),
        "short_name": counters.short_tag(name),
    }
