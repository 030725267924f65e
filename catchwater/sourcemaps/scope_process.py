"""A process that reads functions off sources: what a hostile source does to it, it does to nothing
else. Started by `scope_reader`.

A question is a line of JSON and, if it says so, the source behind it; an answer is a line of JSON.
It ends with whoever asks.
"""

from __future__ import annotations

import resource
import sys
from typing import TYPE_CHECKING, Any

import orjson

from catchwater.sourcemaps.lru import LruCache
from catchwater.sourcemaps.scopes import TREE, Scopes

if TYPE_CHECKING:
    from typing import BinaryIO

MEMORY = 600 * 2**20
"""Bytes of address space: Python and the parser take 150 MB of it, the largest tree 24 MB."""

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
    """Until nobody asks any more."""
    trees: LruCache[Scopes] = LruCache(TREES)
    while line := questions.readline():
        question = orjson.loads(line)
        length = question["length"]
        source = None if length is None else questions.read(length)
        answers.write(orjson.dumps(answer(trees, question, source)) + b"\n")
        answers.flush()


def main() -> None:
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    serve(sys.stdin.buffer, sys.stdout.buffer)


if __name__ == "__main__":
    main()
