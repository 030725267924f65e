"""What is going on in the pipeline: the depth of every stage, and the identity that proves the counts."""

from __future__ import annotations

from collections import Counter
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, NamedTuple

import orjson

from catchwater import keys
from catchwater.streamdefs import SOURCE

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from catchwater.connection import Connection
    from catchwater.streamdefs import StreamDefs


@dataclass(frozen=True, slots=True)
class StageStatus:
    """A stage, over all partitions. Depth is what is not done yet: unread and pending."""

    stage: str
    reads: str
    depth: int
    unread: int
    pending: int
    oldest_age_s: float
    consumers: int
    dead: int
    done_total: int


@dataclass(frozen=True, slots=True)
class Audit:
    """`accepted = counted + duplicates + dropped + dead + depth`, and what MongoDB holds equals `counted`.

    All in events; an event may stand for several `occurrences`, and MongoDB must hold as many of these, too.
    """

    accepted: int
    counted: int
    duplicates: int
    dropped: dict[str, int]
    dead: int
    depth: int
    stored: int | None
    occurrences: int
    occurrences_stored: int | None
    refused: dict[str, int]
    client_losses: dict[str, int]
    on_the_way: int
    adds_up: bool

    @property
    def missing(self) -> int:
        """How many accepted events are unaccounted for; below zero: how many too many."""
        return self.accepted - self.counted - self.duplicates - sum(self.dropped.values()) - self.dead - self.depth


class Held(NamedTuple):
    """What counters say: `events`, and how many occurrences `more` than one each these stand for."""

    events: int
    more: int = 0

    def at_most(self, other: Held) -> bool:
        return self.events <= other.events and self.more <= other.more

    def least(self, other: Held) -> Held:
        return Held(min(self.events, other.events), min(self.more, other.more))


@dataclass(frozen=True, slots=True)
class Snapshot:
    """The pipeline at one moment, each partition a picture of its own."""

    stages: list[StageStatus]
    accepted: int
    counted: dict[str, int]
    """Events by month."""
    more: dict[str, int]
    """By month, how many occurrences more than one each these events stand for."""
    duplicates: int
    dropped: dict[str, int]
    dead: int
    depth: int
    on_the_way: int
    """Entries that the sink has still to store: while there are any, MongoDB may lag behind `counted`."""
    refused: dict[str, int]
    client_losses: dict[str, int]
    lives: dict[str, str]
    memory_used: int
    memory_limit: int
    """Bytes; 0 when Redis has no limit of its own."""

    def waiting(self, stream: str) -> int:
        """The depth of the slowest stage that reads `stream`: what its limit is compared with."""
        return max((stage.depth for stage in self.stages if stage.reads == stream), default=0)

    def auditable_since(self, retention_s: float, now: datetime | None = None) -> str:
        """The first month (`yyyymm`) whose events all belong to issues that MongoDB still keeps."""
        oldest = (now or datetime.now(UTC)) - timedelta(seconds=retention_s)
        return (oldest.replace(day=1) + timedelta(days=32)).strftime("%Y%m")

    def held(self, before: str = "~") -> Held:
        """What was counted in months before `before`."""
        sums = (sum(n for month, n in counts.items() if month < before) for counts in (self.counted, self.more))
        return Held(*sums)

    def kept(self, stored: Held, since: str) -> Held:
        """What MongoDB holds, and what of months before `since` it may have let go of."""
        old = self.held(since)
        return Held(stored.events + old.events, stored.more + old.more)

    def audit(self, stored: Held | None, since: str = "") -> Audit:
        """The audit, where `stored` is what MongoDB holds of the current lives from month `since` on.

        Months before that are taken as stored: MongoDB may have let go of their issues.
        """
        counted = self.held()
        kept = None if stored is None else self.kept(stored, since)
        sums = (self.duplicates, sum(self.dropped.values()), self.dead, self.depth)
        identity = self.accepted == counted.events + sum(sums)
        at_rest = kept is None or kept == counted or (kept.at_most(counted) and self.on_the_way > 0)
        return Audit(
            accepted=self.accepted, counted=counted.events, duplicates=self.duplicates, dropped=self.dropped,
            dead=self.dead, depth=self.depth, stored=kept and kept.events, occurrences=sum(counted),
            occurrences_stored=kept and sum(kept), refused=self.refused, client_losses=self.client_losses,
            on_the_way=self.on_the_way, adds_up=identity and at_rest,
        )  # fmt: skip


