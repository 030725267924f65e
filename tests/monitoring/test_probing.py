from __future__ import annotations

from pathlib import Path

import orjson
import pytest

from catchwater.config.streamdefs import load
from catchwater.errors import UnavailableError
from catchwater.event import Event
from catchwater.monitoring.probing import SLOT_S, Probe, hops, report
from stages.fingerprint import fingerprint

DEFS = load(Path(__file__).parents[2] / "streamdefs.yaml")


@pytest.mark.parametrize(
    ("entered", "stored", "known"),
    [
        (
            {"raw": 100, "named": 150, "unique": 400, "counted": 401},
            1401,
            {"fingerprint": 0.05, "dedupe": 0.25, "count": 0.001, "sink": 1.0},
        ),
        ({"raw": 100, "unique": 400, "counted": 401}, 1401, {"count": 0.001, "sink": 1.0}),
        ({"raw": 100, "named": 90}, None, {"fingerprint": 0.0}),
        ({}, 5, {}),
    ],
    ids=["all", "one was trimmed before it was seen", "the clock was set back", "nothing"],
)
def test_a_hop_lasts_from_one_stream_to_the_next(entered, stored, known):
    assert hops(DEFS, entered, stored) == known


class Shelf:
    """Has every event, and goes away before one can be removed."""

    def has(self, event_id: str) -> bool:
        return True

    def remove_probe(self, event_id: str) -> None:
        raise UnavailableError("MongoDB is away")


def test_a_probe_that_was_shown_is_no_failure_when_its_sample_cannot_be_removed(pipeline):
    sent = []
    shown = Probe(pipeline.connection, Shelf(), pipeline.defs, sent.append).run(5)
    assert len(sent) == 1
    assert "ingest" in shown.hops


def issue_at(second: float) -> str:
    event = Event("a" * 32, "0", 0, "snippet", report("a" * 32, second))
    return str(fingerprint(event).event.facts["issue"])


def test_each_slot_of_an_hour_is_an_issue_so_that_each_probe_is_a_sample():
    slots = 3600 // SLOT_S
    found = [issue_at(slot * SLOT_S) for slot in range(slots)]
    assert len(set(found)) == slots
    assert issue_at(3600.0) == issue_at(SLOT_S - 0.01) == found[0], "and the next hour the same"


def test_a_probe_is_a_report_like_any_other():
    said = orjson.loads(report("b" * 32, 12.5))
    assert (said["id"], said["ts"], said["mechanism"]) == ("b" * 32, 12_500, "manual")
