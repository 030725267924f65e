"""What an event costs does not creep up: counts, which are the same on any machine.

The limits are only ever lowered. Where one is far above what is counted, the test says so.
"""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from benchmarks.costs import costs
from catchwater.config.streamdefs import load, packaged, small

LIMITS = yaml.safe_load((Path(__file__).parent / "limits.yaml").read_text())
SLACK = 0.03
"""Batches end a little otherwise from run to run, and versions of Python and pymongo differ."""

LOOSE = 0.15

pytestmark = pytest.mark.timeout(240)


@pytest.mark.parametrize("pipeline", [packaged, small], ids=["as it ships", "small"])
def test_ten_thousand_events_cost_no_more_than_they_did(
    pipeline, redis_url: str, mongo_url: str, figures
):
    limits = LIMITS[pipeline.__name__]
    found = costs(redis_url, mongo_url, load(pipeline()))
    told = ", ".join(f"{name} {n:,.0f}" for name, n in found.items())
    figures(f"10,000 events, {pipeline.__name__}: {told}")
    assert found.keys() == limits.keys()
    above = {name: n for name, n in found.items() if n > limits[name] * (1 + SLACK)}
    assert above == {}, f"limits: {limits}"
    below = {name: n for name, n in found.items() if n < limits[name] * (1 - LOOSE)}
    assert below == {}, f"lower these limits in tests/costs/limits.yaml: {limits}"
