"""The lab's figures: 342 mistakes in three engines, shipped in eighteen ways. `make lab` makes the
captures anew.

A ratchet: figures only get better, and what is better is written down here.
"""

from __future__ import annotations

import pytest

from tests.lab.building import mistakes
from tests.lab.capturing import ENGINES, capture
from tests.lab.scoring import Share, captures, in_three_engines, in_two_builds, merged

ONE = {  # percent now, and what it should reach
    "strict, common": (96.9, 0),
    "strict, all": (96.7, 0),
    "bundle, common": (99.3, 99),
    "bundle, all": (98.5, 0),
    "es5, common": (100.0, 0),
    "es5, all": (98.8, 0),
    "anonymous, common": (94.5, 90),
    "anonymous, all": (94.4, 75),
    "smallA, common": (95.1, 90),
    "smallA, all": (95.2, 75),
    "bigA, common": (95.1, 90),
    "bigA, all": (95.2, 75),
    "terserA, common": (92.7, 90),
    "terserA, all": (92.6, 75),
    "webpackA, common": (92.7, 90),
    "webpackA, all": (92.6, 75),
    "chunksA, common": (92.7, 90),
    "chunksA, all": (92.9, 75),
    "rspackA, common": (92.7, 90),
    "rspackA, all": (92.5, 75),
    "viteA, common": (92.7, 90),
    "viteA, all": (92.9, 75),
}
"""One mistake that is one issue in three engines."""

BUILDS = {
    "small": (100.0, 100),
    "big": (100.0, 97),
    "terser": (100.0, 100),
    "webpack": (100.0, 100),
    "chunks": (100.0, 100),
    "rspack": (100.0, 100),
    "vite": (100.0, 100),
}
"""One mistake in one engine that is one issue in two builds, without source maps."""

MERGED = {
    "bundle": (0.01, 0.32),
    "anonymous": (0.23, 0.32),
    "smallA": (0.22, 0.32),
    "bigA": (0.22, 0.32),
    "terserA": (0.21, 0.32),
    "webpackA": (0.22, 0.32),
    "chunksA": (0.09, 0.32),
    "rspackA": (0.22, 0.32),
    "viteA": (0.22, 0.32),
}
"""Pairs of two mistakes of different kinds in one file that are one issue."""


def share_of(measure: str) -> Share:
    variant, _, which = measure.partition(", ")
    return in_three_engines(variant, lambda mistake: mistake.common or which == "all")


def row(name: str, share: Share, reach: float) -> str:
    wanted = f"reach {reach} %" if reach else ""
    return f"{name:42} {share.met:5} of {share.of:6} {share.percent:6.2f} %  {wanted}"


def test_the_lab_has_two_hundred_mistakes_and_each_engine_told_of_nearly_all():
    assert len({one.name for one in mistakes()}) == len(mistakes()) > 320
    assert sum(one.common for one in mistakes()) > 160
    for engines in captures()["captures"].values():
        assert set(engines) == set(ENGINES)
        assert all(len(reports) >= 0.98 * len(mistakes()) for reports in engines.values())


@pytest.mark.parametrize("measure", ONE)
def test_a_mistake_is_one_issue_in_three_engines(measure, figures):
    now, reach = ONE[measure]
    share = share_of(measure)
    figures(row(f"three engines: {measure}", share, reach))
    assert now <= share.percent < now + 0.1, (share.percent, share.others)


@pytest.mark.parametrize("build", BUILDS)
def test_a_mistake_is_one_issue_before_a_deploy_and_behind_it(build, figures):
    now, reach = BUILDS[build]
    share = in_two_builds(build)
    figures(row(f"two builds: {build}", share, reach))
    assert now <= share.percent < now + 0.1, (share.percent, share.others)


@pytest.mark.parametrize("variant", MERGED)
def test_two_kinds_of_mistake_are_two_issues(variant, figures):
    now, reach = MERGED[variant]
    share = merged(variant)
    figures(row(f"wrongly merged pairs: {variant}", share, reach))
    assert now - 0.01 < share.percent <= now, (share.percent, share.others)


def test_making_captures_says_first_which_engine_is_missing(monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(
        SystemExit, match="chromium is not installed: see ops/setup/system_packages"
    ):
        capture()
    (tmp_path / "chromium").touch(mode=0o755)
    with pytest.raises(SystemExit, match="firefox is not installed"):
        capture()
    (tmp_path / "firefox").touch(mode=0o755)
    with pytest.raises(SystemExit, match="webkit is not installed"):
        capture()
