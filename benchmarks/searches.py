"""How long a search takes among 100,000 issues: `python -m benchmarks.searches`.

Of words, of each filter, and of combinations; and by comparing every issue, in the same run: the
CPU time of MongoDB and of who asks, which other work on the machine does not lengthen, and the time
that passed.
"""

from __future__ import annotations

import random
import time
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import product
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pymongo

from benchmarks.day import started
from catchwater.config.streamdefs import Retention
from catchwater.issues import narrowing, words
from catchwater.issues.facets import facet
from catchwater.issues.search import SORTS, parse
from catchwater.issues.store import IssueStore
from catchwater.local.servers import MongoServer
from catchwater.streams.hyperloglog import digest
from sink.writer import MongoWriter

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

ISSUES = 100_000
NOW = datetime.now(UTC)
BROWSERS = {"Chrome": 60, "Safari": 18, "Firefox": 9, "Edge": 8, "Samsung Internet": 5}
SYSTEMS = {"Safari": ["iOS 19", "macOS 16"], "Samsung Internet": ["Android 16"]}
ANY_SYSTEM = ["Windows 11", "Windows 10", "Android 16", "Linux"]


class Vocabulary:
    """20,000 made-up words: a few are in very many issues, most in a few."""

    def __init__(self, seed: int) -> None:
        self.chance = random.Random(seed)
        letters = "abcdefghijklmnopqrstuvwxyz"
        self._words = [
            "".join(self.chance.choices(letters, k=self.chance.randint(3, 10)))
            for _ in range(20_000)
        ]

    def word(self) -> str:
        return self._words[self.place(len(self._words))]

    def place(self, most: int) -> int:
        """A number below `most`: a few come very often."""
        return min(most, int(self.chance.paretovariate(0.6))) - 1


def seen_in(vocabulary: Vocabulary) -> dict[str, Any]:
    """What one issue was seen in: most by few people, some by many."""
    chance, found, releases = vocabulary.chance, set(), []
    for _ in range(min(60, int(chance.paretovariate(0.7)))):
        (browser,) = chance.choices(list(BROWSERS), list(BROWSERS.values()))
        releases.append(f"shop@1.{299 - vocabulary.place(300)}.0")
        tags = {
            "browser": f"{browser} {156 - vocabulary.place(40)}",
            "os": chance.choice(SYSTEMS.get(browser, ANY_SYSTEM)),
            "release": releases[-1],
            "environment": "production" if chance.random() < 0.9 else "staging",
            "page": f"/{vocabulary.word()}",
            "tenant": f"t{vocabulary.place(500)}",
        }
        found |= {facet(name, value) for name, value in tags.items()}
    return {"facets": sorted(found), "first_release": min(releases)}


def issues(vocabulary: Vocabulary) -> Iterator[dict[str, Any]]:
    word, chance = vocabulary.word, vocabulary.chance
    for number in range(ISSUES):
        read = f"Cannot read properties of undefined (reading '{word()}') {word()} {word()}"
        called = f"{word()} {word()} {word()} is not a function"
        about = {"type": "TypeError", "message": chance.choice([read, called])}
        about["culprit"] = f"{word()}.js in {word()}{word().title()}"
        about["places"] = f"{word()} (src/{word()}.js)\n{word()} (src/{word()}.js)"
        last = NOW - timedelta(seconds=chance.random() * 8e6)
        yield (
            about
            | {
                "_id": f"{number % 20}:v1:{number:032x}",
                "project": str(number % 20),
                "level": "warning" if chance.random() < 0.04 else "error",
                "words": words.words_of(about),
                "last_seen": last,
                "first_seen": last - timedelta(seconds=chance.random() * 8e6),
                "count": chance.randint(1, 9_999),
                "users": chance.randint(1, 99),
                "trend": round(chance.gauss(0, 3)),
                "parts": {f"202611-p{part}-5eedbeef-1": 3 for part in range(8)},
                "u": dict.fromkeys(map(str, range(chance.randint(1, 40))), 2),
            }
            | seen_in(vocabulary)
        )


def texts(vocabulary: Vocabulary) -> Iterator[str]:
    """What people look for: a word, the beginning of one, a sentence, what is nowhere."""
    word = vocabulary.word
    for _ in range(30):
        yield from (word(), word()[:4], f"reading '{word()}'", f"project:3 {word()}")
        yield from (f"{word()} is not a function", f"zzqq{word()}", f"{word()}.js in")
    yield from ("undefined", "TypeError", "cannot read properties", "function")


