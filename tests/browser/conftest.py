"""A page in headless Chromium, and a recording server for it."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page

from tests.browser.recorder import Recorder
from tests.chromium import close

Open = Callable[..., Page]


@pytest.fixture
def page(chromium: Browser) -> Iterator[Page]:
    context = chromium.new_context(viewport={"width": 1280, "height": 900})
    yield context.new_page()
    close(context)


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
def own_errors(page: Page) -> list[str]:
    """What has gone wrong in the page itself, in Chromium's eyes."""
    errors: list[str] = []
    page.on("pageerror", lambda error: errors.append(error.message))
    return errors


@pytest.fixture
def screenshots(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where pictures of pages go: the folder CATCHWATER_SCREENSHOTS names, to be looked at, or
    a temporary one.
    """
    named = os.environ.get("CATCHWATER_SCREENSHOTS")
    folder = Path(named) if named else tmp_path_factory.mktemp("screenshots")
    folder.mkdir(parents=True, exist_ok=True)
    return folder
