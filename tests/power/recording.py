"""What a process did to its files, in order: strace's record, read back."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

CALLS = (
    "openat,write,pwrite64,writev,pwritev,ftruncate,fallocate,fsync,fdatasync,"
    "rename,renameat,renameat2,unlink,unlinkat,mkdir,mkdirat,lseek"
)


@dataclass(frozen=True)
class Operation:
    call: str
    began: float
    ended: float
    """Seconds since 1970."""
    arguments: str
    result: str


def strace(output: Path) -> list[str]:
    """What to put before a command line, so that `output` has all that it does to files."""
    program = shutil.which("strace")
    assert program, "strace is missing: apt-get install strace"
    return [
        program,
        "-f",
        "-ttt",
        "-T",
        "-y",
        "-xx",
        "-s",
        "20000000",
        "-e",
        f"trace={CALLS}",
        "-e",
        "signal=none",
        "-o",
        str(output),
    ]


_LINE = re.compile(r"^(\d+) +(\d+\.\d+) (.*)$")
_DONE = re.compile(r"^(\w+)\((.*)\) += (.*?) <(\d+\.\d+)>$")
_RESUMED = re.compile(r"^<\.\.\. (\w+) resumed>(.*)$")
_UNFINISHED = " <unfinished ...>"


def operations(output: Path) -> list[Operation]:
    """In the order in which they ended. Those that failed are left out."""
    found = [one for one in _parsed(output) if not one.result.startswith("-1")]
    return sorted(found, key=lambda one: one.ended)


def _parsed(output: Path) -> Iterator[Operation]:
    begun: dict[str, tuple[float, str]] = {}
    with output.open() as lines:
        for line in lines:
            if not (parts := _LINE.match(line)):
                continue
            thread, at, text = parts[1], float(parts[2]), parts[3]
            if text.endswith(_UNFINISHED):
                begun[thread] = at, text.removesuffix(_UNFINISHED)
                continue
            if resumed := _RESUMED.match(text):
                at, start = begun.pop(thread)
                text = start + resumed[2]
            if done := _DONE.match(text):
                yield Operation(done[1], at, at + float(done[4]), done[2], done[3])
