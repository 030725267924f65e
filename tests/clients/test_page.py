"""docs/clients.md is of the clients that `make clients` tries now."""

from __future__ import annotations

from tests.clients.apps import APPS, FEW_APPS
from tests.clients.old import OLD
from tests.clients.page import PAGE, names_of
from tests.clients.sdks import FEW_SDKS, SDKS
from tests.clients.uploading import DEPENDENCIES, EVERY, FEW


def test_the_page_has_a_row_for_each_client_and_no_other():
    assert names_of("uploads") == [DEPENDENCIES[name].removeprefix("npm:") for name in EVERY]
    assert names_of("apps") == [app.named()[0] for app in APPS.values()]
    assert names_of("sdks") == list(SDKS)
    assert all(f"| {text} |" in PAGE.read_text() for text in OLD.values())
    assert "failed" not in PAGE.read_text()


def test_what_each_run_tries_is_among_them():
    assert set(FEW) < set(EVERY)
    assert set(FEW_SDKS) < set(SDKS)
    assert set(FEW_APPS) < set(APPS)
