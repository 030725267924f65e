"""From a page with an unmodified SDK of each generation to the issue, in Chromium.

`make clients` tries all and writes docs/clients.md; each run of the tests tries three.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser

from tests.browser.recorder import Recorder
from tests.chromium import close
from tests.clients.page import ALL, Table, write_sdks
from tests.clients.sdks import FEW_SDKS, SDKS, Sdk, bundle
from tests.missing import program
from tests.up_process import UpProcess
from tests.waiting import wait_until

pytestmark = [pytest.mark.browser, pytest.mark.timeout(300)]

NAMES = list(SDKS) if ALL else FEW_SDKS
UNREAD = "Cannot read properties of undefined (reading 'lines')"
EXPECTED = {
    "thrown": ("TypeError", UNREAD, "error", "checkoutOrder"),
    "rejected": ("RangeError", "only 2 left of the article", "error", "sellOut"),
    "captured": ("OrderError", "the order was refused", "warning", "refusedOrder"),
    "message": ("Message", "a message of the page", "info", ""),
    "component": ("TypeError", UNREAD, "error", "Basket"),
}
"""For each button type, message and level of the issue, and the function of its first frame."""

OLD_RAVEN = {"rejected", "environment"}
LACKS = {"raven-js@2.3.0": OLD_RAVEN | {"breadcrumbs"}, "raven-js@3.0.5": OLD_RAVEN}
"""What these did not send yet."""


EVERYTHING = {"release", "environment", "tag", "user", "extra", "breadcrumbs"}


@pytest.fixture(scope="module")
def box(tmp_path_factory: pytest.TempPathFactory) -> Iterator[UpProcess]:
    """Everything, with a project for each SDK."""
    program("npm", "node")
    folder = tmp_path_factory.mktemp("sdks")
    (folder / "data").mkdir()
    projects = "".join(
        f'- {{id: "{number}", name: "{name}", key: "{number:032x}"}}\n'
        for number, name in enumerate(NAMES, 1)
    )
    (folder / "data" / "projects.yaml").write_text("projects:\n" + projects)
    with UpProcess(folder) as up:
        yield up


@pytest.fixture(scope="module")
def table() -> Iterator[Table]:
    """What came of each SDK. Where all were tried it becomes the page."""
    found: Table = {name: {} for name in NAMES}
    yield found
    if ALL and all(found.values()):
        write_sdks(found)


@pytest.fixture
def page(chromium: Browser, box: UpProcess) -> Iterator[Any]:
    context = chromium.new_context()
    yield context.new_page()
    close(context)


def address(sdk: Sdk, box: UpProcess, recorder: Recorder, folder: Path) -> str:
    """Serve the page of an SDK, which reports to its project."""
    number = NAMES.index(sdk.name) + 1
    bundle(sdk, folder / "page.js")
    recorder.serve("page.js", (folder / "page.js").read_text(), "text/javascript")
    dsn = f"http://{number:032x}@127.0.0.1:{box.ports['ingest']}/{number}"
    return recorder.serve(
        "page.html",
        f"<!doctype html><body><script>dsn = {dsn!r}</script><script src=page.js></script>",
    )


def issues(box: UpProcess, sdk: Sdk) -> list[dict[str, Any]]:
    """Those of the SDK's project."""
    number = NAMES.index(sdk.name) + 1
    found: list[dict[str, Any]] = box.api(f"/api/issues?project={number}")["issues"]
    return found


def event_of(box: UpProcess, sdk: Sdk, act: str) -> dict[str, Any]:
    """The event that an act made, once it is counted and stored."""
    kind, message, level, function = EXPECTED[act]

    def found() -> Any:
        for issue in issues(box, sdk):
            about = (issue["type"], issue["message"], issue["level"])
            if about == (kind, message, level) and issue["culprit"].startswith(function):
                samples = box.api(f"/api/issues/{issue['id']}")["samples"]
                return issue["count"] == 1 and samples
        return None

    sample = wait_until(found, f"{act} of {sdk.name} is an issue, of {issues(box, sdk)}", 60)[0]
    event: dict[str, Any] = box.api(f"/api/events/{sample['id']}")
    return event


def told(event: dict[str, Any]) -> set[str]:
    """What is known of an error that a page captured with a scope of its own."""
    known = {
        "release": event["release"] == "shop@1.4.2",
        "environment": event["environment"] == "test",
        "tag": event["tags"].get("plan") == "pro",
        "user": event["user"].get("id") == "4711",
        "extra": event["extra"].get("order") == 17,
        "breadcrumbs": bool(event["breadcrumbs"]),
    }
    return {name for name, there in known.items() if there}


@pytest.mark.parametrize("name", NAMES)
def test_each_error_of_a_page_with_an_sdk_is_an_issue_with_all_that_the_sdk_said(
    name, box, page, recorder, tmp_path, table
):
    sdk, lacks = SDKS[name], LACKS.get(name, set())
    page.goto(address(sdk, box, recorder, tmp_path))
    for act in sdk.acts:
        page.click(f"#{act}")
        if act in lacks:
            table[name][act] = "not sent"
            continue
        event = event_of(box, sdk, act)
        table[name][act] = row_cell(act, event)
        if function := EXPECTED[act][3]:
            assert event["frames"][0]["function"] == function
            assert event["frames"][0]["file"].endswith("/page.js")
        if act == "captured":
            missing = EVERYTHING - told(event)
            table[name]["told"] = f"all but {', '.join(sorted(missing))}" if missing else "all"
            assert missing == lacks & EVERYTHING
    assert len(issues(box, sdk)) == len(set(sdk.acts) - lacks)


def row_cell(act: str, event: dict[str, Any]) -> str:
    """What the table says of it."""
    frame = next(iter(event["frames"]), {"function": ""})
    told = frame["function"] if EXPECTED[act][3] else event["message"]
    return f"`{told}`, {event['level']}"
