"""How much memory this machine has for us, and how much of it the embedded Redis may use."""

from __future__ import annotations

from pathlib import Path

REDIS_SHARE = 0.25
"""The rest is for eight processes of 35 to 80 MB, MongoDB, and copies while Redis writes its file.
"""

REDIS_LEAST = 96_000_000
REDIS_MOST = 4_000_000_000
"""Bytes; more for Redis is a reason to give it a machine of its own."""

CGROUP_LIMITS = ("/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes")
"""Of version 2 and 1, as a container sees its own."""


def machine_memory(root: Path = Path("/")) -> int:
    """Bytes of memory that we may use: the machine's, or the container's limit if that is less.

    0 where neither can be read.
    """
    found = [_cgroup_limit(root / path.lstrip("/")) for path in CGROUP_LIMITS]
    found.append(_total(root / "proc/meminfo"))
    return min((limit for limit in found if limit), default=0)


def redis_memory(machine: int) -> int:
    """The maxmemory in bytes of a Redis on a machine with so much memory; 0, no limit, where that
    is not known. Above a part of it, ingest answers 503: see --memory-watermark.
    """
    return min(REDIS_MOST, max(REDIS_LEAST, int(machine * REDIS_SHARE))) if machine else 0


def _cgroup_limit(file: Path) -> int:
    try:
        text = file.read_text().strip()
    except OSError:
        return 0
    return int(text) if text.isdigit() else 0


def _total(file: Path) -> int:
    try:
        lines = file.read_text().splitlines()
    except OSError:
        return 0
    return next((int(line.split()[1]) * 1024 for line in lines if line.startswith("MemTotal")), 0)
