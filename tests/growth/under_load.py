"""Stages as processes, which somebody starts again, an ingest, and somebody who grows the
partitions and is killed.
"""

from __future__ import annotations

import signal
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

from catchwater.config.streamdefs import load
from catchwater.errors import UnavailableError
from catchwater.redis_client import Connection
from catchwater.streams.consumer import prepare
from tests.growth.partitions import Sized, write
from tests.up_process import without_settings
from tests.waiting import wait_until

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from catchwater.event import Event
    from catchwater.redis_client import Command

ROOT = Path(__file__).parents[2]
WAIT_S = 180
"""Several processes share a loaded machine."""
AT_ONCE = 20
ALL = 1000
"""More lines than the command says."""


class Site:
    """The machines that share a Redis."""

    def __init__(self, url: str, folder: Path, kind: str, replicas: int) -> None:
        self.url, self.folder, self.kind, self.replicas = url, folder, kind, replicas
        self.pipeline = folder / "streamdefs.yaml"
        self.declare(8)

    def declare(self, partitions: int) -> Sized:
        """What the file says from now on; and the pipeline with so many."""
        fresh = write(self.folder, self.kind, partitions)
        defs = load(fresh)
        fresh.replace(self.pipeline)
        return Sized(self.url, defs, Connection(self.url))

    def start(self, *arguments: str, log: str) -> subprocess.Popen[str]:
        with (self.folder / log).open("a") as file:
            return subprocess.Popen(
                [sys.executable, "-m", "catchwater", *arguments],
                cwd=self.folder,
                env=without_settings()
                | {"CATCHWATER_REDIS_URL": self.url, "PYTHONPATH": str(ROOT)},
                stdout=subprocess.PIPE if log == "grow.log" else file,
                stderr=file,
                text=True,
            )

    @contextmanager
    def stages(self, count: int) -> Iterator[list[subprocess.Popen[str]]]:
        """So many processes that run all stages but the sink. What ends is started again."""
        names = [name for name in load(self.pipeline).stages if name != "sink"]
        running = [self.start("stage", *names, log=f"{n}.log") for n in range(count)]
        stopping = threading.Event()

        def tend() -> None:
            while not stopping.wait(0.1):
                for n, process in enumerate(running):
                    if process.poll() is not None:
                        running[n] = self.start("stage", *names, log=f"{n}.log")

        tending = threading.Thread(target=tend)
        tending.start()
        try:
            yield running
        finally:
            stopping.set()
            tending.join()
            for process in running:
                process.kill()
                process.wait()

    def freeze(self, process: subprocess.Popen[str], log: str) -> None:
        """As soon as it has read its pipeline."""
        ready = self.folder / log
        wait_until(lambda: "ops port" in ready.read_text(), "it knows its partitions", WAIT_S)
        process.send_signal(signal.SIGSTOP)

    def grow(self, until: int) -> int:
        """Run the command, killed after so many lines of what it says. Returns its exit code."""
        more = ("--wait-replicas", str(self.replicas))
        process = self.start("partitions", "grow", *more, log="grow.log")
        assert process.stdout
        for _ in range(until):
            process.stdout.readline()
        process.kill()
        process.communicate()
        return process.returncode

    def grow_to_the_end(self) -> None:
        """Again where a server was away."""
        wait_until(lambda: self.grow(ALL) == 0, f"it is done: {self.folder}/grow.log", WAIT_S)


class Feed:
    """Adds events, each to the partition that one of these knows, and every fifth once more."""

    def __init__(self, knows: Sized, event: Callable[[int], Event], replicas: int) -> None:
        self._knows = [knows.apart()]
        self._event, self._replicas = event, replicas
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._feed)
        self.sent = 0

    def also(self, knows: Sized) -> None:
        self._knows.append(knows.apart())

    @contextmanager
    def flowing(self) -> Iterator[None]:
        self._thread.start()
        try:
            yield
        finally:
            self.stop()

    def stop(self) -> None:
        self._stopping.set()
        self._thread.join()

    def _feed(self) -> None:
        while not self._stopping.wait(0.02):
            self._add()

    def _add(self) -> None:
        numbers = [*range(self.sent, self.sent + AT_ONCE), *range(0, self.sent, 5)[-4:]]
        knows = self._knows[self.sent // AT_ONCE % len(self._knows)]
        commands = [knows.adding("raw", self._event(number)) for number in numbers]
        wait_until(lambda: self._added(knows, commands), "they are added", WAIT_S)
        self.sent += AT_ONCE

    def _added(self, knows: Sized, commands: Sequence[Command]) -> bool:
        """Ingest spools what Redis does not take, and adds it again."""
        with suppress(UnavailableError):
            knows.connection.calls(commands, self._replicas)
            return True
        return False


def grown_under_load(
    url: str,
    folder: Path,
    kind: str,
    event: Callable[[int], Event],
    kills: Sequence[int],
    replicas: int = 0,
    fault: Callable[[int], None] = lambda _number: None,
) -> tuple[Sized, int]:
    """8, 16 and then 64 partitions, with the fault of that number beside each that is killed.

    Returns what there is then, and how many events were sent.
    """
    site = Site(url, folder, kind, replicas)
    sizes = {partitions: site.declare(partitions) for partitions in (64, 16, 8)}
    prepare(sizes[8].connection, sizes[8].defs)
    feed = Feed(sizes[8], event, replicas)
    with site.stages(3) as running, feed.flowing():
        go_on(sizes[8])
        frozen = running[0]
        site.freeze(frozen, "0.log")
        site.declare(16)
        feed.also(sizes[16])
        for number, until in enumerate(kills):
            with beside(site.grow, until):
                fault(number)
            running[1 + number % 2].kill()
        site.grow_to_the_end()
        go_on(sizes[16])
        frozen.send_signal(signal.SIGCONT)
        assert frozen.wait(60) == 2, "it has met the fence"
        site.declare(64)
        feed.also(sizes[64])
        site.grow_to_the_end()
        go_on(sizes[64])
        feed.stop()
        wait_until(lambda: sizes[64].audit.depth == 0, "all is done", WAIT_S)
    return sizes[64], feed.sent


@contextmanager
def beside(do: Callable[[int], int], until: int) -> Iterator[None]:
    """A server that a fault starts again would die with the thread that started it."""
    with ThreadPoolExecutor(1) as pool:
        done = pool.submit(do, until)
        yield
        done.result()


def go_on(site: Sized) -> None:
    before = site.audit.counted
    wait_until(lambda: site.audit.counted > before + 200, "they work", WAIT_S)
