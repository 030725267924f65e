"""What Redis keeps of events that are done: bytes of a mark of dedupe and of an issue's counters,
as commit.lua writes them, beside the plainest form that does the same.
"""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING

from benchmarks.report import Figure
from catchwater.answers import Emit, Tally
from catchwater.config.streamdefs import StreamDefs, load
from catchwater.event import Event
from catchwater.redis_client import Connection
from catchwater.streams import keys
from catchwater.streams.commit import SCRIPT, Entry, plan_commit
from catchwater.streams.consumer import prepare

if TYPE_CHECKING:
    from collections.abc import Sequence

MARKS = 200_000
ISSUES = 5_000
BATCH = 500
TAGS = {"browser": "Chrome 156", "os": "Windows 11", "release": "shop@2026.11.3", "country": "de"}
ABOUT = {"type": "TypeError", "message": "x is undefined", "culprit": "f (a.js)", "level": "error"}
RECEIVED = 1_763_900_000_000

PLAIN_MARKS = "for i, mark in ipairs(ARGV) do redis.call('SADD', KEYS[1], mark) end"


def state_figures(url: str) -> list[Figure]:
    """Bytes of a mark, against one in a plain set of digests; bytes of an issue's counters."""
    connection, defs = Connection(url), load(None)
    figures = [
        Figure(
            "state: a mark of dedupe",
            "bytes",
            [_marks(connection, defs)],
            reference=[_plain_marks(connection)],
            mark=0.25,
            lower_is_better=True,
        ),
        _issue_figure(connection, defs, "no tags", {}),
        _issue_figure(connection, defs, f"{len(TAGS)} tags", TAGS),
    ]
    connection.call("FLUSHDB")
    connection.close()
    return figures


def _issue_figure(
    connection: Connection, defs: StreamDefs, name: str, tags: dict[str, str]
) -> Figure:
    return Figure(
        f"state: an issue's hour and month, {name}",
        "bytes",
        [_issues(connection, defs, tags)],
        lower_is_better=True,
    )


def _marks(connection: Connection, defs: StreamDefs) -> float:
    marks = [uuid.uuid4().hex for _ in range(MARKS)]
    answers = [Emit(Event(mark, "1", RECEIVED, "named", b"{}", {}), once=mark) for mark in marks]
    return _kept(connection, defs, "dedupe", answers) / MARKS


def _issues(connection: Connection, defs: StreamDefs, tags: dict[str, str]) -> float:
    tallies = [Tally(f"1:v1:{uuid.uuid4().hex}", tags=tags, about=ABOUT) for _ in range(ISSUES)]
    answers = [
        Emit(Event(uuid.uuid4().hex, "1", RECEIVED, "named", b"{}", {}), tally=tally)
        for tally in tallies
    ]
    return _kept(connection, defs, "count", answers) / ISSUES


def _kept(connection: Connection, defs: StreamDefs, stage: str, answers: Sequence[Emit]) -> float:
    """Bytes that commits of these answers leave in Redis beside the streams, in one partition."""
    connection.call("FLUSHDB")
    prepare(connection, defs)
    tag, settings = defs.tags[0], defs.stages[stage]
    reads, emits = (keys.stream(tag, name or "") for name in (settings.reads, settings.emits))
    before = _used(connection)
    for at in range(0, len(answers), BATCH):
        batch = answers[at : at + BATCH]
        ids = pending(connection, reads, stage, len(batch))
        plan = plan_commit(
            defs,
            stage,
            tag,
            [(Entry(0, id_, {}), one) for id_, one in zip(ids, batch, strict=True)],
        )
        connection.call("EVAL", SCRIPT.read_text(), len(plan.keys), *plan.keys, *plan.args())
    connection.call("DEL", reads, emits)
    return _used(connection) - before


def pending(connection: Connection, stream: str, stage: str, count: int) -> list[str]:
    fill = "for n = 1, ARGV[1] do redis.call('XADD', KEYS[1], '*', 'id', n) end"
    connection.call("EVAL", fill, 1, stream, count)
    group = ("GROUP", stage, "bench", "COUNT", count)
    ((_, entries),) = connection.call("XREADGROUP", *group, "STREAMS", stream, ">")
    return [entry[0].decode() for entry in entries]


def _plain_marks(connection: Connection) -> float:
    connection.call("FLUSHDB")
    before = _used(connection)
    for _ in range(0, MARKS, BATCH):
        marks = [uuid.uuid4().hex[:22] for _ in range(BATCH)]
        connection.call("EVAL", PLAIN_MARKS, 1, "plain", *marks)
    return (_used(connection) - before) / MARKS


def _used(connection: Connection) -> float:
    """Bytes of memory that Redis uses for data, without its append-only file's buffers."""
    connection.call("MEMORY", "PURGE")
    lines = connection.call("INFO", "memory").decode().splitlines()
    info = dict(line.split(":", 1) for line in lines if ":" in line)
    return float(info["used_memory_dataset"])
