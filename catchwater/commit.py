"""What a commit sends to Redis: the plan that commit.lua carries out for one batch of one partition. Pure."""

from __future__ import annotations

import math
from base64 import b64encode
from dataclasses import dataclass, field
from hashlib import blake2b
from typing import TYPE_CHECKING, Any

import orjson

from catchwater import buckets, keys
from catchwater.answers import Answer, Drop, Emit, Reject, Stored, Tally
from catchwater.event import Event, Json, encode
from catchwater.users import register

if TYPE_CHECKING:
    from collections.abc import Iterable

    from catchwater.streamdefs import StreamDefs

TAG_VALUES = 20
"""Distinct values of a tag that are told apart, for each issue, month and partition; the rest are `(other)`."""

TAG_NAMES = 30
"""Names of tags that are told apart, for each issue, month and partition; the rest are `(other)`, too."""

OTHER = "(other)"
SEPARATOR = "\t"
TALLY_HEAD = encode(Event("-", "", 0, "tally", b""))[b"head"].decode()


@dataclass(frozen=True, slots=True)
class Entry:
    """An event's place in a stream: what was read. `tries` counts deliveries, this one included."""

    partition: int
    id: str
    fields: dict[bytes, bytes]
    tries: int = 1


@dataclass(slots=True)
class Plan:
    """The keys and the arguments of one call of commit.lua."""

    defs: StreamDefs
    stage: str
    tag: str
    keys: list[str] = field(init=False)
    blobs: list[bytes] = field(default_factory=list)
    windows: dict[int, int] = field(default_factory=dict)
    buckets: dict[str, int] = field(default_factory=dict)
    entries: list[Json] = field(default_factory=list)
    _numbers: dict[str, int] = field(default_factory=dict)
    _windows: list[Json] = field(default_factory=list)
    _buckets: list[Json] = field(default_factory=list)

    def __post_init__(self) -> None:
        stage = self.defs.stages[self.stage]
        self.keys = [
            keys.stream(self.tag, stage.reads),
            keys.stream(self.tag, stage.emits or stage.reads),
            keys.dead(self.tag),
            keys.ledger(self.tag),
            keys.life(self.tag),
        ]

    def args(self) -> list[bytes]:
        """ARGV: the plan and the blobs it refers to."""
        settings = self.defs.stages[self.stage]
        samples = settings.samples or 1
        return [
            orjson.dumps(
                {
                    "stage": self.stage,
                    "tag": self.tag,
                    "entries": self.entries,
                    "windows": self._windows,
                    "once_ttl": math.ceil((settings.once_for or 0) * 3 / 2) + 1,
                    "buckets": self._buckets,
                    "tag_values": TAG_VALUES,
                    "tag_names": TAG_NAMES,
                    "first_samples": samples,
                    "hourly_samples": math.ceil(samples / self.defs.partitions),
                    "tally_head": TALLY_HEAD,
                }
            ),
            *self.blobs,
        ]

    def key(self, name: str) -> int:
        """The place of `name` in KEYS, counted from 1 as Lua does."""
        if name not in self._numbers:
            self.keys.append(name)
            self._numbers[name] = len(self.keys)
        return self._numbers[name]

    def window(self, number: int) -> int:
        if number not in self.windows:
            near = [self.key(keys.once(self.tag, self.stage, number + step)) for step in (-2, -1, 0, 1, 2)]
            self._windows.append({"own": near[2], "near": near})
            self.windows[number] = len(self._windows)
        return self.windows[number]

    def bucket(self, name: str, ttl: int) -> int:
        if name not in self.buckets:
            month = buckets.month_of(name)
            self._buckets.append(
                {
                    "name": name,
                    "key": self.key(keys.tally(self.tag, name)),
                    "ttl": ttl,
                    "generations": self.key(keys.generations(self.tag, month)),
                    "generations_ttl": int(self.defs.retention.issues) + 62 * 86_400,
                }
            )
            self.buckets[name] = len(self._buckets)
        return self.buckets[name]


def plan(defs: StreamDefs, stage: str, tag: str, answered: Iterable[tuple[Entry, Answer]]) -> Plan:
    """The commit of these answers. All entries must be of the partition with that hash tag."""
    made = Plan(defs, stage, tag)
    for entry, answer in answered:
        made.entries.append({"id": entry.id, **_act(made, entry, answer)})
    return made


def _act(plan: Plan, entry: Entry, answer: Answer) -> Json:
    match answer:
        case Stored():
            return {"act": "store"}
        case Drop(reason, losses):
            return {"act": "drop", "why": reason[:80], **({"losses": dict(losses)} if losses else {})}
        case Reject(why):
            return {"act": "reject", "why": why[:2000], "tries": entry.tries}
        case Emit():
            return {
                "act": "emit",
                **_carried(plan, entry, answer),
                **_mark(plan, entry, answer),
                **_counted(plan, answer),
            }


def _carried(plan: Plan, entry: Entry, answer: Emit) -> Json:
    """The event's bytes, unless they are those of the entry: Redis copies these itself."""
    event = answer.event
    fields = encode(event)
    if all(entry.fields.get(name) == value for name, value in fields.items()):
        return {}
    plan.blobs += [fields[b"head"], fields[b"body"]]
    return {"event": event.id, "at": len(plan.blobs)}


def _mark(plan: Plan, entry: Entry, answer: Emit) -> Json:
    """The mark and its window. Windows follow the entry's own id, Redis's clock: every consumer agrees on them."""
    if not answer.once:
        return {}
    horizon = plan.defs.stages[plan.stage].once_for
    if horizon is None:
        raise ValueError(f"stage {plan.stage!r} answers Emit(once=...) but sets no once_for: add it to its stage")
    number = int(entry.id.partition("-")[0]) // int(horizon * 1000 / 2)
    return {"mark": _short(answer.once), "window": plan.window(number)}


def _short(mark: str) -> str:
    """22 characters for any mark: 128 bits, small in Redis."""
    return b64encode(blake2b(mark.encode(), digest_size=16).digest())[:22].decode()


def _counted(plan: Plan, answer: Emit) -> Json:
    if answer.tally is None:
        return {}
    tally, received = answer.tally, answer.event.received
    counted: dict[str, Any] = {
        "issue": tally.issue,
        "at": received,
        "about": orjson.dumps(tally.about).decode(),
        "n": tally.n,
        "events": SEPARATOR.join(("events", tally.issue)),
        "more": SEPARATOR.join(("more", tally.issue)),
        "hour": plan.bucket(buckets.hour(received), keys.HOUR_TTL),
        "month": plan.bucket(buckets.month(received), keys.MONTH_TTL),
        "tags": _tags(tally),
    }
    if tally.names:
        counted["names"] = list(tally.names)
    if tally.user:
        index, counted["rank"] = register(tally.user)
        counted["register"] = str(index)
    return {"tally": counted}


def _tags(tally: Tally) -> list[Json]:
    return [
        {
            "field": SEPARATOR.join(("tag", tally.issue, name, value)),
            "distinct": SEPARATOR.join(("distinct", tally.issue, name)),
            "other": SEPARATOR.join(("tag", tally.issue, name, OTHER)),
            "names": SEPARATOR.join(("names", tally.issue)),
            "nameless": SEPARATOR.join(("tag", tally.issue, OTHER, OTHER)),
        }
        for name, value in tally.tags.items()
    ]
