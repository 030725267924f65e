"""How long a search takes among 100,000 issues: `python -m benchmarks.searches`.

By the index of words, and by comparing every issue, in the same run.
"""

from __future__ import annotations

import random
import tempfile
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pymongo

from catchwater.issues import words
from catchwater.issues.search import parse
from catchwater.issues.store import IssueStore
from catchwater.local.servers import MongoServer
from sink.indexes import INDEXES

if TYPE_CHECKING:
    from collections.abc import Iterator

ISSUES = 100_000
NOW = datetime.now(UTC)
SORTS = ("last_seen", "count")


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
        return self._words[min(len(self._words), int(self.chance.paretovariate(0.6))) - 1]


def issues(vocabulary: Vocabulary) -> Iterator[dict[str, Any]]:
    word, chance = vocabulary.word, vocabulary.chance
    for number in range(ISSUES):
        read = f"Cannot read properties of undefined (reading '{word()}') {word()} {word()}"
        called = f"{word()} {word()} {word()} is not a function"
        about = {"type": "TypeError", "message": chance.choice([read, called])}
        about["culprit"] = f"{word()}.js in {word()}{word().title()}"
        yield about | {
            "_id": f"{number % 20}:v1:{number:032x}",
            "project": str(number % 20),
            "words": words.words_of(about),
            "last_seen": NOW - timedelta(seconds=chance.random() * 8e6),
            "count": chance.randint(1, 9_999),
            "parts": {f"202611-p{part}-5eedbeef-1": 3 for part in range(8)},
            "u": dict.fromkeys(map(str, range(chance.randint(1, 40))), 2),
        }


def queries(vocabulary: Vocabulary) -> Iterator[str]:
    """What people look for: a word, the beginning of one, a sentence, what is nowhere."""
    word = vocabulary.word
    for _ in range(30):
        yield from (word(), word()[:4], f"reading '{word()}'", f"project:3 {word()}")
        yield from (f"{word()} is not a function", f"zzqq{word()}", f"{word()}.js in")
    yield from ("undefined", "TypeError", "cannot read properties", "function")


def figures(store: IssueStore, asked: list[str]) -> str:
    times = []
    for query in asked:
        for sort in SORTS:
            began = time.perf_counter()
            store.find(parse(query), NOW, sort, 51)
            times.append(1000 * (time.perf_counter() - began))
    times.sort()
    p50, p95 = (times[int(share * len(times))] for share in (0.5, 0.95))
    return f"p50 {p50:6.1f} ms, p95 {p95:6.1f} ms, most {times[-1]:6.1f} ms"


def main() -> None:
    vocabulary = Vocabulary(1)
    server = MongoServer(Path(tempfile.mkdtemp()))
    server.start()
    with pymongo.MongoClient[dict[str, Any]](server.url) as client:
        for name, fields in INDEXES:
            client.catchwater[name].create_index(fields)
        client.catchwater.issues.insert_many(issues(vocabulary))
    store, asked = IssueStore(server.url), list(queries(vocabulary))
    print(f"by the index:    {figures(store, asked)}")
    words.conditions = lambda _text: []  # as if there were no index
    print(f"by every issue:  {figures(store, asked[::10])}")
    store.close()
    server.stop()


if __name__ == "__main__":
    main()
