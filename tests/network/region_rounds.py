"""Ingests of two regions write to one Redis Cluster, and a region is cut off: what it answers with
2xx is in its spool, and counted once after the network is whole again.

`make cluster` runs these: they need root, and a kernel that makes bridges.
"""

from __future__ import annotations

import json
import signal
import threading
import time
from collections.abc import Callable
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from itertools import count
from random import randbytes

import pytest

from catchwater.answers import Stored
from catchwater.config.streamdefs import load
from catchwater.redis_client import Connection
from catchwater.streams.consumer import prepare
from tests.ingest.conftest import KEY, made
from tests.network.regions import DOWN, UP, Network
from tests.pipelines import PIPELINE
from tests.servers.cluster import Cluster, started
from tests.servers.replicated import settled, stages
from tests.waiting import wait_until

EIGHT = PIPELINE.replace("partitions: 2", "partitions: 8").replace(
    "samples: 4/h", "samples: 99999/h"
)
"""Every event comes to the sink with its id."""

LONGER_S = 11
"""Twice as long as a socket of ingest waits for an answer, and more."""

WAIT_S = 90


class ClusterOnNetwork(Cluster):
    """Each node has an address of its own, which it tells the others and the clients."""

    def __init__(self, folder, network, replicas):
        super().__init__(folder, 3, replicas)
        self.addresses = [network.address(number) for number in range(len(self.nodes))]
        for node, address in zip(self.nodes, self.addresses, strict=True):
            listen = ("--bind", "127.0.0.1", address, "--protected-mode", "no")
            node.options = (*node.options, *listen, "--cluster-announce-ip", address)

    @property
    def url(self):
        at = zip(self.addresses, self.masters, strict=False)
        return f"redis+cluster://{','.join(f'{address}:{node.port}' for address, node in at)}"


class Posting:
    """Browsers of a region: each report is posted until it is accepted, in a thread."""

    def __init__(self, region, ingest, first, size=1):
        self.region, self.ingest, self.size = region, ingest, size
        self.accepted, self.refused, self.unanswered = [], 0, 0
        self._numbers = count(first)
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run)

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *_):
        self.stop()

    def stop(self):
        self._stopping.set()
        self._thread.join()

    def post(self, number):
        """Whether it was accepted."""
        report = {"id": f"{number:032x}", "message": "x", "stack": randbytes(self.size).hex()}
        with suppress(OSError), self.region.inside():
            status = self.ingest.post(f"/e/{KEY}", json.dumps(report)).status
            self.refused += status in (429, 503)  # its share of the spool, or all of it
            return status == 204
        self.unanswered += 1
        return False

    def spooled(self):
        with self.region.inside():
            return self.ingest.metric("catchwater_spooled_total")

    def _run(self):
        for number in self._numbers:
            while not self.post(number):
                self._stopping.wait(0.05)
            self.accepted.append(f"{number:032x}")
            if self._stopping.wait(0.005):
                return


class Inside:
    """What `settled` asks an ingest, from outside its region."""

    def __init__(self, postings):
        self.postings = postings

    def metric(self, name):
        found = 0.0
        for posting in self.postings:
            with posting.region.inside():
                found += posting.ingest.metric(name)
        return found


