"""What a page has to bear for the snippet: measured and printed.

Decided by what is counted, not by the clock.
"""

from __future__ import annotations

from statistics import median

import pytest

from benchmarks.page import METRICS, page_costs, table

pytestmark = [pytest.mark.browser, pytest.mark.timeout(300)]

WIRE = {"the tag": 2_800, "inline part": 3_000, "both files": 4_300}
"""Bytes on top of the page, headers of the answers included."""


@pytest.fixture(scope="module")
def costs(chromium):
    return page_costs(2, chromium)


def test_the_cost_to_the_page_is_printed(costs, figures):
    assert all(len(runs) == 2 for metrics in costs.values() for runs in metrics.values())
    figures(table(costs))
    assert all(label in table(costs) for label in METRICS.values())


@pytest.mark.parametrize("variant", WIRE)
def test_it_takes_few_bytes_and_leaves_the_page_as_it_is(costs, variant):
    added = {
        metric: median(runs) - median(costs["nothing"][metric])
        for metric, runs in costs[variant].items()
    }
    assert added["bytes"] < WIRE[variant]
    assert added["requests"] == (2 if variant == "both files" else 1)
    assert (added["shift"], added["nodes"]) == (0, 0)
