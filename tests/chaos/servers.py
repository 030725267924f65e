"""The servers of a run, as CATCHWATER_TEST_SERVERS names them: `cluster` is a Redis Cluster of
three masters with a replica each, `replicas` a replica set of three MongoDBs, `cluster,replicas`
both. Without it `catchwater up` has its own two.

They are run by a process of their own, which starts a node again that was killed: every second one
only after another one could take over.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import time
from contextlib import ExitStack, closing, suppress
from pathlib import Path
from typing import Any, Self

import pymongo
from pymongo.errors import PyMongoError

from catchwater import service
from catchwater.errors import CatchwaterError
from catchwater.local.servers import Server, die_with_parent
from catchwater.local.supervisor import ManagedProcess, Supervisor
from catchwater.redis_client import Connection, parse_info
from tests.servers.chosen import KNOWN
from tests.servers.cluster import PATIENT, cluster, masters_of
from tests.servers.replica_set import started as replica_set

ROOT = Path(__file__).parents[2]
LATE_S = 4
"""Seconds that a node stays away which others shall take over for."""

SETTLED = ("--auto-aof-rewrite-min-size", "64gb", *PATIENT)
"""Where nobody is killed, and the logs are read back."""


class ChosenServers:
    """The servers that the setting names, while the block lasts; nothing where it names none."""

    def __init__(self, folder: Path, names: frozenset[str], *, settled: bool = False) -> None:
        """`settled`: no node takes over for another, and no log is rewritten."""
        self.names = names
        self._folder = folder
        self._command = [sys.executable, "-m", "tests.chaos.servers", str(folder), *sorted(names)]
        self._command += ["--settled"] if settled else []
        self._urls: dict[str, str] = {}
        self._process: subprocess.Popen[str] | None = None

    def __enter__(self) -> Self:
        if self.names:
            self._folder.mkdir()
            with (self._folder / "err").open("w") as err:
                self._process = subprocess.Popen(
                    self._command,
                    stdout=subprocess.PIPE,
                    stderr=err,
                    text=True,
                    cwd=ROOT,
                    preexec_fn=die_with_parent,  # noqa: PLW1509 - no threads yet
                )
            assert self._process.stdout
            said = self._process.stdout.readline()
            assert said, (self._folder / "err").read_text()
            self._urls = json.loads(said)
        return self

    def __exit__(self, *_: object) -> None:
        if self._process:
            self._process.terminate()
            self._process.communicate(timeout=90)

    @property
    def options(self) -> list[str]:
        """For `catchwater up`."""
        return [part for name, url in self._urls.items() for part in (f"--{name}", url)]

    @property
    def environment(self) -> dict[str, str]:
        """A master's event outlives the master where its replica has it, too."""
        return {"CATCHWATER_WAIT_REPLICAS": "1"} if "cluster" in self.names else {}

    def pids(self) -> dict[str, int]:
        found = (self._folder / "run").glob("*.pid")
        return {path.stem: int(path.read_text()) for path in found}

    def elections(self) -> dict[str, int]:
        """How often a node took over since the servers began, of those that answer now."""
        asked = {"redis": _cluster_elections, "mongo": _set_elections}
        return {name: asked[name](url) for name, url in self._urls.items()}

    def logs(self) -> list[Path]:
        """The folders of the append-only files of Redis's masters, while nobody took over."""
        return sorted(self._folder.glob("cluster/master*/appendonlydir"))


def _cluster_elections(url: str) -> int:
    """The epoch goes up by one with each; masters begin with 1, 2 and 3."""
    return max(map(_epoch, masters_of(url))) - 3


def _epoch(url: str) -> int:
    """As the node knows it; 3, with which the cluster began, while it is away."""
    with suppress(CatchwaterError), closing(Connection(url, timeout_s=2)) as node:
        return int(parse_info(node.call("CLUSTER INFO"))["cluster_current_epoch"])
    return 3


def _set_elections(url: str) -> int:
    """The term goes up by one with each; the first one made the first primary."""
    with suppress(PyMongoError), pymongo.MongoClient[Any](url, timeoutMS=2000) as client:
        return int(client.admin.command("replSetGetStatus")["term"]) - 1
    return 0


def _managed(name: str, number: int, server: Server) -> ManagedProcess:
    """A server that was started already."""
    late = [] if number % 2 else ["sh", "-c", f'sleep {LATE_S}; exec "$0" "$@"']
    return ManagedProcess(
        f"{name}-{number + 1}",
        [*late, *server.command()],
        server.answers,
        popen=server._process,
        started=time.monotonic(),
    )


def run(folder: Path, names: list[str], *, settled: bool) -> None:
    """Start them, print their addresses as a line of JSON, and look after them until SIGTERM."""
    stopping, supervisor = service.stop_signal(), Supervisor(folder, print_err)
    with ExitStack() as running:
        urls: dict[str, str] = {}
        if "cluster" in names:
            options = SETTLED if settled else ()
            nodes = running.enter_context(cluster(folder / "cluster", 3, 3, *options))
            urls["redis"] = nodes.url
            supervisor.processes += [_managed("redis", *one) for one in enumerate(nodes.nodes)]
        if "replicas" in names:
            members = running.enter_context(replica_set(folder / "set"))
            urls["mongo"] = members.url
            each = enumerate(members.members.values())
            supervisor.processes += [_managed("mongo", *one) for one in each]
        running.callback(lambda: supervisor.stop(supervisor.processes))
        print(json.dumps(urls), flush=True)
        supervisor.watch(stopping)


def print_err(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("names", nargs="+", choices=sorted(KNOWN))
    parser.add_argument("--settled", action="store_true")
    found = parser.parse_args()
    run(found.folder, found.names, settled=found.settled)
