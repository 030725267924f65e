"""Every benchmark still runs: one did not after a change elsewhere, and nobody saw it."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks.freshness import freshness_figures
from benchmarks.grouping import grouping_figures
from benchmarks.maps import map_figures
from benchmarks.report import Figure, shown
from benchmarks.snapshots import snapshot_figures
from benchmarks.stages import stage_figures
from benchmarks.whole import ingest_figure, whole_figures

pytestmark = pytest.mark.timeout(240)


def checked(figures: list[Figure]) -> None:
    assert figures
    assert all(min(one.runs) >= 0 for one in figures)
    assert figures[0].name in shown(figures, as_json=False)


def test_of_stages_and_snapshots(redis_url: str):
    checked(stage_figures(redis_url, 200, 1))
    checked(snapshot_figures(redis_url, (100,)))


def test_of_grouping_and_source_maps():
    checked(grouping_figures())
    checked(map_figures(20, 1))


def test_of_ingest(redis_url: str, tmp_path: Path):
    checked([ingest_figure(redis_url, tmp_path, 1, 1)])


def test_of_the_whole(tmp_path: Path):
    figures = whole_figures(tmp_path / "whole", 1, "--small")
    assert 99 < next(one.value for one in figures if "counted in MongoDB" in one.name) < 150
    checked(freshness_figures(tmp_path / "fresh", 1, "--small"))
