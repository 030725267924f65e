from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from catchwater.answers import Emit
from catchwater.commands import server_checks
from catchwater.config.streamdefs import load
from catchwater.event import Event, decode, encode
from catchwater.local.servers import MongoServer, RedisServer, Server
from catchwater.monitoring import snapshot
from catchwater.monitoring.audit import make_audit
from catchwater.redis_client import Connection
from catchwater.streams.consumer import Consumer, prepare
from catchwater.streams.keys import stream
from tests import containers
from tests.waiting import wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = [pytest.mark.docker, pytest.mark.usefixtures("engine"), pytest.mark.timeout(240)]


@pytest.fixture(params=[RedisServer, MongoServer], ids=["redis", "mongo"])
def kind(request: pytest.FixtureRequest) -> Iterator[type[Server]]:
    return request.param


def test_an_image_of_the_installed_server_runs_without_pulling_anything(kind: type[Server]) -> None:
    with containers.container(kind) as running:
        wait_until(
            lambda: containers.answers(kind, running), f"{kind.title} in a container answers"
        )
        assert troubles(kind, containers.url(kind, running)) == []


def troubles(kind: type[Server], url: str) -> list[str]:
    """What `catchwater check --live` has to say about the server at `url`."""
    found = (
        server_checks.redis_problems(url, load(None))
        if kind is RedisServer
        else server_checks.mongo_problems(url)
    )
    return list(found)


def test_the_image_is_made_once(kind: type[Server]) -> None:
    assert containers.image(kind) == containers.image(kind)


def test_the_pipeline_runs_on_a_redis_in_a_container() -> None:
    with containers.container(RedisServer) as running:
        wait_until(lambda: containers.answers(RedisServer, running), "Redis in a container answers")
        connection, defs = Connection(containers.url(RedisServer, running)), load(None)
        prepare(connection, defs)
        event = Event("0" * 32, "1", 1_763_900_000_000, "snippet", b"{}")
        tag = defs.tags[defs.partition_of(event.id)]
        connection.call(
            "XADD",
            stream(tag, "raw"),
            "*",
            *(part for one in encode(event).items() for part in one),
        )
        first, second = (
            Consumer(connection, defs, stage, "a") for stage in ("fingerprint", "dedupe")
        )
        first.commit([(entry, Emit(decode(entry.fields))) for entry in first.read()])
        assert [decode(entry.fields) for entry in second.read()] == [event]
        audit = make_audit(snapshot.take(connection, defs))
        assert (audit.accepted, audit.depth, audit.missing) == (1, 1, 0)
        connection.close()
