"""Every benchmark still runs: one did not after a change elsewhere, and nobody saw it."""

from __future__ import annotations

import asyncio
import json
import re
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from pymongo import MongoClient

from benchmarks import cluster, limited, searches, trends
from benchmarks.freshness import freshness_figures
from benchmarks.grouping import grouping_figures
from benchmarks.maps import map_figures
from benchmarks.peers import __main__ as peers
from benchmarks.report import Figure, shown
from benchmarks.snapshots import snapshot_figures
from benchmarks.stages import stage_figures
from benchmarks.whole import ingest_figure, whole_figures

pytestmark = pytest.mark.timeout(240)


def checked(figures: list[Figure]) -> None:
    assert figures
    assert all(min(one.runs) >= 0 for one in figures)
    assert figures[0].name in shown(figures, as_json=False)


def test_of_stages_and_snapshots(redis_url: str, mongo_url: str):
    checked(stage_figures(redis_url, mongo_url, 200, 1))
    checked(snapshot_figures(redis_url, (100,)))


def test_of_grouping_and_source_maps():
    checked(grouping_figures())
    checked(map_figures(20, 1))


def test_of_a_cluster():
    """Each part of it."""
    small = ["--entries=1000", "--partitions=8", "--processes=1", "--seconds=1", "--runs=1"]
    done = CliRunner().invoke(cluster.main, [*small, "--json"])
    assert done.exit_code == 0, done.output
    figures = {one["name"]: one for one in json.loads(done.output)["figures"]}
    for stage in ("fingerprint", "dedupe", "count", "sink"):
        assert figures[f"{stage}, 1 process"]["ratio"] > 0
        assert figures[f"  CPU of {stage}, 1 process"]["value"] > 0
    assert figures["idle: dedupe, 8 partitions"]["value"] < 100
    for how in ("frozen", "killed"):
        assert figures[f"dedupe on the others while a master is {how}"]["ratio"] > 0
    assert figures["dedupe, 4 processes, one 10 times slower"]["ratio"] > 0
    assert figures["dedupe, a partition with 10 times the load"]["ratio"] > 0


def test_of_trends(mongo_url: str, monkeypatch: pytest.MonkeyPatch):
    for name, value in {"ISSUES": 1_000, "BUSY": 20, "TIMES": 2}.items():
        monkeypatch.setattr(trends, name, value)
    with MongoClient[dict[str, Any]](mongo_url) as client:
        client.drop_database("catchwater")
        trends.filled(mongo_url)
        lines = asyncio.run(trends.figures(mongo_url))
        client.drop_database("catchwater")
    assert [line.partition(":")[0].split()[-1] for line in lines] == ["24h", "14d", "90d"] * 2


def test_of_searches(
    mongo_url: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    monkeypatch.setattr(searches, "ISSUES", 1_000)
    with MongoClient[dict[str, Any]](mongo_url) as client:
        client.drop_database("catchwater")
        searches.filled(mongo_url, searches.Vocabulary(1))
        searches.print_figures(mongo_url, searches.Vocabulary(1), times=20)
        client.drop_database("catchwater")
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == len(searches.SORTS) + len(searches.NAMES) + 6
    assert all("CPU p50" in line for line in lines)


def test_of_ingest(redis_url: str, tmp_path: Path):
    checked([ingest_figure(redis_url, tmp_path, 1, 1)])


def test_of_the_whole(tmp_path: Path):
    figures = whole_figures(tmp_path / "whole", 1, "--small")
    assert 99 < next(one.value for one in figures if "counted in MongoDB" in one.name) < 150
    checked(freshness_figures(tmp_path / "fresh", 1, "--small"))


def test_of_peers_our_own_part(tmp_path: Path):
    """The others are installed by `make bench-peers` only."""
    with ExitStack() as running:
        found = peers.measure("Catchwater", peers.catchwater(tmp_path / "up", running), 1)
    assert found.counted == found.accepted > 0
    assert f"| Catchwater | {found.accepted:,} | 100.0 % |" in peers.shown([found])


def test_of_a_limit_of_memory():
    """Where there are control groups and a right to make them; else that is said."""
    done = CliRunner().invoke(limited.main, ["--seconds", "2"])
    if done.exit_code:
        assert "memory cannot be limited here" in done.output
        return
    found = re.search(r"accepted ([\d,]+) in 2 s, counted ([\d,]+)", done.output)
    assert found
    assert found[1] == found[2] != "0"
    assert "for want of memory: 0" in done.output
