"""How long stages wait while partitions are doubled: `python -m benchmarks.growth`.

On a Redis of its own, with as many marks of dedupe as `--marks` says.
"""

from __future__ import annotations

import time
import uuid
from contextlib import closing

import click

from benchmarks.day import started
from benchmarks.state import pending
from catchwater.answers import Drop
from catchwater.config.streamdefs import StreamDefs, load
from catchwater.local.servers import RedisServer
from catchwater.redis_client import Connection
from catchwater.streams import keys
from catchwater.streams.commit import SCRIPT, Entry, plan_commit
from catchwater.streams.consumer import prepare
from catchwater.streams.growing import Growth

AT_ONCE = 1000
SIZES = (8, 16, 64)


@click.command()
@click.option("--marks", default=1_000_000, show_default=True, type=click.IntRange(1))
def main(marks: int) -> None:
    """Set marks in 8 partitions, then grow to 16, and from there to 64."""
    sizes = [load().model_copy(update={"partitions": partitions}) for partitions in SIZES]
    with started(RedisServer) as url, closing(Connection(url)) as connection:
        prepare(connection, sizes[0])
        _fill(connection, sizes[0], marks)
        print(f"8 partitions, {marks:,} marks: {_megabytes(connection):,.0f} MB of Redis")
        for defs in sizes[1:]:
            print(_grown(connection, defs))


def _grown(connection: Connection, defs: StreamDefs) -> str:
    began = time.perf_counter()
    copied = sum(step.keys for step in Growth(connection, defs).steps() if step.step == "copied")
    took = time.perf_counter() - began
    used = _megabytes(connection)
    return f"{defs.partitions} partitions: {took:.1f} s, {copied:,} keys copied, {used:,.0f} MB"


def _fill(connection: Connection, defs: StreamDefs, marks: int) -> None:
    for number, tag in enumerate(defs.tags):
        stream = keys.stream(tag, defs.stages["dedupe"].reads)
        left = marks // defs.partitions + (number < marks % defs.partitions)
        while left > 0:
            ids = pending(connection, stream, "dedupe", min(left, AT_ONCE))
            left -= len(ids)
            answers = [(Entry(number, id_, {}), Drop("x", once=uuid.uuid4().hex)) for id_ in ids]
            plan = plan_commit(defs, "dedupe", tag, answers)
            connection.scripts(SCRIPT, [(plan.keys, plan.args())])
        connection.call("XTRIM", stream, "MAXLEN", 0)


def _megabytes(connection: Connection) -> float:
    connection.call("MEMORY", "PURGE")
    return int(connection.info("memory")["used_memory_dataset"]) / 1e6


if __name__ == "__main__":
    main()
