"""What a Redis Cluster costs: `make bench-cluster`.

Processes of each stage on three masters, and on one Redis that has the same entries, in turn.
Needs the `test` extra, and a machine that has nothing else to do.
"""

from __future__ import annotations

import tempfile
import threading
import time
from contextlib import AbstractContextManager, ExitStack, contextmanager, nullcontext
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import click

from benchmarks.day import started
from benchmarks.pipelines import Pipeline, paused
from benchmarks.report import KEEP, Figure, keep, shown
from benchmarks.whole import cpu_seconds
from catchwater.config.hash_slots import SLOTS, slot
from catchwater.local.servers import MongoServer, RedisServer
from catchwater.streams import keys
from tests.servers.cluster import Node, cluster
from tests.waiting import wait_until

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from benchmarks.pipelines import Command

MASTERS = 3
PLAIN = "dedupe"
"""The stage that is measured with nothing to do, and while a master is away: it needs Redis only,
and the others read and wait in the same way.
"""

SEVERAL, TIMES = 4, 10
TURN_S = 0.01
"""How long a process that is slowed runs at once."""

FEW = 8
"""Partitions, beside those that are asked for."""

AWAY = 0
"""The master that is. It has what is fixed of the pipeline, too."""

SETTLED_S = 2.0
"""After a process is ready, until it only waits."""

AVAILABLE = ("--cluster-require-full-coverage", "no")


@dataclass(frozen=True, slots=True)
class Cost:
    """Of one run."""

    rate: float
    stage: float
    redis: float
    busiest: float


FIGURES = {
    "rate": ("{}", "entries/s"),
    "stage": ("  CPU of {}", "ms/10k"),
    "redis": ("  CPU of Redis, all nodes", "ms/10k"),
    "busiest": ("  the busiest node, of a core", "%"),
}


def run(
    pipeline: Pipeline,
    stage: str,
    processes: int,
    entries: Sequence[Command],
    hindered: Callable[[Sequence[int]], AbstractContextManager[None]] = nullcontext,
) -> Cost:
    """The processes are ready when the entries are there."""
    pipeline.empty()
    with pipeline.at_work(stage, processes) as pids:
        with paused(pids):
            pipeline.add(entries)
            nodes, own, began = pipeline.cpu(), sum(map(cpu_seconds, pids)), time.perf_counter()
        with hindered(pids):
            pipeline.wait_for(stage, len(entries))
        took, own = time.perf_counter() - began, sum(map(cpu_seconds, pids)) - own
        nodes = [now - before for now, before in zip(pipeline.cpu(), nodes, strict=True)]
    ms = 1000 * 10_000 / len(entries)
    return Cost(len(entries) / took, own * ms, sum(nodes) * ms, 100 * max(nodes) / took)


def stage_figures(
    on_cluster: Pipeline, on_one: Pipeline, count: int, processes: Sequence[int], runs: int
) -> list[Figure]:
    """Of each stage and number of processes. What is on one Redis is the reference."""
    figures: list[Figure] = []
    for stage in on_cluster.defs.stages:
        entries = on_cluster.entries(stage, count)
        for number in processes:
            title = f"{stage}, {number} process{'es' if number > 1 else ''}"
            pairs = [
                [run(pipeline, stage, number, entries) for pipeline in (on_cluster, on_one)]
                for _ in range(runs)
            ]
            figures += _compared(title, *zip(*pairs, strict=True))
    return figures


def idle_figures(on_cluster: Pipeline, on_one: Pipeline, seconds: float) -> list[Figure]:
    """CPU of a process that waits for entries, and of Redis for it, in % of a core."""
    own, nodes = zip(*(_idle(one, seconds) for one in (on_cluster, on_one)), strict=True)
    title = f"idle: {PLAIN}, {on_cluster.defs.partitions} partitions"
    return [
        Figure(title, "%", [own[0]], [own[1]], lower_is_better=True),
        Figure("  Redis for it, all nodes", "%", [nodes[0]], [nodes[1]], lower_is_better=True),
    ]


def _idle(pipeline: Pipeline, seconds: float) -> tuple[float, float]:
    pipeline.empty()
    with pipeline.at_work(PLAIN, 1) as (pid,):
        time.sleep(SETTLED_S)
        own, nodes = cpu_seconds(pid), sum(pipeline.cpu())
        time.sleep(seconds)
        used = cpu_seconds(pid) - own, sum(pipeline.cpu()) - nodes
    return 100 * used[0] / seconds, 100 * used[1] / seconds


@contextmanager
def frozen(node: Node) -> Iterator[None]:
    with paused([node.pid]):
        yield


@contextmanager
def killed(node: Node) -> Iterator[None]:
    node.kill()
    try:
        yield
    finally:
        node.start()
        wait_until(lambda: node.agrees(MASTERS), "it is in the cluster again", 120)


def away_figures(
    pipeline: Pipeline, masters: Sequence[Node], count: int, runs: int
) -> list[Figure]:
    """Entries a second of the other masters while one is away; the reference is with all there."""
    entries, figures = pipeline.entries(PLAIN, count), []
    for title, away in (("frozen", frozen), ("killed", killed)):
        figure = Figure(
            f"{PLAIN} on the others while a master is {title}", "entries/s", [], mark=0.9
        )
        for _ in range(runs):
            figure.reference.append(_rate_of_others(pipeline, entries, nullcontext()))
            figure.runs.append(_rate_of_others(pipeline, entries, away(masters[AWAY])))
        figures.append(figure)
    return figures


