"""`make power`: cuts the power at random moments; what was confirmed before must be there.

Each subject is also run carelessly set: then losses must be found, or this could not find any.
"""

from __future__ import annotations

import argparse
import secrets
import sys
import tempfile
from pathlib import Path
from random import Random

from catchwater.errors import ServerStartError, SpoolFullError
from tests.power.disk import Disk
from tests.power.recording import Operation, operations
from tests.power.subjects import SUBJECTS, Subject


def lost_by_cuts(subject: Subject, random: Random, folder: Path) -> list[int]:
    """How many confirmed events each cut has lost."""
    first, last = subject.acknowledged[0][0], subject.acknowledged[-1][0]
    moments = sorted(random.uniform(first, last) for _ in range(subject.cuts))
    disk, done = Disk(subject.folder), operations(subject.record)
    return [lost_by(subject, disk, done, moment, random, folder) for moment in moments]


def lost_by(
    subject: Subject, disk: Disk, done: list[Operation], moment: float, random: Random, folder: Path
) -> int:
    while done and done[0].ended <= moment:
        disk.apply(done.pop(0))
    with tempfile.TemporaryDirectory(dir=folder) as image:
        for name, content in disk.image(random, in_order=subject.in_order).items():
            (Path(image) / name).parent.mkdir(parents=True, exist_ok=True)
            (Path(image) / name).write_bytes(content)
        confirmed = {identity for at, identity in subject.acknowledged if at < moment}
        try:
            found = subject.found(Path(image))
        except (SpoolFullError, ServerStartError):  # what is damaged counts as lost
            found = set()
        return len(confirmed - found)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seed", type=int, default=secrets.randbelow(10**9))
    parser.add_argument("--events", type=int, default=400)
    options = parser.parse_args()
    print(f"seed {options.seed}, {options.events} events each")
    wrong = 0
    for kind in SUBJECTS:
        for careless in (False, True):
            with tempfile.TemporaryDirectory() as folder:
                subject = kind(Path(folder), careless=careless)
                subject.run(options.events)
                lost = lost_by_cuts(subject, Random(options.seed), Path(folder))
            how = "carelessly set" if careless else "as it is"
            losses = sum(1 for n in lost if n)
            print(f"{kind.name}, {how}: {len(lost)} cuts, {losses} lost something", flush=True)
            wrong += (losses == 0) if careless else losses
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
