"""Puts events into a spool and prints the id of each that it has."""

from __future__ import annotations

import sys
from pathlib import Path

from catchwater.event import Event
from ingest.spool import Spool


def main(folder: str, events: str, *how: str) -> None:
    spool = Spool(Path(folder), 10**9)
    if how:
        assert spool._database
        spool._database.execute("PRAGMA synchronous=OFF")
    for number in range(int(events)):
        body = b'"%s"' % (b"x" * (number * 37 % 5000))
        spool.put([Event(f"{number:032x}", "1", 1, "snippet", body)])
        print(f"{number:032x}", flush=True)
    spool.close()


main(*sys.argv[1:])
