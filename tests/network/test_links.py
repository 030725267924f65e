"""Links between ingest, Redis, the stages and MongoDB that are cut, silent, late, slow or torn:
what was answered with 2xx is counted once.

Each fault strikes each of the three links in turn, under load.
"""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager, suppress
from dataclasses import dataclass, field
from functools import partial
from itertools import count
from random import Random, SystemRandom
from urllib.parse import urlsplit

import pymongo
import pytest

from catchwater.config.streamdefs import load
from catchwater.monitoring.audit import make_audit
from catchwater.monitoring.snapshot import take
from catchwater.redis_client import Connection
from sink.work import store_in
from sink.writer import MongoWriter
from tests.ingest.conftest import KEY, Ingest, made
from tests.network.link import DOWN, UP, Link
from tests.pipelines import PIPELINE
from tests.servers.replicated import stages
from tests.waiting import wait_until

LONGER_S = 5.5
"""Longer than a socket of a stage waits for an answer."""

FAULTS: dict[str, tuple[Callable[[Link], object], float, set[str]]] = {
    "cut": (lambda link: link.cut(), 1, {"refused"}),
    "silent": (lambda link: link.silent(UP, DOWN), LONGER_S, {"held up"}),
    "answers are lost": (lambda link: link.silent(DOWN), 1.5, {"held down"}),
    "questions are late": (lambda link: link.late(UP), 1.5, {"held up"}),
    "answers are late": (lambda link: link.late(DOWN), 1.5, {"held down"}),
    "slow": (lambda link: link.slow(20_000), 3, {"slow"}),
    "in pieces": (lambda link: link.in_pieces(), 2, {"piece"}),
    "in halves": (lambda link: link.in_halves(0.2), 3, {"half"}),
}
"""The fault, how many seconds it lasts, and what must have happened."""


@dataclass
class Load:
    """Posts one event after the other until each is accepted, in a thread."""

    ingest: Ingest
    accepted: int = 0
    failed: int = 0
    _stopping: threading.Event = field(default_factory=threading.Event)

    def run(self) -> None:
        for number in count():
            body = json.dumps({"id": f"{number:032x}", "message": "x"})
            while not self._posted(body):
                self.failed += 1
            self.accepted += 1
            if self._stopping.wait(0.005):
                return

    def stop(self) -> None:
        self._stopping.set()

    def _posted(self, body: str) -> bool:
        with suppress(OSError):
            return self.ingest.post(f"/e/{KEY}", body).status == 204
        return False


@contextmanager
def loaded(ingest: Ingest) -> Iterator[Load]:
    load = Load(ingest)
    thread = threading.Thread(target=load.run)
    thread.start()
    try:
        yield load
    finally:
        load.stop()
        thread.join()


@pytest.fixture
def mongo(mongo_url):
    client = pymongo.MongoClient(mongo_url)
    client.drop_database("catchwater")
    yield client.catchwater
    client.close()


def last(seconds: float, link: Link, expected: set[str]) -> None:
    """Stages that wait after an error send little: the fault lasts until it has struck, too."""
    end = time.monotonic() + seconds
    wait_until(
        lambda: time.monotonic() > end and expected <= link.faults, "the fault has struck", 60
    )


def counted(database) -> int:
    return (database.issues.find_one({"_id": "1:v1:a"}) or {}).get("count", 0)


@pytest.mark.chaos
@pytest.mark.timeout(400)
@pytest.mark.parametrize("fault", FAULTS)
def test_what_was_accepted_is_counted_once_whatever_becomes_of_a_link(
    redis_url, mongo_url, mongo, tmp_path, fault, capsys
):
    seed = SystemRandom().randrange(10**9)
    (tmp_path / "defs.yaml").write_text(PIPELINE)
    defs = load(tmp_path / "defs.yaml")
    strike, seconds, expected = FAULTS[fault]
    with ExitStack() as running:
        to_redis = urlsplit(redis_url).port, urlsplit(redis_url).port, urlsplit(mongo_url).port
        links = [running.enter_context(Link(port, Random(seed))) for port in to_redis]
        urls = [f"redis://127.0.0.1:{link.port}/0" for link in links[:2]]
        mongo_link = f"mongodb://127.0.0.1:{links[2].port}/?directConnection=true"
        writer = running.enter_context(closing(MongoWriter(mongo_link, defs.retention)))
        running.enter_context(stages(urls[1], defs, partial(store_in, writer)))
        ingest = running.enter_context(made(urls[0], tmp_path, pipeline=PIPELINE))
        with loaded(ingest) as posting:
            for link in links:
                with strike(link):
                    last(seconds, link, expected)
        connection = Connection(redis_url)
        running.callback(connection.close)
        wait_until(lambda: counted(mongo) == posting.accepted, f"all is counted: {seed}", 120)
        wait_until(lambda: ingest.metric("catchwater_spool_depth") == 0, "the spool is drained", 30)
        found = wait_until(
            lambda: (audit := make_audit(take(connection, defs))).depth == 0 and audit, "done", 30
        )
    assert posting.accepted > 50
    assert (found.missing, found.adds_up, counted(mongo)) == (0, True, posting.accepted)
