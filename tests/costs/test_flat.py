"""Parts of `make bench-flat` still run, and say what they are to say."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks.flat import filled
from benchmarks.flat.draining import drain_figures
from benchmarks.flat.flatness import Data, flat_figures
from benchmarks.flat.latency import latency_figures
from benchmarks.flat.redis_bytes import byte_figures
from benchmarks.flat.two_processes import scaling_figures
from benchmarks.report import Figure

pytestmark = pytest.mark.timeout(240)


def by_name(figures: list[Figure]) -> dict[str, float]:
    return {one.name: one.value for one in figures}


def test_an_event_costs_the_same_commands_and_bytes_however_much_there_is(
    monkeypatch: pytest.MonkeyPatch,
):
    """Those are the same on any machine; CPU is for people to read."""
    monkeypatch.setattr(filled, "POSTED", 3_000)
    sizes = Data(10_000, 10), Data(200_000, 10), Data(10_000, 500)
    figures = flat_figures(sizes, measured=1_000, runs=1)
    assert figures[0].name == "the sink, of 500 new issues"
    assert figures[0].value > 0
    for one in figures:
        if one.name.startswith("same issues") and one.name.endswith(
            ("through Redis", "commands of Redis", "documents of MongoDB")
        ):
            assert one.ratio == pytest.approx(1, abs=0.2), one.line()
    spread = [one for one in figures if one.name.startswith("all issues")]
    assert {one.name.partition(":")[0] for one in spread} == {
        "all issues, after 10k, 10 issues",
        "all issues, after 10k, 500 issues",
    }


def test_bytes_of_an_event(redis_url: str, mongo_url: str):
    found = {
        name.partition(": ")[2]: n
        for name, n in by_name(byte_figures(redis_url, mongo_url, 1_000)).items()
    }
    whole = found["as it comes"]
    assert 1_000 < whole < 1_500
    for kind in ("", "--small, "):
        assert whole < found[f"{kind}of its memory, waiting"] < 2 * whole
        assert found[f"{kind}in its append-only file"] > whole
        assert found[f"{kind}through Redis"] > 2 * whole  # in, and out to the first stage


def test_two_processes_and_one(redis_url: str):
    assert all(one.ratio for one in scaling_figures(redis_url, entries=500, runs=1))


def test_how_long_posts_wait(redis_url: str, tmp_path: Path):
    figures = latency_figures(redis_url, tmp_path, seconds=1, runs=1)
    assert [one.unit for one in figures] == ["posts/s", "ms", "ms"]
    assert min(by_name(figures).values()) > 0


def test_a_drain_is_exact(redis_url: str, mongo_url: str, tmp_path: Path):
    drain, memory = drain_figures(redis_url, mongo_url, tmp_path, waiting=2_000, seconds=1)
    assert drain.ratio
    assert memory.value > 1_000
