"""Entries a second of one stage process, stage by stage, against a plain loop on the same Redis
and entries.
"""

from __future__ import annotations

import threading
import time
import uuid
from pathlib import Path
from typing import TYPE_CHECKING

import orjson

from benchmarks.reference import plain_loop
from benchmarks.report import Figure
from catchwater.answers import Emit
from catchwater.config.streamdefs import StreamDefs, load
from catchwater.event import Event, decode, encode
from catchwater.redis_client import Connection
from catchwater.stage import StageEnvironment
from catchwater.streams.consumer import Consumer, prepare
from catchwater.streams.keys import ledger, stream
from catchwater.streams.loop import Loop
from catchwater.streams.stage_loader import load_stages
from stages.fingerprint import fingerprint

if TYPE_CHECKING:
    from collections.abc import Sequence

    from catchwater.streams.processing import Work

REPORT = {
    "type": "TypeError",
    "message": "Cannot read properties of undefined (reading 'total')",
    "stack": "TypeError: Cannot read properties of undefined (reading 'total')\n"
    + "".join(
        f"    at step{n} (https://shop.example/assets/app.3f2a1b.js:{n}:17)\n" for n in range(8)
    ),
    "page": "https://shop.example/cart",
    "release": "shop@1.4.2",
    "breadcrumbs": [{"ts": 1, "kind": "click", "message": "button#pay"}] * 3,
}
AGENT = (
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) "
    "Chrome/156.0.0.0 Safari/537.36"
)


ISSUES = 50
SAMPLED = 15_000
"""Events after which all issues have their samples."""

PAGE_ID = 100_000
"""The first number of an order in the address of a page: each report has another one."""


def report(number: int) -> dict[str, object]:
    """One of ISSUES errors, on a page of its own."""
    page = f"https://shop.example/orders/{PAGE_ID + number}"
    return REPORT | {"type": type_of(number), "page": page}


def type_of(number: int) -> str:
    return f"Error{chr(65 + number % ISSUES % 26)}{chr(65 + number % ISSUES // 26)}"


def events(count: int) -> list[Event]:
    """Raw events of about 1 KB, over ISSUES issues, with ids in the page."""
    facts = {"user_agent": AGENT, "origin": "https://shop.example", "ip": "10.0.0.1"}
    now = int(time.time() * 1000)
    return [
        Event(uuid.uuid4().hex, "1", now, "snippet", orjson.dumps(report(n)), facts)
        for n in range(count)
    ]


def passing(batch: Sequence[Event]) -> list[Emit]:
    return [Emit(event) for event in batch]


def stage_figures(url: str, mongo_url: str, count: int, runs: int) -> list[Figure]:
    """Figures of a stage that passes events on, and of each stage of the pipeline that ships;
    `fingerprint` also as it is once its issues have their samples.
    """
    defs = load()
    found = inputs(defs, count)
    works: dict[str, tuple[str, Work]] = {"pass": ("dedupe", passing)}
    loaded = load_stages(defs, defs.counting_path, None)
    works |= {name: (name, one.work) for name, one in loaded.items()}
    works["fingerprint, only counted"] = ("fingerprint", _with_samples(defs, mongo_url))
    figures = {name: Figure(f"stage {name}", "entries/s", [], mark=0.5) for name in works}
    grouping = Figure("stage fingerprint, if the plain loop groups too", "entries/s", [])
    for one in loaded.values():
        one.warm_up()
    for _ in range(runs):
        for name, (stage, work) in works.items():
            figures[name].reference.append(
                plain_loop(url, [encode(event) for event in found[stage]])
            )
            figures[name].runs.append(_run(url, defs, stage, work, found[stage]))
        grouping.reference.append(
            plain_loop(url, [encode(event) for event in found["fingerprint"]], _grouped)
        )
    grouping.runs = figures["fingerprint"].runs
    return [*figures.values(), grouping]


def _with_samples(defs: StreamDefs, mongo_url: str) -> Work:
    """The stage when there are samples of all issues: it sends hardly any event on whole."""
    environment = StageEnvironment(mongo_url, projects=Path("/nonexistent/projects.yaml"))
    work = load_stages(defs, defs.counting_path, environment)["fingerprint"].work
    work(events(SAMPLED))
    return work


def _grouped(fields: dict[bytes, bytes]) -> dict[bytes, bytes]:
    answer = fingerprint(decode(fields))
    assert isinstance(answer, Emit)
    return encode(answer.event)


def inputs(defs: StreamDefs, count: int) -> dict[str, list[Event]]:
    """What each stage before the sink reads, when so many events come in."""
    found, now = {}, events(count)
    for name, stage in load_stages(defs, defs.counting_path, None).items():
        found[name] = now
        now = [answer.event for answer in stage.work(now) if isinstance(answer, Emit)]
    return found


def _run(url: str, defs: StreamDefs, stage: str, work: Work, batch: list[Event]) -> float:
    connection = Connection(url)
    connection.call("FLUSHDB")
    prepare(connection, defs)
    reads = defs.stages[stage].reads
    for start in range(0, len(batch), 500):
        connection.calls([added(defs, reads, event) for event in batch[start : start + 500]])
    stopping = threading.Event()
    loop = Loop(Consumer(Connection(url), defs, stage, "bench"), work, stopping)
    thread = threading.Thread(target=loop.run)
    started = time.perf_counter()
    thread.start()
    while done(connection, defs.tags, stage) < len(batch):
        time.sleep(0.01)
    seconds = time.perf_counter() - started
    stopping.set()
    thread.join()
    connection.call("FLUSHDB")
    connection.close()
    return len(batch) / seconds


def done(connection: Connection, tags: Sequence[str], stage: str) -> int:
    """Entries that the stage has committed so far in these partitions.

    A whole snapshot each time would keep Redis from what is measured.
    """
    found = connection.calls([("HGET", ledger(tag), f"{stage}:done") for tag in tags])
    return sum(int(one or 0) for one in found)


def added(defs: StreamDefs, name: str, event: Event) -> tuple[object, ...]:
    """The command that adds an event to its partition of the stream with that name."""
    tag = defs.tags[defs.partition_of(event.id)]
    flat = [part for item in encode(event).items() for part in item]
    return ("XADD", stream(tag, name), "*", *flat)
