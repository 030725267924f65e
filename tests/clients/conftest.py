from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

import pytest
from pymongo import MongoClient

from catchwater.local.servers import free_port
from tests.browser.conftest import page, recorder, visit  # noqa: F401 - the same fixtures
from tests.browser.sites import SHIPPED, by_nginx
from tests.clients.page import ALL, Table, write_uploads
from tests.clients.uploading import EVERY, FEW, Server, modules_of
from tests.missing import program
from tests.sourcemaps.conftest import maps  # noqa: F401 - the same maps, on this folder's `mongo`
from tests.sourcemaps.sentry import served

collect_ignore = [] if ALL else ["test_old.py"]
"""Only `make clients` fetches what it needs."""


@pytest.fixture(scope="session")
def mongo(mongo_url: str) -> str:
    with MongoClient[dict[str, object]](mongo_url) as client:
        client.drop_database("catchwater")
    return mongo_url


@pytest.fixture(scope="session")
def servers(mongo: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Server]]:
    """`sourcemaps serve`, by the way to it."""
    program("node")
    modules, folder, port = modules_of(EVERY if ALL else FEW), tmp_path_factory.mktemp, free_port()
    conf = SHIPPED.with_name("source-maps.conf")
    with served(mongo, folder("serve")) as own, by_nginx(port, own.port, folder("nginx"), conf):
        yield {
            "directly": Server(f"http://127.0.0.1:{own.port}/", modules),
            "through nginx": Server(f"http://127.0.0.1:{port}/", modules),
        }


@pytest.fixture(scope="session")
def table() -> Iterator[Table]:
    """What came of each client. Where all were tried it becomes the page."""
    found: Table = defaultdict(dict)
    yield found
    if ALL and set(found) == set(EVERY):
        write_uploads(found)
