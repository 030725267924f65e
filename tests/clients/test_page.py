"""docs/clients.md is of the clients that `make clients` tries now."""

from __future__ import annotations

import re

from tests.clients.page import PAGE
from tests.clients.uploading import DEPENDENCIES, EVERY, FEW


def test_the_page_has_a_row_for_each_client_and_no_other():
    rows = re.findall(r"^\| `([^`]+)` \| .* \|$", PAGE.read_text(), re.MULTILINE)
    assert rows == [DEPENDENCIES[name].removeprefix("npm:") for name in EVERY]
    assert "failed" not in PAGE.read_text()


def test_what_each_run_tries_is_among_them():
    assert set(FEW) < set(EVERY)
