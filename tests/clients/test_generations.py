"""From a build to the function that was written, with the upload clients of every generation.

`make clients` tries all and writes docs/clients.md; each run of the tests tries three.
"""

from __future__ import annotations

import json
import re
import urllib.request
from typing import Any

import pytest

from tests.clients.page import ALL
from tests.clients.uploading import ADDRESS, EVERY, FEW, build_and_upload, thrown
from tests.sourcemaps.explained import named
from tests.sourcemaps.sentry import TOKEN

_FRAME = re.compile(r"at (?:(\S+) \()?(https:\S+):(\d+):(\d+)\)?")


def event(found: dict[str, Any], release: str, *, with_ids: bool) -> dict[str, Any]:
    """What Sentry's SDK sends of it."""
    frames = [
        {"function": name, "filename": file, "lineno": int(line), "colno": int(column)}
        for name, file, line, column in _FRAME.findall(found["stack"])
    ]
    value = {"type": "TypeError", "value": "m", "stacktrace": {"frames": frames[::-1]}}
    told = {"event_id": "0" * 32, "release": release, "exception": {"values": [value]}}
    if with_ids:
        told["debug_meta"] = {"images": [image(one) for one in found["ids"].values()]}
    return told


def image(debug_id: str) -> dict[str, str]:
    return {"type": "sourcemap", "code_file": ADDRESS, "debug_id": debug_id}


def first_frame(told: dict[str, Any], maps: Any) -> str:
    frame = named(told, maps, "sentry")["frames"][0]
    return f"{frame['function']} {frame['file'].rpartition('/')[2]}:{frame['line']}"


@pytest.mark.parametrize("way", ["directly", "through nginx"])
@pytest.mark.parametrize("client", EVERY if ALL else FEW)
def test_a_fault_of_a_build_that_it_uploaded_is_of_the_function_that_was_written(
    client, way, servers, maps, tmp_path, table
):
    row, release = table[client], f"{client} {way}".replace(" ", "-")
    script = build_and_upload(client, servers[way], tmp_path, release)
    maps.look()
    found = thrown(script)
    assert found["ids"], "the client put no debug id into the script"
    by_id = first_frame(event(found, "another", with_ids=True), maps)
    by_release = first_frame(event(found, release, with_ids=False), maps)
    row[way] = by_id
    row["by release"] = by_release
    assert by_id == "checkoutOrder shop.js:5"


def test_clients_that_come_through_nginx_are_told_to_upload_through_it(servers):
    url = servers["through nginx"].url + "api/0/organizations/any/chunk-upload/"
    asked = urllib.request.Request(url, headers={"Authorization": f"Bearer {TOKEN}"})
    with urllib.request.urlopen(asked, timeout=30) as answer:
        assert json.load(answer)["url"] == url