def as_json(snapshot: Snapshot, audit: Audit) -> dict[str, Any]:
    """`GET /api/pipeline` and `catchwater status --json`."""
    return {"stages": [asdict(stage) for stage in snapshot.stages], "audit": asdict(audit)}


def take(connection: Connection, defs: StreamDefs) -> Snapshot:
    """A snapshot of the pipeline. Raises Unavailable."""
    names = list(defs.stages)
    calls = [(_keys(defs, tag, names), names) for tag in defs.tags]
    pictures = [orjson.loads(found) for found in connection.scripts("snapshot", calls)]
    door, memory = connection.calls([("HGETALL", keys.DOOR), ("INFO", "memory")])
    return _summed(defs, pictures, _door(door), _memory(memory))


def _keys(defs: StreamDefs, tag: str, names: Iterable[str]) -> list[str]:
    fixed = [keys.ledger(tag), keys.life(tag), keys.dead(tag), keys.stream(tag, SOURCE)]
    return fixed + [keys.stream(tag, defs.stages[name].reads) for name in names]


def _summed(
    defs: StreamDefs, pictures: list[dict[str, Any]], door: Mapping[str, int], memory: tuple[int, int]
) -> Snapshot:
    ledger: Counter[str] = Counter()
    for picture in pictures:
        ledger.update({field: int(n) for field, n in (picture["ledger"] or {}).items()})
    path = defs.counting_path
    stages = [_status(defs, name, pictures, ledger) for name in defs.stages]
    on_path = [stage for stage in stages if stage.stage in path]
    return Snapshot(
        stages=stages,
        accepted=sum(picture["added"] for picture in pictures) - ledger[f"replayed:{SOURCE}"],
        counted=_after(ledger, [f"{path[-1]}:counted:"]),
        more=_after(ledger, [f"{path[-1]}:more:"]),
        duplicates=sum(ledger[f"{name}:duplicate"] for name in path),
        dropped=_after(ledger, [f"{name}:dropped:" for name in path]),
        dead=sum(stage.dead for stage in on_path),
        depth=sum(stage.depth for stage in on_path),
        on_the_way=sum(stage.depth + stage.dead for stage in stages if stage.stage not in path),
        refused=_after(door, ["refused:"]),
        client_losses=_sum(_after(door, ["client:"]), _after(ledger, [f"{name}:lost:" for name in path])),
        lives={tag: picture["life"] for tag, picture in zip(defs.tags, pictures, strict=True)},
        memory_used=memory[0],
        memory_limit=memory[1],
    )


def _status(defs: StreamDefs, name: str, pictures: list[dict[str, Any]], ledger: Mapping[str, int]) -> StageStatus:
    parts = [picture["stages"][name] for picture in pictures]
    unread, pending = sum(part["unread"] for part in parts), sum(part["pending"] for part in parts)
    return StageStatus(
        stage=name,
        reads=defs.stages[name].reads,
        depth=unread + pending,
        unread=unread,
        pending=pending,
        oldest_age_s=max(part["oldest"] for part in parts) / 1000,
        consumers=max(part["consumers"] for part in parts),
        dead=ledger.get(f"{name}:dead", 0),
        done_total=ledger.get(f"{name}:done", 0),
    )


def _after(counts: Mapping[str, int], prefixes: Iterable[str]) -> dict[str, int]:
    """The counts whose names begin with one of the prefixes, by what comes after it."""
    found: Counter[str] = Counter()
    for prefix in prefixes:
        found.update({name.removeprefix(prefix): n for name, n in counts.items() if name.startswith(prefix) and n})
    return dict(found)


def _sum(*counts: Mapping[str, int]) -> dict[str, int]:
    total: Counter[str] = Counter()
    for one in counts:
        total.update(one)
    return dict(total)


def _door(flat: list[bytes]) -> dict[str, int]:
    return {name.decode(): int(n) for name, n in zip(flat[::2], flat[1::2], strict=True)}


def _memory(info: bytes) -> tuple[int, int]:
    fields = dict(line.split(":", 1) for line in info.decode().splitlines() if ":" in line)
    return int(fields["used_memory"]), int(fields.get("maxmemory", 0))
