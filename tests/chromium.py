"""The one headless Chromium of a test session: a second playwright would refuse to start beside
the first.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from functools import partial

import pytest
from playwright.sync_api import Browser, BrowserContext, Error, Page, sync_playwright

from tests import missing
from tests.waiting import wait_until

FLAGS = [
    "--no-sandbox",  # as root, in containers
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


def program() -> str:
    """Where Chromium is. Skips the test without it; fails it in CI."""
    return os.environ.get("CHROMIUM") or missing.program("chromium", "chromium-browser")


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    path = program()  # before playwright starts a Node, which may lack a library, too
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=FLAGS)
        yield browser
        browser.close()


def close(context: BrowserContext) -> None:
    """Close a context whose pages may still be on their way to another address, or closing.

    Chromium leaves a page open that is told to close while it changes documents, and the caller
    waits for ever (https://github.com/microsoft/playwright/issues/42068). So each page comes to
    rest first, whatever its own navigations interrupt meanwhile.
    """
    for page in context.pages:
        wait_until(partial(_rests, page), f"the page at {page.url} rests")
    context.close()


def _rests(page: Page) -> bool:
    try:
        page.goto("data:,rest")  # no page under test goes there: nobody else's arrival is ours
    except Error:  # interrupted by the page's own navigation, or by its end
        return page.is_closed()
    return True
