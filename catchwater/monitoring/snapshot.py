"""What waits for every stage, and what became of all events: read from Redis."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import orjson

from catchwater.config.streamdefs import SOURCE
from catchwater.streams import keys

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from catchwater.config.streamdefs import StreamDefs
    from catchwater.redis_client import Connection

SCRIPT = Path(__file__).with_suffix(".lua")


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
    """Those that have read something within the last hour, or have something pending."""
    dead: int
    done_total: int


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
    """Entries that the sink has still to store: while there are any, MongoDB may lag behind
    `counted`.
    """
    refused: dict[str, int]
    client_losses: dict[str, int]
    lost_by_redis: int
    """Events that ingest processes say Redis lost after it had them."""
    epochs: dict[str, str]
    memory_used: int
    memory_limit: int
    """Bytes; 0 when Redis has no limit of its own. On a cluster, those of the fullest node."""

    def waiting(self, stream: str) -> int:
        """The depth of the slowest stage that reads `stream`: what its limit is compared with."""
        return max((stage.depth for stage in self.stages if stage.reads == stream), default=0)


def take(connection: Connection, defs: StreamDefs) -> Snapshot:
    """A snapshot of the pipeline. Raises UnavailableError."""
    names = list(defs.stages)
    calls = [(_keys(defs, tag, names), names) for tag in defs.tags]
    pictures = [orjson.loads(found) for found in connection.scripts(SCRIPT, calls)]
    unaccepted = connection.call("HGETALL", keys.UNACCEPTED)
    memory = _fullest(connection.infos("memory"))
    return _summed(defs, pictures, _counts(unaccepted), memory)


def _keys(defs: StreamDefs, tag: str, names: Iterable[str]) -> list[str]:
    fixed = [keys.ledger(tag), keys.epoch(tag), keys.stream(tag, SOURCE)]
    return fixed + [keys.stream(tag, defs.stages[name].reads) for name in names]


def _summed(
    defs: StreamDefs,
    pictures: list[dict[str, Any]],
    unaccepted: Mapping[str, int],
    memory: tuple[int, int],
) -> Snapshot:
    ledger: Counter[str] = Counter()
    for picture in pictures:
        ledger.update({field: int(n) for field, n in (picture["ledger"] or {}).items()})
    path = defs.counting_path
    stages = [_status(defs, name, pictures, ledger) for name in defs.stages]
    on_path = [stage for stage in stages if stage.stage in path]
    return Snapshot(
        stages=stages,
        accepted=sum(picture["added"] for picture in pictures) + _again(defs, ledger),
        counted=_after(ledger, [f"{path[-1]}:counted:"]),
        more=_after(ledger, [f"{path[-1]}:more:"]),
        duplicates=sum(ledger[f"{name}:duplicate"] for name in path),
        dropped=_after(ledger, [f"{name}:dropped:" for name in path]),
        dead=sum(stage.dead for stage in on_path),
        depth=sum(stage.depth for stage in on_path),
        on_the_way=sum(stage.depth + stage.dead for stage in stages if stage.stage not in path),
        refused=_after(unaccepted, ["refused:"]),
        client_losses=_sum(
            _after(unaccepted, ["client:"]), _after(ledger, [f"{name}:lost:" for name in path])
        ),
        lost_by_redis=sum(_after(unaccepted, ["lost:"]).values()),
        epochs={tag: picture["life"] for tag, picture in zip(defs.tags, pictures, strict=True)},
        memory_used=memory[0],
        memory_limit=memory[1],
    )


def _again(defs: StreamDefs, ledger: Mapping[str, int]) -> int:
    """What was added to the first stream, but is no new event, taken away; and copies that were
    left over where an event was moved twice: they are duplicates, as if it had been sent twice.

    Fewer that arrived than were moved are lost: they are missing in the audit.
    """
    path = defs.counting_path
    moved = sum(ledger.get(f"{name}:moved", 0) for name in path)
    arrived = sum(ledger.get(f"{name}:arrived", 0) for name in path)
    of_first = ledger.get(f"{path[0]}:arrived", 0)
    return max(0, arrived - moved) - of_first - ledger.get(f"replayed:{SOURCE}", 0)


def _status(
    defs: StreamDefs, name: str, pictures: list[dict[str, Any]], ledger: Mapping[str, int]
) -> StageStatus:
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
        found.update(
            {
                name.removeprefix(prefix): n
                for name, n in counts.items()
                if name.startswith(prefix) and n
            }
        )
    return dict(found)


def _sum(*counts: Mapping[str, int]) -> dict[str, int]:
    total: Counter[str] = Counter()
    for one in counts:
        total.update(one)
    return dict(total)


def _counts(flat: list[bytes]) -> dict[str, int]:
    return {name.decode(): int(n) for name, n in zip(flat[::2], flat[1::2], strict=True)}


def _fullest(infos: Iterable[Mapping[str, str]]) -> tuple[int, int]:
    """Bytes used and their limit, of the node that has least room for its limit."""
    found = [(int(one["used_memory"]), int(one.get("maxmemory", 0))) for one in infos]
    return max(found, key=lambda one: (one[0] / one[1] if one[1] else 0.0, one[0]))
