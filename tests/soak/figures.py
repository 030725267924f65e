"""What must stay flat while a soak goes on: memory, open files, keys, consumers."""

from __future__ import annotations

from collections import defaultdict
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from catchwater.config.streamdefs import load
from catchwater.errors import CatchwaterError
from catchwater.redis_client import Connection
from catchwater.streams import keys
from tests.soak.system import SoakSystem


@dataclass
class Row:
    minute: float
    accepted: int
    memory_mb: dict[str, float]
    """Of the largest process of each kind."""
    files: dict[str, int]
    """That the process with most has open."""
    redis: dict[str, float] = field(default_factory=dict)
    """Empty while Redis is away."""


def measured(system: SoakSystem, redis_url: str, minute: float, accepted: int) -> Row:
    memory: dict[str, float] = defaultdict(float)
    files: dict[str, int] = defaultdict(int)
    for name, pid in system.all_pids().items():
        kind = name.rpartition("-")[0] or name
        with suppress(OSError):
            memory[kind] = max(memory[kind], _resident_mb(pid))
            files[kind] = max(files[kind], len(list(Path(f"/proc/{pid}/fd").iterdir())))
    return Row(minute, accepted, dict(memory), dict(files), _redis(redis_url, system, accepted))


def _resident_mb(pid: int) -> float:
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    """0 for one that has just been killed."""
    return next((int(line.split()[1]) / 1024 for line in lines if line.startswith("VmRSS")), 0)


def _redis(url: str, system: SoakSystem, accepted: int) -> dict[str, float]:
    connection = Connection(url)
    try:
        used, names = int(connection.info("memory")["used_memory"]), connection.call("DBSIZE")
        found = connection.calls(_questions(system))
    except CatchwaterError:
        return {}
    finally:
        connection.close()
    consumers = sum(len(one) for one in found if isinstance(one, list))
    waiting = sum(one for one in found if isinstance(one, int))
    return {
        "MB": used / 1e6,
        "keys": names,
        "consumers": consumers,
        "waiting": waiting,
        "bytes an event": used / max(1, accepted),
    }


def _questions(system: SoakSystem) -> list[tuple[str, ...]]:
    defs = load(system.streamdefs)
    streams = {
        keys.stream(tag, stage.reads): name
        for tag in defs.tags
        for name, stage in defs.stages.items()
    }
    return [
        question
        for stream, stage in streams.items()
        for question in (("XINFO CONSUMERS", stream, stage), ("XLEN", stream))
    ]


def table(rows: list[Row]) -> str:
    kinds = sorted({kind for row in rows for kind in row.memory_mb})
    names = ["MB", "keys", "consumers", "waiting", "bytes an event"]
    heads = [
        "minute",
        "accepted",
        *[f"{kind} MB/files" for kind in kinds],
        *[f"Redis {n}" for n in names],
    ]
    lines = [" | ".join(heads), "|".join("---" for _ in heads)]
    for row in rows:
        cells = [f"{row.minute:.1f}", str(row.accepted)]
        cells += [f"{row.memory_mb.get(k, 0):.0f}/{row.files.get(k, 0)}" for k in kinds]
        cells += [f"{row.redis[n]:.0f}" if row.redis else "away" for n in names]
        lines.append(" | ".join(cells))
    return "\n".join(lines)


def grown(rows: list[Row]) -> list[str]:
    """Kinds of processes whose memory or files are a quarter more in the last third than in the
    middle one. The first third warms up.
    """
    third = len(rows) // 3
    middle, last = rows[third : 2 * third], rows[2 * third :]
    found = []
    for what in ("memory_mb", "files"):
        for kind in sorted({kind for row in rows for kind in getattr(row, what)}):
            before, after = (
                max(getattr(row, what).get(kind, 0) for row in part) for part in (middle, last)
            )
            if before and after > 1.25 * before + 5:
                found.append(f"{kind}: {what} {before:.0f} to {after:.0f}")
    return found
