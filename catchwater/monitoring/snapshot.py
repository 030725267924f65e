"""What waits for every stage, and what became of all events: read from Redis."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import orjson

from catchwater.config.streamdefs import SOURCE
from catchwater.errors import CatchwaterError, UnavailableError
from catchwater.redis_client import Connection, parse_info
from catchwater.streams import keys

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from catchwater.config.streamdefs import StreamDefs

SCRIPT = Path(__file__).with_suffix(".lua")

PATIENCE_S = 2.0
"""How long a node of a cluster holds up what is seen of the others, now and then."""


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
    away: dict[str, int]
    """How many partitions could not be read, by the node of a cluster that has them. Nothing of
    them is in the other numbers.
    """

    def waiting(self, stream: str) -> int:
        """The depth of the slowest stage that reads `stream`: what its limit is compared with.

        Partitions that could not be read count like the others: events are spread evenly.
        """
        depth = max((stage.depth for stage in self.stages if stage.reads == stream), default=0)
        read = len(self.epochs)
        return depth * (read + sum(self.away.values())) // read


def connect(url: str) -> Connection:
    """For `take_partial`: a node that does not answer is soon left alone for a while."""
    return Connection(url, patience_s=PATIENCE_S)


def take(connection: Connection, defs: StreamDefs) -> Snapshot:
    """A snapshot of the whole pipeline. Raises UnavailableError."""
    snapshot = take_partial(connection, defs)
    if snapshot.away:
        raise UnavailableError(away_text(snapshot.away))
    return snapshot


def take_partial(connection: Connection, defs: StreamDefs) -> Snapshot:
    """A snapshot of what can be read: some nodes of a cluster may be away.

    Raises UnavailableError where none can be read.
    """
    names = list(defs.stages)
    calls = [(_keys(defs, tag, names), names) for tag in defs.tags]
    found = dict(zip(defs.tags, connection.script_attempts(SCRIPT, calls), strict=True))
    unread = [tag for tag, reply in found.items() if _is_away(reply)]
    if len(unread) == len(found):
        raise found[unread[0]]
    pictures = {tag: orjson.loads(found[tag]) for tag in found if tag not in unread}
    away = Counter(connection.node_of(keys.epoch(tag)) for tag in unread)
    unaccepted = _there(connection.attempts([("HGETALL", keys.UNACCEPTED)]))
    infos = map(parse_info, _there(connection.each_attempt("INFO", "memory")))
    return _summed(defs, pictures, away, _counts(unaccepted), _fullest(infos))


def away_text(away: Mapping[str, int]) -> str:
    """Which nodes have partitions that could not be read."""
    return "; ".join(f"{n} partitions of {node} cannot be read" for node, n in away.items())


def _is_away(reply: Any) -> bool:
    """Whether a node did not answer just now. Raises any other error."""
    if isinstance(reply, CatchwaterError) and not isinstance(reply, UnavailableError):
        raise reply
    return isinstance(reply, UnavailableError)


def _there(replies: Iterable[Any]) -> list[Any]:
    return [reply for reply in replies if not _is_away(reply)]


def _keys(defs: StreamDefs, tag: str, names: Iterable[str]) -> list[str]:
    fixed = [keys.ledger(tag), keys.epoch(tag), keys.stream(tag, SOURCE)]
    return fixed + [keys.stream(tag, defs.stages[name].reads) for name in names]


def _summed(
    defs: StreamDefs,
    by_tag: Mapping[str, dict[str, Any]],
    away: dict[str, int],
    unaccepted: Mapping[str, int],
    memory: tuple[int, int],
) -> Snapshot:
    pictures = list(by_tag.values())
    ledger = _ledger(pictures)
    path = defs.counting_path
    stages = [_status(defs, name, pictures, ledger) for name in defs.stages]
    on_path = [stage for stage in stages if stage.stage in path]
    return Snapshot(
        stages=stages,
        accepted=sum(picture["added"] for picture in pictures) + _again(defs, ledger, away),
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
        epochs={tag: picture["life"] for tag, picture in by_tag.items()},
        memory_used=memory[0],
        memory_limit=memory[1],
        away=away,
    )


def _ledger(pictures: Iterable[dict[str, Any]]) -> Counter[str]:
    found: Counter[str] = Counter()
    for picture in pictures:
        found.update({field: int(n) for field, n in picture["ledger"].items()})
    return found


def _again(defs: StreamDefs, ledger: Mapping[str, int], away: Mapping[str, int]) -> int:
    """What was added to the first stream, but is no new event, taken away; and copies that were
    left over where an event was moved twice: they are duplicates, as if it had been sent twice.

    Fewer that arrived than were moved are lost: they are missing in the audit; or they are in
    partitions that could not be read.
    """
    path = defs.counting_path
    moved = sum(ledger.get(f"{name}:moved", 0) for name in path)
    arrived = sum(ledger.get(f"{name}:arrived", 0) for name in path)
    of_first = ledger.get(f"{path[0]}:arrived", 0)
    more = arrived - moved if away else max(0, arrived - moved)
    return more - of_first - ledger.get(f"replayed:{SOURCE}", 0)


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


def _counts(replies: list[list[bytes]]) -> dict[str, int]:
    """Those of the one reply, if there is one."""
    flat = replies[0] if replies else []
    return {name.decode(): int(n) for name, n in zip(flat[::2], flat[1::2], strict=True)}


def _fullest(infos: Iterable[Mapping[str, str]]) -> tuple[int, int]:
    """Bytes used and their limit, of the node that has least room for its limit."""
    found = [(int(one["used_memory"]), int(one.get("maxmemory", 0))) for one in infos]
    return max(found, key=lambda one: (one[0] / one[1] if one[1] else 0.0, one[0]), default=(0, 0))
