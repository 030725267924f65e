"""What a snapshot costs, by how many entries wait: it must be the same for any number."""

from __future__ import annotations

import time

from benchmarks.report import Figure
from catchwater.config.streamdefs import SOURCE, StreamDefs, load
from catchwater.monitoring import snapshot
from catchwater.redis_client import Connection
from catchwater.streams import keys
from catchwater.streams.consumer import prepare

FILL = """
for n = 1, ARGV[1] do
  redis.call('XADD', KEYS[1], '*', 'id', n, 'head', '{}', 'body', ARGV[2])
end
"""
BODY = "x" * 100
READ = 1000
LOOKS = 50


def snapshot_figures(
    url: str, sizes: tuple[int, ...] = (10_000, 100_000, 1_000_000)
) -> list[Figure]:
    """Microseconds of a snapshot, half of the entries pending; against one of empty streams."""
    connection, defs = Connection(url), load(None)
    connection.call("FLUSHDB")
    prepare(connection, defs)
    empty = [_took_us(connection, defs) for _ in range(LOOKS)]
    figures, before = [], 0
    for size in sizes:
        _fill(connection, [keys.stream(tag, SOURCE) for tag in defs.tags], size - before)
        before = size
        runs = [_took_us(connection, defs) for _ in range(LOOKS)]
        name = f"snapshot: {size:,} entries, half of them pending"
        figures.append(Figure(name, "us", runs, reference=empty, mark=3, lower_is_better=True))
    connection.call("FLUSHDB")
    connection.close()
    return figures


def _took_us(connection: Connection, defs: StreamDefs) -> float:
    started = time.perf_counter()
    snapshot.take(connection, defs)
    return (time.perf_counter() - started) * 1e6


def _fill(connection: Connection, streams: list[str], entries: int) -> None:
    share = entries // len(streams)
    for stream in streams:
        for _ in range(0, share, READ):
            connection.call("EVAL", FILL, 1, stream, min(READ, share), BODY)
        for _ in range(0, share // 2, READ):
            group = ("GROUP", "fingerprint", "bench", "COUNT", READ)
            connection.call("XREADGROUP", *group, "STREAMS", stream, ">")