def one_filter(vocabulary: Vocabulary, name: str) -> str:
    chance, place = vocabulary.chance, vocabulary.place
    browser = chance.choice(list(BROWSERS))
    return {
        "release": f"release:shop@1.{299 - place(300)}.0",
        "new-in": f"new-in:shop@1.{299 - place(300)}.0",
        "environment": f"environment:{chance.choice(['production', 'staging', 'none'])}",
        "browser": f'browser:"{browser.lower()} {chance.choice(["*", str(156 - place(40))])}"',
        "os": f'os:"{chance.choice([*ANY_SYSTEM, "iOS 19", "Windows*"])}"',
        "page": f"page:/{vocabulary.word()}",
        "level": f"level:{chance.choice(['warning', 'error', 'info'])}",
        "tag": f"tag.tenant:t{place(500)}",
        "user": f"user:u{chance.randint(0, 60_000)}",
        "since": f"since:{chance.choice(['1h', '24h', '7d', '30d'])}",
        "until": f"until:{chance.choice(['7d', '60d', '170d'])}",
        "new-since": f"new-since:{chance.choice(['24h', '7d'])}",
        "project": f"project:{chance.randint(0, 19)}",
        "is": f"is:{chance.choice(['unresolved', 'resolved'])}",
    }[name]


NAMES = (
    *("release", "new-in", "environment", "browser", "os", "page", "level", "tag", "user"),
    *("since", "until", "new-since", "project", "is"),
)


def combined(vocabulary: Vocabulary, count: int) -> str:
    return " ".join(one_filter(vocabulary, n) for n in vocabulary.chance.sample(NAMES, count))


def samples() -> Iterator[dict[str, Any]]:
    """One of each second issue, of 50,000 users."""
    for number in range(0, ISSUES, 2):
        issue = f"{number % 20}:v1:{number:032x}"
        yield {"_id": f"{number:032x}", "issue": issue, "user": digest(f"id:u{number}")}


class Clock:
    """What searches take of a server and of us, in milliseconds."""

    def __init__(self, url: str) -> None:
        with pymongo.MongoClient[dict[str, Any]](url) as client:
            pid = client.admin.command("serverStatus")["pid"]
        self._tasks = Path(f"/proc/{pid}/task")

    def cpu(self) -> float:
        """Of all threads that the server has, and of this process."""
        spent = 0
        for task in self._tasks.iterdir():
            with suppress(OSError):  # the thread has ended
                spent += int((task / "schedstat").read_text().split()[0])
        return spent / 1e6 + 1000 * time.process_time()


@dataclass(frozen=True)
class Searching:
    store: IssueStore
    clock: Clock

    def figures(self, asked: list[str], sorts: Sequence[str] = SORTS) -> str:
        spent, passed = [], []
        for query, sort in product(asked, sorts):
            cpu, began = self.clock.cpu(), time.perf_counter()
            self.store.find(parse(query), NOW, sort, 51)
            passed.append(1000 * (time.perf_counter() - began))
            spent.append(self.clock.cpu() - cpu)
        return f"CPU {_quantiles(spent)} | passed {_quantiles(passed)}"


def _quantiles(found: list[float]) -> str:
    found = sorted(found)
    p50, p95 = (found[int(share * len(found))] for share in (0.5, 0.95))
    return f"p50 {p50:6.1f} ms, p95 {p95:6.1f} ms, most {found[-1]:6.1f} ms"


def filled(url: str, vocabulary: Vocabulary) -> None:
    with closing(MongoWriter(url, Retention())) as writer:
        writer.prepare()
    with pymongo.MongoClient[dict[str, Any]](url) as client:
        client.catchwater.issues.insert_many(issues(vocabulary))
        client.catchwater.samples.insert_many(samples())


def print_figures(url: str, vocabulary: Vocabulary, times: int = 100) -> None:
    """Of so many searches with a word or several filters each, and fewer with a single one."""
    with closing(IssueStore(url)) as store:
        figures = Searching(store, Clock(url)).figures
        for sort in SORTS:
            lists = ["", *(f"project:{n}" for n in range(20))] * (times // 20)
            print(f"by {sort + ':':14} {figures(lists, [sort])}")
        asked = list(texts(vocabulary))[-2 * times :]
        print(f"words:            {figures(asked)}")
        for name in NAMES:
            each = [one_filter(vocabulary, name) for _ in range(times * 3 // 10)]
            print(f"{name + ':':17} {figures(each)}")
        for count in (2, 3, 4):
            several = [combined(vocabulary, count) for _ in range(times)]
            print(f"{count} filters:        {figures(several)}")
        mixed = [f"{vocabulary.word()} {combined(vocabulary, 1)}" for _ in range(times)]
        print(f"word and filter:  {figures(mixed)}")
        with as_if_no_index_knew_of_few():
            print(f"by every issue:   {figures(asked[::10])}")


@contextmanager
def as_if_no_index_knew_of_few() -> Iterator[None]:
    before = narrowing.FEW, narrowing.MANY
    narrowing.FEW = narrowing.MANY = 0
    try:
        yield
    finally:
        narrowing.FEW, narrowing.MANY = before


def main() -> None:
    vocabulary = Vocabulary(1)
    with started(MongoServer) as url:
        filled(url, vocabulary)
        print_figures(url, vocabulary)


if __name__ == "__main__":
    main()
