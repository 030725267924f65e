"""One project's explosion, and its neighbours on the same ingest."""

from __future__ import annotations

import json

import pytest

from catchwater.config.streamdefs import load
from ingest.fair_shares import FairShares
from tests.ingest.conftest import KEY, made
from tests.waiting import wait_until

PIPELINE = """
streams: {raw: {limit: 20000}, counted: {}}
stages:
  count: {run: 'stages.count:count', reads: raw, emits: counted}
  sink: {run: sink, reads: counted}
"""
FLOODING, QUIET = f"/e/{KEY}", f"/e/{'a' * 32}"


def reports(count):
    return json.dumps([{"message": f"m{n}"} for n in range(count)])


def test_a_flood_of_one_project_leaves_room_for_another(own_redis, tmp_path):
    """No stage runs, so nothing is ever worked off: the room is all that there will be."""
    with made(own_redis.url, tmp_path, pipeline=PIPELINE) as ingest:
        for _ in range(350):
            assert ingest.post(FLOODING, reports(50)).status == 204
        wait_until(
            lambda: ingest.post(FLOODING, reports(10)).status == 429, "the flood is told to wait"
        )
        answer = ingest.post(FLOODING, "{}")
        assert (answer.status, answer.headers["retry-after"]) == (429, "30")
        assert [ingest.post(QUIET, "{}").status for _ in range(100)] == [204] * 100
        wait_until(lambda: ingest.losses().get("refused:share", 0) >= 2, "it is counted")
        assert "refused:stream_full" not in ingest.losses()


def test_a_flood_that_is_spooled_leaves_room_for_another(own_redis, tmp_path):
    with made(own_redis.url, tmp_path, "--spool-bytes", "1000000") as ingest:
        own_redis.kill()
        body = json.dumps([{"message": "x" * 900}] * 20)
        wait_until(lambda: ingest.post(FLOODING, body).status == 429, "the flood is told to wait")
        assert [ingest.post(QUIET, "{}").status for _ in range(20)] == [204] * 20
        own_redis.start()
        wait_until(lambda: ingest.metric("catchwater_spool_depth") == 0, "it is drained")


@pytest.mark.parametrize("fill", [0.0, 0.5, 0.9])
def test_while_there_is_room_a_project_may_use_it_all(fill):
    shares = FairShares()
    shares.spend("1", 1_000_000, now=1)
    assert not shares.is_over("1", fill, now=1)


def test_equal_projects_are_never_over_their_share():
    shares = FairShares()
    for project in "1234":
        shares.spend(project, 1000, now=1)
    assert not any(shares.is_over(project, 1.0, now=1) for project in "1234")


def test_the_share_falls_with_the_room_and_the_flood_goes_first():
    shares = FairShares()
    for project, size in {"1": 7000, "2": 2000, "3": 1000}.items():
        shares.spend(project, size, now=1)
    over = {
        fill: [project for project in "123" if shares.is_over(project, fill, now=1)]
        for fill in (0.93, 0.96, 1.0)
    }
    assert over == {0.93: [], 0.96: ["1"], 1.0: ["1"]}


def test_what_was_sent_is_forgotten():
    shares = FairShares()
    shares.spend("1", 1_000_000, now=1)
    shares.spend("2", 1000, now=601)
    assert shares.is_over("2", 1.0, now=601)
    assert not shares.is_over("1", 1.0, now=601)


def test_what_is_on_its_way_to_a_stream_takes_room_there():
    """Or a flood that was let into the first stream would fill the second one for everybody."""
    defs = load()
    assert defs.upstream("raw") == {"raw"}
    assert defs.upstream("unique") == {"raw", "named", "unique"}
