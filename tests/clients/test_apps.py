"""From a framework's real build, uploaded by Sentry's own plug-in for it, to the function that
was written, on the issue's page: the app runs in Chromium with the framework's own SDK.

`make clients` tries all and writes docs/clients.md; each run of the tests tries one.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser

from tests.chromium import close
from tests.clients.apps import APPS, FEW_APPS, built
from tests.clients.page import ALL, Table, write_apps
from tests.missing import program
from tests.sourcemaps.sentry import Server, served
from tests.up_process import UpProcess
from tests.waiting import wait_until

pytestmark = [pytest.mark.browser, pytest.mark.timeout(1200)]

KEY = "1" * 32
NAMES = list(APPS) if ALL else FEW_APPS


@pytest.fixture(scope="module")
def box(tmp_path_factory: pytest.TempPathFactory) -> Iterator[UpProcess]:
    program("npm", "node")
    folder = tmp_path_factory.mktemp("apps")
    (folder / "data").mkdir()
    projects = f'projects:\n- {{id: "1", name: shop, key: "{KEY}"}}\n'
    (folder / "data" / "projects.yaml").write_text(projects)
    with UpProcess(folder) as up:
        yield up


@pytest.fixture(scope="module")
def upload(box: UpProcess, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """Where maps are uploaded to."""
    with served(box.ports["mongo_url"], tmp_path_factory.mktemp("serve")) as own:
        yield own


@pytest.fixture(scope="module")
def table() -> Iterator[Table]:
    """What came of each app. Where all were tried it becomes the page."""
    found: Table = {name: {} for name in NAMES}
    yield found
    if ALL and all(found.values()):
        write_apps(found)


@pytest.fixture
def page(chromium: Browser, box: UpProcess) -> Iterator[Any]:
    context = chromium.new_context()
    yield context.new_page()
    close(context)


class _Files(SimpleHTTPRequestHandler):
    def log_message(self, *_: Any) -> None:
        """Nobody reads it."""


@contextmanager
def site(folder: Path) -> Iterator[str]:
    """The address of a server of these files."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(_Files, directory=folder))
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def sample_of(box: UpProcess, release: str) -> tuple[str, str] | None:
    """Issue and event of an error of that release, once it is stored."""
    for issue in box.api("/api/issues")["issues"]:
        for sample in box.api(f"/api/issues/{issue['id']}")["samples"]:
            if sample["release"] == release:
                return issue["id"], sample["id"]
    return None


def named(box: UpProcess, event: str) -> dict[str, Any] | None:
    """Its uppermost frame, once it is one of the source: a plug-in does not wait until its maps
    are stored, and an event that overtakes them gets its names a minute later.
    """
    frame: dict[str, Any] = box.api(f"/api/events/{event}")["frames"][0]
    return frame if "generated" in frame else None


@pytest.mark.parametrize("name", NAMES)
def test_an_error_of_a_real_build_shows_the_function_that_was_written(
    name, box, upload, page, table
):
    release, dsn = f"{name}@1.0.0", f"http://{KEY}@127.0.0.1:{box.ports['ingest']}/1"
    address = f"http://127.0.0.1:{upload.port}/"
    with built(name, address, dsn, release) as folder, site(folder) as shop:
        page.goto(shop, wait_until="networkidle")
        page.click("#buy")
        issue, event = wait_until(lambda: sample_of(box, release), f"{name} has an issue", 60)
    frame = wait_until(lambda: named(box, event), f"the place in {name}'s source", 180)
    place = f"{frame['function']} {frame['file'].rpartition('/')[2]}:{frame['line']}"
    before = frame.get("generated", {}).get("function") or "no name"
    table[name] = {"frame": f"`{place}`", "built": f"`{before}`"}
    assert place == "checkoutOrder shop.js:5"
    page.goto(f"http://127.0.0.1:{box.ports['dashboard']}/issues/{issue}")
    text = page.inner_text("main")
    assert "checkoutOrder" in text
    assert "return order.missing.lines.map((line) => line.price);" in text
