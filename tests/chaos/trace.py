"""Every commit of a run, read back from Redis's log and checked against tests/model.

The log has what each atomic step changed: entries that were added, delivered (as XCLAIM) and
acknowledged. So the model takes the same steps, and must come to the same.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import orjson

from catchwater.event import decode
from catchwater.streams import counters
from tests.model.counting import Model, Redis, World

Command = list[bytes]
_STREAM = re.compile(rb"cw:\{(\w+)\}:stream:(\w+)")

EMITTED_BY = {"unique": "dedupe", "counted": "count"}


class Trace:
    """The model, for every partition, as the log makes it go."""

    def __init__(self, model: Model | None = None) -> None:
        self.mistakes: list[str] = []
        self.commits = 0
        self._model = model or Model()
        self._partitions: dict[str, Redis] = defaultdict(Redis)
        self._issues: dict[tuple[str, str], Redis] = defaultdict(Redis)
        """For each partition and issue: the model counts one issue."""
        self._numbers: dict[tuple[str, str], dict[bytes, int]] = defaultdict(dict)
        """For each partition and stream: the number of an entry's id."""
        self._issue_of: dict[tuple[str, int], str] = {}

    def follow(self, log: Path) -> None:
        commits = {"dedupe": self._dedupe, "count": self._count, "sink": self._sink}
        for step in steps(log):
            added, acknowledged = self._read(step)
            for (tag, stage), ids in acknowledged.items():
                self.commits += 1
                commits[stage](tag, ids, added)
            for tag, stream, _ in added:
                if stream in EMITTED_BY and (tag, EMITTED_BY[stream]) not in acknowledged:
                    self._compare(f"{stream} of {tag}", "what is acknowledged", "what is not")

    def _read(
        self, step: list[Command]
    ) -> tuple[list[tuple[str, str, Command]], dict[tuple[str, str], list[int]]]:
        """What a step added, and what it acknowledged, by partition and stage."""
        added = []
        acknowledged: dict[tuple[str, str], list[int]] = defaultdict(list)
        for command in step:
            if not (at := _STREAM.fullmatch(command[1] if len(command) > 1 else b"")):
                continue
            tag, stream = at[1].decode(), at[2].decode()
            name, numbers = command[0].upper(), self._numbers[tag, stream]
            if name == b"XADD":
                numbers[command[2]] = len(numbers)
                added.append((tag, stream, command))
                self._added(tag, stream, command, len(numbers) - 1)
            elif name == b"XCLAIM":
                self._delivered(tag, command[2].decode(), numbers[command[5]])
            elif name == b"XACK" and command[2] != b"fingerprint":
                stage = (tag, command[2].decode())
                acknowledged[stage] += [numbers[entry] for entry in command[3:]]
        return added, acknowledged

    def _added(self, tag: str, stream: str, command: Command, number: int) -> None:
        event = dict(zip(command[3::2], command[4::2], strict=True))
        redis = self._partitions[tag]
        if stream == "named":
            self._partitions[tag] = replace(redis, raw=(*redis.raw, event[b"id"].decode()))
        if stream == "unique":
            self._issue_of[tag, number] = str(decode(event).facts.get("issue", ""))

    def _delivered(self, tag: str, stage: str, number: int) -> None:
        if stage == "fingerprint":
            return
        key = (tag, self._issue_of[tag, number]) if stage == "count" else tag
        states = self._issues if stage == "count" else self._partitions
        group = getattr(states[key], stage)
        states[key] = replace(
            states[key], **{stage: replace(group, pending=group.pending | {number})}
        )

    def _dedupe(self, tag: str, ids: list[int], added: list[tuple[str, str, Command]]) -> None:
        before = self._partitions[tag]
        after = self._model._deduped(World(redis=before), tuple(ids))
        found = [
            event[4].decode() for at, stream, event in added if (at, stream) == (tag, "unique")
        ]
        self._compare(f"dedupe {tag}", list(after.unique[len(before.unique) :]), found)
        self._partitions[tag] = after

    def _count(self, tag: str, ids: list[int], added: list[tuple[str, str, Command]]) -> None:
        by_issue: dict[str, list[int]] = defaultdict(list)
        for number in ids:
            by_issue[self._issue_of[tag, number]].append(number)
        by_issue.pop("", None)  # client reports: they end here and count no issue
        expected = {}
        for issue, its in by_issue.items():
            after = self._model._counted(World(redis=self._issues[tag, issue]), tuple(its))
            self._issues[tag, issue] = after
            expected[issue] = after.counted[-1]
        self._compare(f"count {tag}", expected, _tallied(tag, added))

    def _sink(self, tag: str, ids: list[int], added: list[tuple[str, str, Command]]) -> None:
        redis = self._partitions[tag]
        self._compare(f"sink {tag}", set(), set(ids) - redis.sink.pending)
        self._partitions[tag] = self._model._stored(World(redis=redis), tuple(ids))

    def _compare(self, place: str, expected: object, found: object) -> None:
        if expected != found:
            self.mistakes.append(
                f"commit {self.commits}, {place}: {expected} expected, {found} found"
            )


def _tallied(tag: str, added: list[tuple[str, str, Command]]) -> dict[str, tuple[int, int]]:
    """Part and N so far of each issue that this commit told of, in its month."""
    found = {}
    for at, stream, command in added:
        event = dict(zip(command[3::2], command[4::2], strict=True))
        if (at, stream, event[b"id"]) != (tag, "counted", b"-"):
            continue
        for bucket in orjson.loads(event[b"body"])["buckets"]:
            for field, n in bucket["values"].items():
                counter = counters.parse_field(field)
                if len(bucket["name"]) == 6 and counter.kind == "events":
                    found[counter.issue] = (int(bucket["generation"]), n)
    return found


def steps(log: Path) -> Iterator[list[Command]]:
    """The atomic steps of Redis's log: single commands, and what stands in MULTI and EXEC."""
    assert len(list(log.glob("*.incr.aof"))) == 1, f"the log was rewritten: {sorted(log.iterdir())}"
    (file,) = log.glob("*.incr.aof")
    step: list[Command] | None = None
    for command in _commands(file.read_bytes()):
        name = command[0].upper()
        if name == b"MULTI":
            step = []
        elif name == b"EXEC":
            yield step or []
            step = None
        elif step is None:
            yield [command]
        else:
            step.append(command)


def _commands(log: bytes) -> Iterator[Command]:
    at = 0
    while at < len(log):
        count, at = _number(log, at)
        command = []
        for _ in range(count):
            length, at = _number(log, at)
            command.append(log[at : at + length])
            at += length + 2
        yield command


def _number(log: bytes, at: int) -> tuple[int, int]:
    end = log.index(b"\r\n", at)
    return int(log[at + 1 : end]), end + 2
