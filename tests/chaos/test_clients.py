"""Clients that give up: each post is sent once, and some connections are cut before the answer."""

from __future__ import annotations

import json
import socket
from collections import Counter
from pathlib import Path

import pymongo
import pytest

from tests.chaos.system import ChaosSystem
from tests.waiting import wait_until

ROOT = Path(__file__).parents[2]
POSTS = 600
ANSWERED, UNANSWERED, HALF = "answered", "whole, then cut", "half, then cut"


def post(system: ChaosSystem, number: int, how: str) -> bool:
    """Whether it was answered with 2xx."""
    body = json.dumps({"id": f"{number:032x}", "type": "Error", "message": how}).encode()
    head = f"POST /e/{system.key} HTTP/1.1\r\nHost: x\r\nContent-Length: {len(body)}\r\n\r\n"
    with socket.create_connection(("127.0.0.1", system.ports["ingest"]), timeout=20) as client:
        client.sendall(head.encode() + (body[: len(body) // 2] if how == HALF else body))
        return how == ANSWERED and client.recv(100).startswith(b"HTTP/1.1 204")


def stored(system: ChaosSystem) -> Counter[str]:
    """How often each id is stored."""
    with pymongo.MongoClient(system.ports["mongo_url"]) as client:
        return Counter(one["_id"] for one in client.catchwater.samples.find({}, {"_id": 1}))


@pytest.mark.chaos
def test_an_unanswered_post_counts_once_or_not_at_all(tmp_path: Path) -> None:
    kinds = (ANSWERED, UNANSWERED, HALF)
    sent = {f"{n:032x}": kinds[n % 3] for n in range(POSTS)}
    with ChaosSystem(tmp_path, ROOT) as system:
        answered = [
            identity for n, (identity, how) in enumerate(sent.items()) if post(system, n, how)
        ]
        wait_until(system.drained, "everything that was accepted has reached its end", timeout=60)
        ids = stored(system)
        counted = system.counted()
    assert len(answered) == POSTS / 3
    assert set(answered) <= set(ids)
    assert {sent[identity] for identity in ids} <= {ANSWERED, UNANSWERED}
    assert set(ids.values()) == {1}
    assert counted == len(ids)
