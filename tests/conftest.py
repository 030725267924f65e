"""Real servers for every test: those that are named, else containers, else embedded ones."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path

import pytest

from catchwater.errors import ServerStartError
from catchwater.local.servers import MongoServer, RedisServer, Server
from catchwater.redis_client import Connection
from catchwater.streams import keys
from tests import containers
from tests.chromium import chromium  # noqa: F401 - a fixture of every folder
from tests.missing import missing
from tests.servers import replica_set
from tests.servers.chosen import chosen
from tests.servers.cluster import cluster, masters_of
from tests.waiting import wait_until


@pytest.fixture(scope="session")
def redis_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The URL of a Redis that is the tests' own:

    `REDIS_URL`, whose database must be empty, or one started here.
    """
    if named := os.environ.get("REDIS_URL"):
        redis = Connection(named)
        left = redis.call("DBSIZE")
        redis.close()
        assert left == 0, f"the Redis at {named} is not empty ({left}): these tests flush it"
        yield named
        return
    if "cluster" in chosen():
        with cluster(tmp_path_factory.mktemp("cluster"), 3, 0) as made:
            yield made.url
        return
    yield from _started(RedisServer, tmp_path_factory.mktemp("redis"))


@pytest.fixture(scope="session")
def mongo_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The same for MongoDB: `MONGO_URL`, or one started here."""
    if named := os.environ.get("MONGO_URL"):
        yield named
        return
    if "replicas" in chosen():
        with replica_set.started(tmp_path_factory.mktemp("mongo")) as made:
            yield made.url
        return
    yield from _started(MongoServer, tmp_path_factory.mktemp("mongo"))


def _started(kind: type[Server], folder: Path) -> Iterator[str]:
    yield from _contained(kind) if _engine_at_the_start() else _embedded(kind, folder)


@cache
def _engine_at_the_start() -> bool:
    """Whether there was an engine before any test started one of its own."""
    return containers.engine_answers()


def pytest_sessionstart() -> None:
    _engine_at_the_start()


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Files with browser tests come last, in whatever order otherwise: playwright keeps an event
    loop running in the main thread from its first test on, and `asyncio.run` of later tests would
    refuse to start another. Files, as each is run by one process as a whole.
    """
    last = {item.path for item in items if item.get_closest_marker("browser")}
    items.sort(key=lambda item: item.path in last)


@pytest.fixture
def figures(request: pytest.FixtureRequest) -> Callable[[str], None]:
    """Tells what a test measured, or the seed that has it again: behind the results of all tests,
    whichever process ran this one, and with the failure if there is one.
    """

    def tell(text: str) -> None:
        print(text)
        request.node.user_properties.append(("figures", text))

    return tell


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Prints what tests told by `figures`."""
    reports = [one for found in terminalreporter.stats.values() for one in found]
    ended = [one for one in reports if getattr(one, "when", "") == "call"]
    told = [text for one in ended for name, text in one.user_properties if name == "figures"]
    if told:
        terminalreporter.section("figures")
        terminalreporter.write_line("\n".join(told))


def _contained(kind: type[Server]) -> Iterator[str]:
    with containers.container(kind) as running:
        wait_until(
            lambda: containers.answers(kind, running), f"{kind.title} in its container answers"
        )
        yield containers.url(kind, running)


def _embedded(kind: type[Server], folder: Path) -> Iterator[str]:
    server = kind(folder)
    try:
        server.start()
    except ServerStartError as error:
        missing(str(error))
    yield server.url
    server.stop()


def _leaked(redis: Connection) -> list[str]:
    """Keys without a TTL that should have one."""
    names = [name.decode() for name in redis.call("KEYS", "*")]
    without_ttl = [name for name in names if redis.call("TTL", name) == -1]
    return [name for name in without_ttl if not keys.permanent(name)]


@pytest.fixture
def redis_url(redis_server: str) -> Iterator[str]:
    """A Redis that is empty when a test begins.

    What it leaves without a TTL must be in the key table.
    """
    masters = [Connection(url) for url in masters_of(redis_server)]
    for redis in masters:
        redis.call("FLUSHDB")  # a process that outlives its test may have written what it refused
    yield redis_server
    leaked = [name for redis in masters for name in _leaked(redis)]
    for redis in masters:
        redis.call("FLUSHDB")
        redis.close()
    assert not leaked, (
        f"keys without a TTL that are not in the key table of catchwater/streams/keys.py: {leaked}"
    )
