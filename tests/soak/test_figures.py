"""What has grown is told: memory or open files of a kind, once it has warmed up."""

from __future__ import annotations

from tests.soak.figures import Row, grown


def rows(memory, files):
    return [
        Row(n, n, {"sink": mb}, {"sink": f})
        for n, (mb, f) in enumerate(zip(memory, files, strict=True))
    ]


def test_what_warms_up_and_stays_has_not_grown():
    assert grown(rows([10, 40, 60, 60, 61, 60, 62, 61, 60], [8] * 9)) == []


def test_what_goes_on_growing_has():
    found = grown(rows([60, 60, 60, 60, 70, 80, 90, 100, 120], [8, 8, 8, 8, 9, 9, 20, 30, 40]))
    assert found == ["sink: memory_mb 80 to 120", "sink: files 9 to 40"]
