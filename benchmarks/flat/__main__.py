"""`make bench-flat`: whether an event costs the same however much there is, and where the limits
are; each figure beside its reference in the same run.
"""

from __future__ import annotations

import tempfile
from pathlib import Path

import click

from benchmarks.day import started
from benchmarks.flat.draining import drain_figures
from benchmarks.flat.flatness import flat_figures
from benchmarks.flat.latency import latency_figures
from benchmarks.flat.redis_bytes import byte_figures
from benchmarks.flat.two_processes import scaling_figures
from benchmarks.report import KEEP, Figure, keep, shown
from catchwater.local.servers import MongoServer, RedisServer


@click.command()
@click.option("--waiting", default=1_000_000, show_default=True, help="Events that are drained.")
@click.option("--json", "as_json", is_flag=True, help="JSON instead of lines.")
@click.option("--keep", "file", type=click.Path(path_type=Path, dir_okay=False), help=KEEP)
def main(waiting: int, as_json: bool, file: Path | None) -> None:  # noqa: FBT001 - click's way
    """Measure, on servers of its own. Takes about ten minutes on two cores."""
    figures = [*flat_figures(), *_figures(waiting)]
    click.echo(shown(figures, as_json=as_json))
    if file:
        keep(figures, file)


def _figures(waiting: int) -> list[Figure]:
    with (
        tempfile.TemporaryDirectory() as folder,
        started(RedisServer) as redis,
        started(MongoServer) as mongo,
    ):
        return [
            *byte_figures(redis, mongo),
            *scaling_figures(redis),
            *latency_figures(redis, Path(folder)),
            *drain_figures(redis, mongo, Path(folder), waiting),
        ]


if __name__ == "__main__":
    main()
