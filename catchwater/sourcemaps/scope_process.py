"""A process that reads functions off sources: what a hostile source does to it, it does to nothing
else. Started by `scope_reader`.

A question is a line of JSON and the source behind it; an answer is a line of JSON. It ends with
whoever asks.
"""

from __future__ import annotations

import resource
import signal
import sys
from typing import TYPE_CHECKING

import orjson

from catchwater.sourcemaps.scopes import read_functions

if TYPE_CHECKING:
    from typing import BinaryIO

MEMORY = 1200 * 2**20
"""Bytes of address space: Python and the parser take 150 MB of it; the tree of a source of 1.5 MB
24 MB, and what is found in one that is all functions 600 MB.
"""

FIRST_S = 0.5
EACH_BYTE_S = 3e-6
"""Seconds of CPU that an answer may take: real sources take 0.15 for each MB. Not seconds of a
clock, or a busy machine would cost real sources their names.
"""


def serve(questions: BinaryIO, answers: BinaryIO) -> None:
    """Until nobody asks any more, or an answer takes too long: SIGPROF ends the process then."""
    while line := questions.readline():
        question = orjson.loads(line)
        source = questions.read(question["length"])
        signal.setitimer(signal.ITIMER_PROF, FIRST_S + EACH_BYTE_S * len(source))
        table = read_functions(source, question["file"])
        answer = orjson.dumps(None if table is None else table.as_json())
        signal.setitimer(signal.ITIMER_PROF, 0)
        answers.write(answer + b"\n")
        answers.flush()


def main() -> None:
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    serve(sys.stdin.buffer, sys.stdout.buffer)


if __name__ == "__main__":
    main()
