"""`catchwater up --small` under a limit of memory: `python -m benchmarks.limited`.

Everything that it starts is in a control group of that many megabytes, pages of files included;
1,000 errors a second come in. Needs the right to make control groups, as root has.
"""

from __future__ import annotations

import asyncio
import os
import tempfile
import time
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

import aiohttp
import click

from benchmarks.freshness import RATE, send_others
from benchmarks.whole import MeasuredUp

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path("/sys/fs/cgroup")
OUR_NAME = f"catchwater-{os.getpid()}"


class MemoryGroup:
    """A control group with a limit, of the first or the second version of them."""

    def __init__(self, megabytes: int) -> None:
        """Raises ClickException where there is none, or it is not for us."""
        self._old = (ROOT / "memory").is_dir()
        top = ROOT / "memory" if self._old else ROOT
        self._ours = top / _group_of_ours("memory" if self._old else "")
        self._group = top / OUR_NAME
        limit = "memory.limit_in_bytes" if self._old else "memory.max"
        try:
            self._group.mkdir()
            (self._group / limit).write_text(str(megabytes * 1024 * 1024))
        except OSError as error:
            self.remove()
            raise click.ClickException(
                f"memory cannot be limited here: {self._group}: {error.strerror}; run this as root "
                "where control groups are"
            ) from error

    @contextmanager
    def entered(self) -> Iterator[None]:
        """What is started meanwhile is in the group, and stays there."""
        _move(self._group)
        try:
            yield
        finally:
            _move(self._ours)

    @property
    def killed(self) -> int:
        """Processes that the kernel has ended for want of memory."""
        events = self._group / ("memory.oom_control" if self._old else "memory.events")
        found = dict(line.split() for line in events.read_text().splitlines())
        return int(found["oom_kill"])

    @property
    def most(self) -> float:
        """Megabytes at the fullest, with pages of files, which the kernel takes back."""
        peak = self._group / ("memory.max_usage_in_bytes" if self._old else "memory.peak")
        return int(peak.read_text()) / 1024 / 1024

    def remove(self) -> None:
        with suppress(OSError):
            self._group.rmdir()


def _group_of_ours(controller: str) -> str:
    """The path of this process's group, below where the controller's are."""
    lines = (line.split(":", 2) for line in Path("/proc/self/cgroup").read_text().splitlines())
    return next((path[1:] for _, name, path in lines if name == controller), "")


def _move(group: Path) -> None:
    (group / "cgroup.procs").write_text(str(os.getpid()))


@click.command()
@click.option("--megabytes", default=384, show_default=True)
@click.option("--seconds", default=60.0, show_default=True)
def main(megabytes: int, seconds: float) -> None:
    """Say what was accepted and counted, and what it took."""
    group = MemoryGroup(megabytes)
    try:
        with tempfile.TemporaryDirectory() as folder:
            up = MeasuredUp(Path(folder), "--small")
            with group.entered():
                up.start()
            try:
                _measure(up, group, seconds)
            finally:
                up.stop()
    finally:
        group.remove()


def _measure(up: MeasuredUp, group: MemoryGroup, seconds: float) -> None:
    accepted = asyncio.run(_load(up.report_url, seconds))
    deadline = time.monotonic() + 60
    while up.counted() < accepted and time.monotonic() < deadline:
        time.sleep(0.1)
    memory = sum(up.memory().values())
    print(f"accepted {accepted:,} in {seconds:.0f} s, counted {up.counted():,}")
    print(f"memory of all processes {memory:.0f} MB; of the group at most {group.most:.0f} MB")
    print(f"ended by the kernel for want of memory: {group.killed}")


async def _load(url: str, seconds: float) -> int:
    async with aiohttp.ClientSession() as session:
        return await send_others(session, url, RATE, seconds)


if __name__ == "__main__":
    main()
