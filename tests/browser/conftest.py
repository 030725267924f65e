"""A headless Chromium, and a recording server for its pages."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, sync_playwright

from tests.browser.recorder import Recorder

FLAGS = [
    "--no-sandbox",  # as root, in containers
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
Open = Callable[..., Page]


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    found = os.environ.get("CHROMIUM") or shutil.which("chromium") or shutil.which("chromium-browser")
    if not found:
        missing = "no chromium on PATH: apt-get install chromium, or set CHROMIUM to its path"
        (pytest.fail if os.environ.get("CI") else pytest.skip)(missing)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=found, args=FLAGS)
        yield browser
        browser.close()


@pytest.fixture
def page(chromium: Browser) -> Iterator[Page]:
    context = chromium.new_context(viewport={"width": 1280, "height": 900})
    yield context.new_page()
    context.close()


@pytest.fixture
def recorder() -> Iterator[Recorder]:
    with Recorder() as recorder:
        yield recorder


@pytest.fixture
def visit(page: Page, recorder: Recorder) -> Open:
    """Open a page whose head holds the snippet and whose body holds the given HTML."""

    def visit(body: str = "", before: str = "", attributes: str = "", **headers: str) -> Page:
        tag = f'<script src="{recorder.ingest}/c/key.js" {attributes}></script>'
        html = f"<!doctype html><meta charset=utf-8><head>{before}{tag}</head><body>{body}</body>"
        page.goto(recorder.serve("page", html, **headers))
        return page

    return visit


@pytest.fixture
def screenshots(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where pictures of pages go: the folder CATCHWATER_SCREENSHOTS names, to be looked at, or a temporary one."""
    named = os.environ.get("CATCHWATER_SCREENSHOTS")
    folder = Path(named) if named else tmp_path_factory.mktemp("screenshots")
    folder.mkdir(parents=True, exist_ok=True)
    return folder
