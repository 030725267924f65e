"""Figures that are kept in a file, so that runs can be compared."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime
from pathlib import Path

from benchmarks.report import Figure, commit, keep, machine

FIGURES = [
    Figure("rate", "events/s", [1, 3, 2], reference=[4], mark=0.4),
    Figure("memory", "MB", [7], lower_is_better=True),
]


def test_each_run_is_a_line_behind_those_before(tmp_path: Path):
    file, began = tmp_path / "kept.jsonl", datetime.now(UTC).replace(microsecond=0)
    keep(FIGURES, file)
    keep(FIGURES[1:], file)
    first, second = map(json.loads, file.read_text().splitlines())
    assert began <= datetime.fromisoformat(first["date"]) <= datetime.now(UTC)
    assert (first["machine"], first["commit"]) == (machine(), commit())
    assert all(one >= 0 for one in first["load"])
    assert [one["name"] for one in first["figures"]] == ["rate", "memory"]
    assert (
        first["figures"][0] | {"value": 2, "ratio": 0.5, "runs": [1, 3, 2]} == first["figures"][0]
    )
    assert [one["name"] for one in second["figures"]] == ["memory"]


def test_the_commit_is_named_where_there_is_one():
    """A copy without git has none."""
    there = (Path(__file__).parents[2] / ".git").exists()
    assert bool(re.fullmatch(r"[0-9a-f]{7,40}\+?", commit())) == there