def _rate_of_others(
    pipeline: Pipeline, entries: Sequence[Command], away: AbstractContextManager[None]
) -> float:
    tags = [tag for tag in pipeline.defs.tags if slot(tag) * MASTERS // SLOTS != AWAY]
    streams = {keys.stream(tag, pipeline.defs.stages[PLAIN].reads) for tag in tags}
    count = sum(command[1] in streams for command in entries)
    pipeline.empty()
    with pipeline.at_work(PLAIN, 1) as pids:
        with paused(pids):
            pipeline.add(entries)
        began = time.perf_counter()
        with away:
            pipeline.wait_for(PLAIN, count, tags)
            return count / (time.perf_counter() - began)


def share_figures(pipeline: Pipeline, count: int, runs: int) -> list[Figure]:
    """Entries a second of several processes with an uneven share, against those with even ones."""
    even, uneven = (pipeline.entries(PLAIN, count, busy=busy) for busy in (1, TIMES))
    slow = Figure(f"{PLAIN}, {SEVERAL} processes, one {TIMES} times slower", "entries/s", [])
    busy = Figure(f"{PLAIN}, a partition with {TIMES} times the load", "entries/s", [])
    for _ in range(runs):
        slow.reference.append(run(pipeline, PLAIN, SEVERAL, even).rate)
        slow.runs.append(run(pipeline, PLAIN, SEVERAL, even, slowed).rate)
        busy.reference.append(run(pipeline, PLAIN, 1, even).rate)
        busy.runs.append(run(pipeline, PLAIN, 1, uneven).rate)
    return [slow, busy]


@contextmanager
def slowed(pids: Sequence[int]) -> Iterator[None]:
    """The first of them runs a part of the time only."""
    ended = threading.Event()

    def slow() -> None:
        while not ended.wait(TURN_S):
            with paused(pids[:1]):
                ended.wait((TIMES - 1) * TURN_S)

    thread = threading.Thread(target=slow)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()


def _compared(title: str, costs: Sequence[Cost], references: Sequence[Cost]) -> list[Figure]:
    measured, others = list(map(asdict, costs)), list(map(asdict, references))
    return [
        Figure(
            text.format(title),
            unit,
            [one[name] for one in measured],
            [one[name] for one in others],
            lower_is_better=name != "rate",
        )
        for name, (text, unit) in FIGURES.items()
    ]


class Both:
    """A cluster and one Redis, and pipelines on them."""

    def __init__(self, folder: Path, running: ExitStack) -> None:
        self._folder = folder
        self._mongo_url = running.enter_context(started(MongoServer))
        self._cluster = running.enter_context(cluster(folder / "cluster", MASTERS, 0, *AVAILABLE))
        self.masters = self._cluster.masters
        self._one = RedisServer(folder / "one")
        self._one.start()
        running.callback(self._one.stop)

    def pipelines(self, partitions: int) -> tuple[Pipeline, Pipeline]:
        """On the cluster, and on the one."""
        on_cluster = Pipeline(
            self._cluster.url, self.masters, partitions, self._mongo_url, self._folder
        )
        return on_cluster, Pipeline(
            self._one.url, [self._one], partitions, self._mongo_url, self._folder
        )


PARTS = ("stages", "idle", "away", "shares")


@click.command()
@click.option("--entries", default=20_000, show_default=True, help="Entries for each stage.")
@click.option("--partitions", default=64, show_default=True, help="Of the pipeline.")
@click.option(
    "--processes", multiple=True, default=(1, 2, 4), show_default=True, help="Of each stage."
)
@click.option("--seconds", default=20.0, show_default=True, help="How long processes wait idly.")
@click.option("--runs", default=3, show_default=True, help="Runs of each, in turn with one Redis.")
@click.option(
    "--part",
    "parts",
    multiple=True,
    type=click.Choice(PARTS),
    default=PARTS,
    help="Only this one; several may be named.",
)
@click.option("--json", "as_json", is_flag=True, help="JSON instead of lines.")
@click.option("--keep", "file", type=click.Path(path_type=Path, dir_okay=False), help=KEEP)
def main(
    entries: int,
    partitions: int,
    processes: tuple[int, ...],
    seconds: float,
    runs: int,
    parts: tuple[str, ...],
    as_json: bool,  # noqa: FBT001 - click's way
    file: Path | None,
) -> None:
    """Measure, against one Redis in the same run."""
    figures: list[Figure] = []
    with tempfile.TemporaryDirectory() as name, ExitStack() as running:
        both = Both(Path(name), running)
        several, one = both.pipelines(partitions)
        if "stages" in parts:
            figures += stage_figures(several, one, entries, processes, runs)
        if "idle" in parts:
            for number in sorted({FEW, partitions}):
                figures += idle_figures(*both.pipelines(number), seconds)
        if "away" in parts:
            figures += away_figures(several, both.masters, 3 * entries, runs)
        if "shares" in parts:
            figures += share_figures(several, entries, runs)
    if file:
        keep(figures, file)
    click.echo(shown(figures, as_json=as_json))


if __name__ == "__main__":
    main()
