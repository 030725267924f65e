"""One run of the simulation: a seed decides what is posted, what happens when, and what goes wrong.

At the end everything works again and everything is drained. Then each event that was answered with
2xx must be counted exactly once, and each that was not, once or not at all.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from random import Random
from typing import Any
from unittest.mock import patch

from catchwater.config.streamdefs import StreamDefs
from catchwater.redis_client import Connection, as_mapping
from catchwater.streams import backlog, keys, loop
from catchwater.streams.consumer import prepare
from ingest import batching, reports, spool
from sink import writer
from tests.simulation import http
from tests.simulation.processes import IngestProcess, run_stage
from tests.simulation.scheduler import Scheduler, Task, VirtualFlag, VirtualTime
from tests.simulation.servers import SimulatedMongo, Weather, Wire

PIPELINE = """
partitions: 2
streams: {raw: {}, named: {}, unique: {}, counted: {}}
stages:
  fingerprint: {run: "stages.fingerprint:fingerprint", reads: raw, emits: named}
  dedupe: {run: "stages.dedupe:dedupe", reads: named, emits: unique, once_for: 24h}
  count: {run: "stages.count:count", reads: unique, emits: counted, samples: 100000000/h}
  sink: {run: sink, reads: counted}
defaults: {batch: 4, wait: 100ms, claim_after: 1s, tries: 100}
"""

EVENTS, CLIENTS, MOST_STEPS = 12, 3, 20_000
PLACES = ("checkout", "search", "profile")
"""Functions that fail: an issue each."""

Report = dict[str, Any]


@dataclass
class Verdict:
    """Empty sets and equal numbers, or something was lost or counted twice."""

    missing: set[str]
    unknown: set[str]
    counted: dict[str, Any]
    expected: dict[str, Any]
    seen: dict[str, int]
    """How often each kind of fault struck."""
    trace: int

    @property
    def exact(self) -> bool:
        return not self.missing and not self.unknown and self.counted == self.expected


class World:
    def __init__(
        self, seed: int, redis: Connection, wire: Wire, defs: StreamDefs, folder: Path
    ) -> None:
        """`redis` is a real one of the simulation's own: it is emptied. `folder` is empty."""
        self._random = Random(seed)
        self._scheduler = Scheduler(self._random)
        self._weather = Weather(self._random, self._scheduler, self._random.choice((0, 0.01, 0.03)))
        self._redis, self._wire = redis, wire
        self._defs, self._folder = defs, folder
        self._mongo = SimulatedMongo(self._weather)
        self._reports = [self._report(number) for number in range(EVENTS)]
        self._accepted: set[str] = set()
        self._sent: set[str] = set()
        self._clients: list[Task] = []
        self._stages: dict[str, tuple[Task, VirtualFlag]] = {}
        self._ingests: list[tuple[IngestProcess, Task]] = []
        self._falls_back = self._random.random() < 0.4
        self._posts_a_second = self._random.choice((2, 20, 200))
        self._calm = False

    def run(self) -> Verdict:
        with ExitStack() as stack:
            for one in self._patches():
                stack.enter_context(one)
            stack.callback(self._scheduler.end)
            self._change("FLUSHALL")
            prepare(self._redis, self._defs)
            self._start()
            self._scheduler.run(lambda: self._calm and self._is_drained(), MOST_STEPS)
        return self._verdict()

    def _patches(self) -> list[Any]:
        time = VirtualTime(self._scheduler)
        return [
            *(patch.object(module, "time", time) for module in (loop, backlog, batching, reports)),
            patch.object(loop, "uniform", self._random.uniform),
            patch.object(spool, "RESERVE_BYTES", 100),
            patch.object(writer.mongo_client, "connect", lambda _url: self._mongo),
        ]

    def _report(self, number: int) -> Report:
        place = PLACES[number % len(PLACES)]
        return {
            "id": f"{number:032x}",
            "type": "TypeError",
            "message": f"{place} is not a function",
            "stack": f"TypeError: {place}\n    at {place} (https://shop.example/app.js:1:{number})",
            "n": self._random.randint(1, 3),
            "user": {"id": f"u{number % 4}"},
            "tags": {"plan": f"p{number % 2}"},
        }

    # What runs ----------------------------------------------------------------------------------

    def _start(self) -> None:
        for stage in self._defs.stages:
            for number in (1, 2):
                self._start_stage(f"{stage}-{number}")
        self._ingests = [self._started_ingest() for _ in range(2)]
        posts = self._posts()
        for number in range(CLIENTS):
            mine = posts[number::CLIENTS]
            self._clients.append(self._scheduler.start("client", partial(self._client, mine)))
        self._scheduler.start("fate", self._fate)

    def _start_stage(self, name: str) -> None:
        flag = VirtualFlag(self._scheduler)
        stage = name.rpartition("-")[0]
        do = partial(run_stage, self._wire, self._defs, stage, name, self._weather, flag)
        self._stages[name] = self._scheduler.start(name, do), flag

    def _started_ingest(self) -> tuple[IngestProcess, Task]:
        process = IngestProcess(self._wire, self._defs, self._folder / "spool", self._weather)
        return process, self._scheduler.start("ingest", process.run)

    def _posts(self) -> list[list[Report]]:
        """Of one to three reports; some are in two posts."""
        every = self._reports + self._random.sample(self._reports, EVENTS // 4)
        self._random.shuffle(every)
        size = self._random.randint(1, 3)
        return [every[at : at + size] for at in range(0, len(every), size)]

    def _client(self, posts: list[list[Report]]) -> None:
        for post in posts:
            self._scheduler.pause(self._random.expovariate(self._posts_a_second))
            while not self._answered(post):
                if self._random.random() < 0.05:
                    break  # it gives up: counted once, or not at all
                self._scheduler.pause(self._random.uniform(0.1, 2))

    def _answered(self, post: list[Report]) -> bool:
        ids = {report["id"] for report in post}
        self._sent |= ids
        answers: list[bool] = []

        def done(*, taken: bool) -> None:
            answers.append(taken)
            if taken:
                self._accepted.update(ids)

        process, _ = self._random.choice(self._ingests)
        process.post(http.request(post), done)
        for _ in range(self._random.choice((1, 20, 20))):  # some do not wait for the answer
            self._scheduler.pause(0.1)
            if answers:
                return answers[0]
        return False

    # What goes wrong ----------------------------------------------------------------------------

    def _fate(self) -> None:
        strikes = self._strikes()
        for _ in range(self._random.randint(0, 12)):
            self._scheduler.pause(self._random.expovariate(3))
            self._random.choice(strikes)()
        while not all(client.ended for client in self._clients):
            self._scheduler.pause(0.05)  # what was posted last is still on its way
        if self._falls_back:
            self._fall_back()
        self._weather.clear()
        self._settle()
        self._calm = True

    def _strikes(self) -> list[Callable[[], None]]:
        strikes = [self._kill_stage, self._stop_stage, self._kill_ingest, self._forget_scripts]
        return strikes if self._falls_back else [*strikes, self._expire]

    def _settle(self) -> None:
        """What is left to do when nothing goes wrong any more."""

    def _kill_stage(self) -> None:
        name = self._random.choice(sorted(self._stages))
        self._weather.seen["kill"] += 1
        self._scheduler.kill(self._stages[name][0])
        self._scheduler.pause(self._random.expovariate(2))
        # A process that is started again has a name of its own or its old one, with its entries.
        self._start_stage(name)

    def _stop_stage(self) -> None:
        name = self._random.choice(sorted(self._stages))
        task, flag = self._stages[name]
        flag.set()
        while not task.ended:
            self._scheduler.pause(0.2)
        self._weather.seen["stop"] += 1
        self._start_stage(name)

    def _kill_ingest(self) -> None:
        number = self._random.randrange(len(self._ingests))
        self._weather.seen["kill of ingest"] += 1
        self._scheduler.kill(self._ingests[number][1])
        self._scheduler.pause(self._random.expovariate(2))
        self._ingests[number] = self._started_ingest()

    def _forget_scripts(self) -> None:
        self._redis.call("SCRIPT FLUSH")

    def _change(self, *command: Any) -> None:
        """Change what is in Redis, as none of the processes does."""
        self._redis.call(*command)
        self._wire.forget()

    def _expire(self) -> None:
        """Some counters expire, as they do 6 hours after their last change, and before them what
        says in which generation new ones begin.
        """
        found = sorted(self._redis.call("KEYS", "cw:*:tally:*"))
        if chosen := [key for key in found if self._random.random() < 0.5]:
            self._weather.seen["expiry"] += len(chosen)
            self._change("DEL", *self._redis.call("KEYS", "cw:*:part:*"), *chosen)

    def _fall_back(self) -> None:
        """Redis comes back in an earlier state, to which everything had been added already.

        What was added since would be lost, as docs/guarantees.md says, and is not tried here.
        """
        for _, task in self._ingests:
            self._scheduler.kill(task)
        if self._spooled() == 0:
            self._copy(self._redis, 0, 1)
            for _ in range(self._random.randint(1, 10)):
                self._scheduler.pause(self._random.expovariate(2))
            self._copy(self._redis, 1, 0)
            self._weather.seen["fall-back"] += 1
        self._ingests = [self._started_ingest() for _ in self._ingests]

    def _copy(self, redis: Connection, source: int, target: int) -> None:
        """Everything in one database to another; streams with their groups."""
        redis.calls([("SELECT", target), ("FLUSHDB",), ("SELECT", source)])
        names = redis.call("KEYS", "*")
        redis.calls([("COPY", name, name, "DB", target) for name in names] + [("SELECT", 0)])
        self._wire.forget()

    # The end ------------------------------------------------------------------------------------

    def _spooled(self) -> int:
        one = spool.Spool(self._folder / "spool", 10**8)
        try:
            return one.depth()
        finally:
            one.close()

    def _is_drained(self) -> bool:
        if self._scheduler.steps % 50 or any(not client.ended for client in self._clients):
            return False
        return self._spooled() == 0 and all(map(self._is_read, self._defs.stages))

    def _is_read(self, stage: str) -> bool:
        for tag in self._defs.tags:
            name = keys.stream(tag, self._defs.stages[stage].reads)
            last = as_mapping(self._redis.call("XINFO STREAM", name))[b"last-generated-id"]
            for flat in self._redis.call("XINFO GROUPS", name):
                group = as_mapping(flat)
                if group[b"pending"] or group[b"last-delivered-id"] != last:
                    return False
        return True

    def _verdict(self) -> Verdict:
        stored = set(self._mongo["catchwater"].samples.documents)
        expected: Counter[str] = Counter()
        for report in self._reports:
            if report["id"] in stored:
                for kind in ("issues", "hours", "tags"):
                    expected[f"{kind} {report['message']}"] += report["n"]
        return Verdict(
            self._accepted - stored,
            stored - self._sent,
            dict(self._counted()),
            dict(expected),
            dict(self._weather.seen),
            self._scheduler.trace,
        )

    def _counted(self) -> Counter[str]:
        """What MongoDB says of each issue, three times over; an issue is told by its message."""
        counted: Counter[str] = Counter()
        database = self._mongo["catchwater"]
        messages = {name: one["message"] for name, one in database.issues.documents.items()}
        for kind in ("issues", "hours", "tags"):
            for name, document in database[kind].documents.items():
                message = messages.get(":".join(name.split(":")[:3]), name)
                counted[f"{kind} {message}"] += _total(kind, document)
        return +counted


def _total(kind: str, document: dict[str, Any]) -> int:
    """The events in a document: every counter of it, from each of its parts."""
    if kind == "tags":
        parts = list(document["values"]["plan"].values())
    else:
        parts = [document.get(name, {}) for name in ("parts", "more")]
    return sum(n for one in parts for n in one.values())
