"""The same with clients from before debug ids: their frames are found by release and path."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.clients import old
from tests.clients.page import ALL, Table, write_old
from tests.clients.test_generations import event, first_frame
from tests.clients.uploading import thrown

pytestmark = pytest.mark.timeout(600)


@pytest.fixture(scope="module")
def binary(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return old.program(tmp_path_factory.mktemp("pypi"))


@pytest.fixture(scope="module")
def table() -> Iterator[Table]:
    found: Table = {client: {} for client in old.OLD}
    yield found
    if ALL and all(found.values()):
        write_old(found)


@pytest.mark.parametrize("way", ["directly", "through nginx"])
@pytest.mark.parametrize("client", old.OLD)
def test_a_fault_of_a_build_that_an_old_client_uploaded_is_of_the_function_that_was_written(
    client, way, binary, servers, maps, tmp_path, table
):
    release = f"{client} {way}".replace(" ", "-")
    script = old.build_and_upload(client, binary, servers[way], tmp_path, release)
    maps.look()
    found = first_frame(event(thrown(script), release, with_ids=False), maps)
    table[client] = {
        "bundler": "webpack" if client == old.PLUGIN else "esbuild",
        "frame": f"`{found}`",
    }
    assert found == "checkoutOrder shop.js:5"
