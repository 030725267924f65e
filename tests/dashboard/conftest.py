from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.client import HTTPConnection
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import orjson
import pytest
from aiohttp import web
from pymongo import MongoClient

from catchwater.config.streamdefs import StreamDefs, load
from catchwater.http_server import Runner
from catchwater.redis_client import Connection
from catchwater.streams.consumer import prepare
from dashboard.app import application
from dashboard.commands.dashboard import make_context
from dashboard.security import HEADERS, Guard
from tests.chromium import close
from tests.dashboard.flow import PIPELINE, Flow

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page
    from pymongo.database import Database

KEY = "0123456789abcdef0123456789abcdef"
PROJECTS = f"""
projects:
- {{id: "1", name: Tea shop, key: {KEY}}}
- {{id: "2", name: "<i>Back</i> office", key: 1{KEY[1:]}}}
"""
INGEST = "https://ingest.example"
DEMO = "https://demo.example/"
NOWHERE = "mongodb://127.0.0.1:1"
"""Nobody listens there: connections are refused at once."""


@dataclass
class Answer:
    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return orjson.loads(self.body)

    @property
    def text(self) -> str:
        return self.body.decode()


@dataclass
class Site:
    """A dashboard that answers on a port of its own."""

    port: int

    host: str = "127.0.0.1"
    sent: dict[str, str] = field(default_factory=dict)

    @property
    def url(self) -> str:
        return f"http://{self.host}:{self.port}"

    def get(self, path: str, method: str = "GET", **headers: str) -> Answer:
        """`path` as it is written in an address. Underscores of header names become dashes."""
        connection = HTTPConnection(self.host, self.port, timeout=20)
        try:
            given = self.sent | {name.replace("_", "-"): value for name, value in headers.items()}
            connection.request(method, path, headers=given)
            response = connection.getresponse()
            return Answer(
                response.status, {k.lower(): v for k, v in response.getheaders()}, response.read()
            )
        finally:
            connection.close()

    def issues(self, **query: object) -> Any:
        asked = "&".join(f"{name}={quote(str(value))}" for name, value in query.items())
        return self.get(f"/api/issues?{asked}").json


Open = Callable[..., Site]


@pytest.fixture(scope="session")
def defs() -> StreamDefs:
    return load(Path(__file__).parents[2] / "streamdefs.yaml")


@pytest.fixture
def mongo(mongo_url: str) -> Iterator[Database[dict[str, Any]]]:
    with MongoClient[dict[str, Any]](mongo_url, tz_aware=True) as client:
        client.drop_database("catchwater")
        yield client.catchwater


@pytest.fixture
def redis(redis_url: str, defs: StreamDefs) -> Iterator[Connection]:
    """A Redis on which the pipeline is prepared, and nothing has happened yet."""
    connection = Connection(redis_url)
    prepare(connection, defs)
    yield connection
    connection.close()


@pytest.fixture
def opened(tmp_path: Path, defs: StreamDefs) -> Iterator[Open]:
    """Open dashboards by the addresses of their servers; all are closed at the end."""
    running = []

    def start(
        mongo_url: str, redis_url: str, guard: Guard | None = None, projects: str = PROJECTS
    ) -> Site:
        path = tmp_path / "projects.yaml"
        path.write_text(projects)
        context = _running(mongo_url, redis_url, defs, path, guard or Guard())
        running.append(context)
        return context.__enter__()

    yield start
    for context in running:
        context.__exit__(None, None, None)


@pytest.fixture
def site(opened: Open, mongo: Database[dict[str, Any]], mongo_url: str, redis: Connection) -> Site:
    """A dashboard on empty servers."""
    return opened(mongo_url, redis.url)


@contextmanager
def _running(
    mongo_url: str, redis_url: str, defs: StreamDefs, projects: Path, guard: Guard
) -> Iterator[Site]:
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever)
    thread.start()

    async def start() -> web.AppRunner:
        context = make_context(redis_url, mongo_url, defs, projects, INGEST, DEMO)
        runner = Runner(application(context, guard), HEADERS, lambda: None)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        return runner

    runner = asyncio.run_coroutine_threadsafe(start(), loop).result(20)
    try:
        yield Site(runner.addresses[0][1])
    finally:
        asyncio.run_coroutine_threadsafe(runner.cleanup(), loop).result(20)
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()


@pytest.fixture
def page(chromium: Browser) -> Iterator[Page]:
    """A page that fails the test when anything in it goes wrong, a refusal by the content
    policy too.
    """
    context = chromium.new_context(viewport={"width": 1280, "height": 700})
    page = context.new_page()
    wrong: list[str] = []
    page.on("pageerror", lambda error: wrong.append(str(error)))
    page.on(
        "console", lambda message: wrong.append(message.text) if message.type == "error" else None
    )
    yield page
    close(context)
    assert wrong == []


@pytest.fixture
def flow(redis: Connection, tmp_path: Path) -> Flow:
    path = tmp_path / "streamdefs.yaml"
    path.write_text(PIPELINE)
    return Flow(redis, load(path))
