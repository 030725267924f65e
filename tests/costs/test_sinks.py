"""Several sinks that write one busy issue: exact, and hardly ever in each other's way."""

from __future__ import annotations

from pathlib import Path

from benchmarks import sinks
from catchwater.local.servers import MongoServer

TALLIES, BATCH = 400, 10
COLLECTIONS = 5
"""Documents that a batch of one issue writes: the issue twice, as fields of it are derived, its
hour, its tags and its release.
"""


def test_four_sinks_that_write_one_issue_are_exact_and_cost_no_write_more(tmp_path: Path, figures):
    server = MongoServer(tmp_path)
    server.start()
    try:
        one, four = (sinks.run(server.url, number, BATCH, 0, TALLIES) for number in (1, 4))
    finally:
        server.stop()
    figures(f"four sinks and one issue: {four.conflicts} conflicts of {four.documents} documents")
    most = COLLECTIONS * TALLIES // BATCH
    assert one.conflicts == 0
    assert four.documents <= most + COLLECTIONS * (four.lost + 1)
    assert four.conflicts < four.documents / 2
