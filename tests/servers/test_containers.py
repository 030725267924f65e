from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from catchwater import capabilities
from catchwater.embedded import MongoServer, RedisServer, Server
from catchwater.streamdefs import load
from tests import containers
from tests.waiting import wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.docker


@pytest.fixture(autouse=True)
def engine() -> None:
    if containers.engine_answers():
        return
    missing = "no Docker engine answers: start one, or set DOCKER_HOST"
    pytest.fail(missing) if os.environ.get("CI") else pytest.skip(missing)


@pytest.fixture(params=[RedisServer, MongoServer], ids=["redis", "mongo"])
def kind(request: pytest.FixtureRequest) -> Iterator[type[Server]]:
    return request.param


def test_an_image_of_the_installed_server_runs_without_pulling_anything(kind: type[Server]) -> None:
    with containers.container(kind) as running:
        wait_until(lambda: containers.answers(kind, running), f"{kind.title} in a container answers")
        assert troubles(kind, containers.url(kind, running)) == []


def troubles(kind: type[Server], url: str) -> list[str]:
    """What `catchwater check --live` has to say about the server at `url`."""
    found = capabilities.redis_trouble(url, load(None)) if kind is RedisServer else capabilities.mongo_trouble(url)
    return list(found)


def test_the_image_is_made_once(kind: type[Server]) -> None:
    assert containers.image(kind) == containers.image(kind)
