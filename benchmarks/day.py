"""A day of very many events, by the real functions: `python -m benchmarks.day`.

Which partition each goes to is drawn for a part of them; the rest is arithmetic. Prints how evenly
partitions and cluster nodes share the work, how large counters and documents become, and how many
cores each service needs.
"""

from __future__ import annotations

import math
import random
import re
import tempfile
from collections import Counter
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

import click

from benchmarks import documents
from benchmarks.state import state_figures
from catchwater.config.hash_slots import SLOTS, slot
from catchwater.config.streamdefs import StreamDefs, load
from catchwater.local.servers import MongoServer, RedisServer, Server
from catchwater.streams import keys, time_buckets

if TYPE_CHECKING:
    from collections.abc import Iterator

NOON = 1_763_899_200_000
DAY_S = 86_400
SKEW = 1.1
"""Of issues by their events (Zipf): the first has an eighth of all, of 5,000."""

CPU_S = {
    "ingest": 1.42,
    "fingerprint": 1.58,
    "dedupe": 0.26,
    "count": 0.37,
    "sink": 0.68,
    "Redis": 1.29,
    "MongoDB": 0.51,
}
"""CPU seconds for 10,000 events, as `python -m benchmarks` prints them: on 2026-11-28, on two cores
that had other work too, Python 3.11, appendfsync always, each post an event.
"""

BUSY = 0.6
"""Of a core, at most: beyond it queues grow."""

RATES = {"month": 30 * DAY_S, "day": DAY_S, "hour": 3600, "minute": 60}


def hour_shares() -> list[float]:
    """Of a day's events, by hour: quiet nights, busy evenings."""
    found = [1 + 0.8 * math.sin((hour - 14) / 24 * 2 * math.pi) for hour in range(24)]
    return [one / sum(found) for one in found]


def issue_shares(issues: int) -> list[float]:
    """Of all events, by issue, the most frequent first."""
    found = [1 / number**SKEW for number in range(1, issues + 1)]
    return [one / sum(found) for one in found]


def ids(kind: str, seed: int) -> Iterator[str]:
    """Ids of events, as clients make them: without end."""
    chance, now = random.Random(seed), NOON
    while True:
        now += 1
        if kind == "random":
            yield f"{chance.getrandbits(128):032x}"
        elif kind == "by time":
            yield f"{now:012x}{chance.getrandbits(80):020x}"
        else:
            yield f"{now:032x}"


KINDS = ("random", "by time", "one after the other")


def with_partitions(partitions: int) -> StreamDefs:
    return load().model_copy(update={"partitions": partitions})


def over_mean(shares: Counter[int], partitions: int) -> float:
    """How much more than the mean the largest share is: 0.1 is a tenth."""
    return max(shares.values()) * partitions / shares.total() - 1


def balance(defs: StreamDefs, drawn: int, kind: str, issues: int, seed: int = 1) -> list[float]:
    """How far the busiest partition is above the mean: of all events, and of those of the most
    frequent issue.
    """
    found = random.Random(seed).choices(range(issues), issue_shares(issues), k=drawn)
    everything, hottest = Counter[int](), Counter[int]()
    for issue, event_id in zip(found, islice(ids(kind, seed), drawn), strict=True):
        partition = defs.partition_of(event_id)
        everything[partition] += 1
        if issue == 0:
            hottest[partition] += 1
    return [over_mean(one, defs.partitions) for one in (everything, hottest)]


def expected_over_mean(events: float, partitions: int) -> float:
    """The same for so many events, if each partition is as likely: the largest of Gauss's."""
    return math.sqrt(2 * math.log(partitions) * (partitions - 1) / events)


def slots_of(defs: StreamDefs, tag: str) -> set[int]:
    """The slots of all kinds of keys that a partition has: one."""
    hour = time_buckets.hour(NOON)
    month = time_buckets.month(NOON)
    names = [
        *(keys.stream(tag, name) for name in defs.streams),
        *(of(tag) for of in (keys.dead, keys.ledger, keys.epoch)),
        *(of(tag, month) for of in (keys.generations, keys.generation, keys.sizes)),
        *(keys.tally(tag, bucket, documents.ISSUE) for bucket in (hour, month)),
        keys.marks(tag, "dedupe", 1),
        keys.added("ingest", tag),
    ]
    return {slot(re.findall(r"\{(.*?)\}", name)[0]) for name in names}