class World:
    """The cluster with all stages, and an ingest under load in each of two regions."""

    def __init__(self, folder, running, replicas=0, options=(), size=1):
        (folder / "defs.yaml").write_text(EIGHT)
        self.defs, self.ids = load(folder / "defs.yaml"), set()
        network = running.enter_context(Network())
        nodes = ClusterOnNetwork(folder / "nodes", network, replicas)
        self.cluster = running.enter_context(started(nodes))
        prepare(Connection(nodes.url), self.defs)
        running.enter_context(stages(nodes.url, self.defs, self.sink))
        self.east, self.west = (
            running.enter_context(self.posting(network, folder / name, first, options, size))
            for name, first in (("east", 0), ("west", 10**9))
        )
        wait_until(lambda: len(self.east.accepted) > 20, "east is at work", WAIT_S)
        wait_until(lambda: len(self.west.accepted) > 20, "west is at work", WAIT_S)

    def sink(self, events):
        self.ids |= {event.id for event in events if event.id != "-"}  # counters only
        return [Stored() for _ in events]

    @contextmanager
    def posting(self, network, folder, first, options, size):
        folder.mkdir()
        region = network.region()
        one = made(self.cluster.url, folder, *options, pipeline=EIGHT)
        with ExitStack() as running:
            running.push(one)
            with region.inside():
                one.ingest.start()
            yield running.enter_context(Posting(region, one.ingest, first, size))

    def post_in_both(self, numbers):
        """As a client does that moves from one region to the other."""
        for number in numbers:
            wait_until(lambda number=number: self.east.post(number), "east takes it", WAIT_S)
            wait_until(lambda number=number: self.west.post(number), "west takes it", WAIT_S)
        return {f"{number:032x}" for number in numbers}

    def has_counted(self, posting, first, number):
        """Whether so many of those that it accepted from its `first` on have come to the sink."""
        found = posting.accepted[first : first + number]
        return len(found) == number and set(found) <= self.ids

    def audited(self, accepted):
        """The audit, once the spools are empty and all is counted."""
        inside = Inside([self.east, self.west])
        return wait_until(
            lambda: settled(inside, self.cluster.url, self.defs, accepted), "all", WAIT_S
        )


def is_spooling(world):
    return world.east.spooled() > 20


def is_full(world):
    return world.east.refused > 2


def is_started_anew(world):
    """It is killed with events in its spool, and starts without the cluster."""
    wait_until(lambda: is_spooling(world), "events are in the spool", WAIT_S)
    ingest, before = world.east.ingest, len(world.east.accepted)
    with world.east.region.inside():
        ingest.stop(signal.SIGKILL)
        ingest.start()
    wait_until(lambda: len(world.east.accepted) > before + 20, "it goes on", WAIT_S)
    return True


@dataclass
class Cut:
    """What becomes of the eastern region, and what must have happened before it heals."""

    ways: tuple[str, ...] = (UP, DOWN)
    masters: int = 3
    replicas: int = 0
    options: tuple[str, ...] = ()
    size: int = 1
    struck: Callable[[World], bool] = is_spooling

    @property
    def is_whole(self):
        """Whether nothing at all comes through; else connections that are there may send."""
        return UP in self.ways and self.masters == 3

    def addresses(self, cluster):
        return cluster.addresses if self.masters == 3 else cluster.addresses[: self.masters]


CUTS = [
    pytest.param(Cut(), id="off"),
    pytest.param(Cut((DOWN,)), id="answers"),
    pytest.param(Cut((UP,), masters=1), id="one-master"),
    pytest.param(Cut(struck=is_started_anew), id="killed"),
    pytest.param(
        Cut(options=("--spool-bytes", "1000000"), size=40_000, struck=is_full), id="full-spool"
    ),
    pytest.param(Cut(replicas=3, options=("--wait-replicas", "1")), id="replicas"),
]


@pytest.mark.chaos
@pytest.mark.timeout(400)
@pytest.mark.parametrize("cut", CUTS)
def test_a_region_that_is_cut_off_spools_and_is_counted_once(tmp_path, cut):
    with ExitStack() as running:
        world = World(tmp_path, running, cut.replicas, cut.options, cut.size)
        east, west = world.east, world.west
        with east.region.cut(cut.addresses(world.cluster), *cut.ways):
            end, before = time.monotonic() + LONGER_S, len(west.accepted)
            wait_until(lambda: cut.struck(world), "the cut has struck", WAIT_S)
            both = (
                set() if cut.struck is is_full else world.post_in_both(range(10**12, 10**12 + 20))
            )
            wait_until(lambda: time.monotonic() > end, "sockets have given up", WAIT_S)
            wait_until(lambda: world.has_counted(west, before, 100), "west goes on", WAIT_S)
            waits = set(east.accepted[-10:])
            assert not cut.is_whole or not waits & world.ids, "nothing comes through"
        wait_until(lambda: waits <= world.ids, "east's spool is drained", WAIT_S)
        for posting in (east, west):
            posting.stop()
        accepted = both | {*east.accepted, *west.accepted}
        found = world.audited(len(accepted))
        assert world.ids == accepted
        assert found.counted == found.accepted - found.duplicates == len(accepted)
        assert (found.missing, found.dead, found.lost_by_redis, found.adds_up) == (0, 0, 0, True)
        assert found.duplicates >= len(both)
