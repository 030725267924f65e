"""A process that reads functions off sources: what a hostile source does to it, it does to nothing
else. Started by `scope_reader`.

A question is a line of JSON and, if it says so, the source behind it; an answer is a line of JSON.
It ends with whoever asks.
"""

from __future__ import annotations

import resource
import signal
import sys
from typing import TYPE_CHECKING, Any

import orjson

from catchwater.sourcemaps.lru import LruCache
from catchwater.sourcemaps.scopes import LONGEST, TREE, Scopes

if TYPE_CHECKING:
    from typing import BinaryIO

MEMORY = 600 * 2**20
"""Bytes of address space: Python and the parser take 150 MB of it, the largest tree 24 MB."""

FIRST_S = 0.1
EACH_BYTE_S = 0.9e-6
"""Seconds of CPU that an answer may take: real sources of 1.4 MB take 0.25 to 0.5, those of 50 KB
0.02. Not seconds of a clock, or a busy machine would cost real sources their names.
"""

TREES = 8 * 2**20
"""Bytes of memory for the syntax trees of the sources that were looked at last."""


def answer(trees: LruCache[Scopes], question: dict[str, Any], source: bytes | None) -> Any:
    """The function at that place; None where the source was not sent and is not known any more."""
    key = question["key"]
    scopes = trees.get(key)
    if source is not None:
        scopes = Scopes(source, typescript=question["typescript"])
        trees.put(key, scopes, TREE * len(source))
    return None if scopes is None else scopes.function_at(question["row"], question["column"])


def serve(questions: BinaryIO, answers: BinaryIO) -> None:
    """Until nobody asks any more, or an answer takes too long: SIGPROF ends the process then."""
    trees: LruCache[Scopes] = LruCache(TREES)
    while line := questions.readline():
        question = orjson.loads(line)
        length = question["length"]
        source = None if length is None else questions.read(length)
        signal.setitimer(
            signal.ITIMER_PROF, FIRST_S + EACH_BYTE_S * (LONGEST if length is None else length)
        )
        found = answer(trees, question, source)
        signal.setitimer(signal.ITIMER_PROF, 0)
        answers.write(orjson.dumps(found) + b"\n")
        answers.flush()


def main() -> None:
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    serve(sys.stdin.buffer, sys.stdout.buffer)


if __name__ == "__main__":
    main()
