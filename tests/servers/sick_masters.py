"""Ways in which a master of a Redis Cluster is sick, and what the others have meanwhile."""

from __future__ import annotations

import os
import signal
from collections import Counter
from contextlib import contextmanager

from catchwater.config import hash_slots
from catchwater.redis_client import Connection
from catchwater.streams import keys
from tests.servers.replicated import post

WAIT_S = 90


def master_of(tag):
    """Which of three masters has a partition, in a cluster whose slots have not moved."""
    return hash_slots.slot(tag) * 3 // hash_slots.SLOTS


class Healthy:
    """What the masters say that are not sick."""

    def __init__(self, url, defs, sick):
        self._connection, self._defs = Connection(url), defs
        self._tags = [tag for tag in defs.tags if master_of(tag) != sick]

    def add(self, tag):
        self._tags.append(tag)

    def has(self, number):
        tag = self._defs.tags[self._defs.partition_of(f"{number:032x}")]
        return tag in self._tags

    def done(self):
        """How many entries each stage has committed."""
        found = Counter()
        for tag in self._tags:
            flat = self._connection.call("HGETALL", keys.ledger(tag))
            for name, n in zip(flat[::2], flat[1::2], strict=True):
                stage, _, what = name.decode().partition(":")
                found[stage] += int(n) if what == "done" else 0
        return found

    def waiting(self, name="counted"):
        """How many entries are in a stream: of the sink's, what it has committed is trimmed."""
        streams = [keys.stream(tag, name) for tag in self._tags]
        return sum(self._connection.calls([("XLEN", stream) for stream in streams]))

    def close(self):
        self._connection.close()


@contextmanager
def frozen(node):
    os.kill(node.pid, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(node.pid, signal.SIGCONT)


@contextmanager
def refusing(node):
    node.call("CONFIG", "SET", "min-replicas-to-write", "3")
    try:
        yield
    finally:
        node.call("CONFIG", "SET", "min-replicas-to-write", "0")


@contextmanager
def gone(node):
    node.kill()
    try:
        yield
    finally:
        node.start()


def sent(ingest, numbers):
    """How many were accepted."""
    return sum(post(ingest, number) for number in numbers)
