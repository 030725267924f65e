"""`python -m benchmarks`: every figure, once.

Needs the `test` extra, and a machine that has nothing else to do.
"""

from __future__ import annotations

import tempfile
from pathlib import Path

import click

from benchmarks.costs import cost_figures
from benchmarks.freshness import freshness_figures
from benchmarks.grouping import grouping_figures
from benchmarks.maps import map_figures
from benchmarks.report import KEEP, keep, shown
from benchmarks.snapshots import snapshot_figures
from benchmarks.stages import stage_figures
from benchmarks.state import state_figures
from benchmarks.whole import ingest_figure, whole_figures
from catchwater.local.servers import MongoServer, RedisServer


@click.command()
@click.option("--entries", default=20_000, show_default=True, help="Entries for each stage.")
@click.option("--seconds", default=6.0, show_default=True, help="How long each load lasts.")
@click.option(
    "--runs", default=3, show_default=True, help="Runs of each, in turn with its reference."
)
@click.option("--json", "as_json", is_flag=True, help="JSON instead of lines.")
@click.option("--keep", "file", type=click.Path(path_type=Path, dir_okay=False), help=KEEP)
def main(
    entries: int,
    seconds: float,
    runs: int,
    as_json: bool,  # noqa: FBT001 - click's way
    file: Path | None,
) -> None:
    """Measure, against references in the same run.

    Nothing is decided here: the marks stand beside the figures.
    """
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        server, mongo = RedisServer(folder / "redis"), MongoServer(folder / "mongo")
        server.start()
        mongo.start()
        try:
            figures = stage_figures(server.url, mongo.url, entries, runs)
            figures += snapshot_figures(server.url)
            figures += state_figures(server.url)
            figures += cost_figures(server.url, mongo.url)
            figures.append(ingest_figure(server.url, folder, seconds, runs))
        finally:
            server.stop()
            mongo.stop()
        figures += grouping_figures()
        figures += map_figures(2_000, runs)
        for number, options in enumerate(([], ["--small"])):
            figures += whole_figures(folder / f"whole-{number}", seconds, *options)
            figures += freshness_figures(folder / f"fresh-{number}", 4 * seconds, *options)
    click.echo(shown(figures, as_json=as_json))
    if file:
        keep(figures, file)


main()