def by_node(defs: StreamDefs, nodes: int) -> Counter[int]:
    """How many partitions each master of a cluster has, if each has an equal range of slots."""
    found = Counter[int]()
    for tag in defs.tags:
        (one,) = slots_of(defs, tag)
        found[one * nodes // SLOTS] += 1
    return found


def counters_of_a_day(events: float, issues: int, partitions: int) -> int:
    """How many hashes of counters a day leaves, of an issue's hour in a partition: those that got
    at least one event.
    """

    def met(share: float) -> float:
        return partitions * (1 - math.exp(-events * share / partitions))

    hours = hour_shares()
    return round(sum(met(issue * hour) for issue in issue_shares(issues) for hour in hours))


def alive(events: float, issues: int, partitions: int) -> int:
    """How many of them Redis has at once: an hour's live for six after their last change."""
    return round(counters_of_a_day(events, issues, partitions) * 7 / 24)


def cores(events_a_second: float) -> dict[str, float]:
    return {name: events_a_second * seconds / 10_000 for name, seconds in CPU_S.items()}


@contextmanager
def started(kind: type[Server]) -> Iterator[str]:
    """The URL of a server of its own."""
    with tempfile.TemporaryDirectory() as name:
        server = kind(Path(name))
        server.start()
        try:
            yield server.url
        finally:
            server.stop()


def redis_sizes() -> dict[str, float]:
    """Bytes in Redis, measured on a server: of a mark, and of an issue's counters with tags."""
    with started(RedisServer) as url:
        mark, _, counted = state_figures(url)
    return {"mark": mark.value, "counters": counted.value}


def print_balance(drawn: int, events: int, issues: int) -> None:
    print(
        f"the busiest partition above the mean, of {drawn:,} events drawn; expected of {events:,}"
    )
    for partitions in (8, 16, 64):
        defs = with_partitions(partitions)
        for kind in KINDS:
            everything, hottest = balance(defs, drawn, kind, issues)
            print(
                f"  {partitions:>3} partitions, ids {kind:<20} {everything:7.2%}"
                f"   of the most frequent issue {hottest:7.2%}"
                f"   expected {expected_over_mean(events, partitions):.3%}"
            )
    print("partitions of each master of a cluster, and the busiest master above the mean")
    for partitions in (8, 16, 64):
        for nodes in (3, 4, 9):
            found = by_node(with_partitions(partitions), nodes)
            shares = sorted(found.values(), reverse=True)
            print(f"  {partitions:>3} on {nodes}: {shares}   {over_mean(found, nodes):.0%}")


def print_redis(events: int, issues: int, sizes: dict[str, float]) -> None:
    print(
        f"Redis: {sizes['mark']:.0f} bytes a mark,"
        f" {sizes['counters']:.0f} an issue's hour and month with four tags"
    )
    marks = events * 2 * sizes["mark"]
    print(f"  marks of 48 hours                {marks / 1e9:10.2f} GB")
    for partitions in (8, 16, 64):
        count = alive(events, issues, partitions)
        print(
            f"  counters, {issues:,} issues, {partitions:>3} partitions {count:>10,} hashes"
            f" {count * sizes['counters'] / 1e9:8.2f} GB at most"
        )


def print_documents(url: str) -> None:
    print(f"MongoDB: bytes of the largest documents; {documents.LARGEST:,} is the most")
    for partitions in (8, 16, 64):
        for months, epochs, tags, text in (
            (1, 1, documents.FEW_TAGS, "a month"),
            (7, 1, documents.FEW_TAGS, "half a year"),
            (24, 1, documents.FEW_TAGS, "two years"),
            (24, 5, documents.FEW_TAGS, "two years, Redis lost each week"),
            (1, 1, documents.TAGS, "a month, all tags that are counted"),
        ):
            found = documents.sizes(url, with_partitions(partitions).tags, months, epochs, tags)
            shown = "  ".join(f"{name} {size:>9,}" for name, size in found.items())
            print(f"  {partitions:>3} partitions, {text:<36} {shown}")


def print_cores(peak: float) -> None:
    print(f"cores for a million events, at a peak of {peak:g} times the mean")
    for name, seconds in RATES.items():
        rate = peak * 1e6 / seconds
        found = cores(rate)
        shown = "  ".join(f"{one} {n:.2g}" for one, n in found.items())
        masters = math.ceil(found["Redis"] / BUSY)
        print(
            f"  per {name:<7}{rate:>9,.0f}/s  {shown}  in all {sum(found.values()):.1f};"
            f" Redis masters {masters}"
        )


@click.command()
@click.option("--events", default=1_000_000_000, show_default=True, help="Events of the day.")
@click.option("--drawn", default=1_000_000, show_default=True, help="How many of them are drawn.")
@click.option("--issues", default=5_000, show_default=True, help="Issues they belong to.")
@click.option("--peak", default=3.0, show_default=True, help="The busiest moment, times the mean.")
def main(events: int, drawn: int, issues: int, peak: float) -> None:
    """Balance, sizes and cores of a day of so many events."""
    print_balance(min(drawn, events), events, issues)
    print_redis(events, issues, redis_sizes())
    with started(MongoServer) as url:
        print_documents(url)
    print_cores(peak)


if __name__ == "__main__":
    main()
