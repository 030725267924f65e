"""`make simulate SEEDS=n`: runs seeds until one of them is wrong, and prints which.

`python -m tests.simulation --seed K` runs that one again.
"""

from __future__ import annotations

import argparse
import secrets
import sys
import time

from tests.simulation.runs import run_everywhere


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=1000)
    parser.add_argument("--seed", type=int, help="run this one only")
    parser.add_argument("--grows", action="store_true", help="the partitions are doubled meanwhile")
    options = parser.parse_args()
    first = secrets.randbelow(10**9) if options.seed is None else options.seed
    seeds = range(first, first + (options.seeds if options.seed is None else 1))
    started = time.monotonic()
    wrong, seen = run_everywhere(seeds, grows=options.grows)
    if wrong:
        more = " --grows" if options.grows else ""
        print(f"{wrong}\nagain: python -m tests.simulation --seed {wrong.split()[1][:-1]}{more}")
        return 1
    seconds = time.monotonic() - started
    print(f"{len(seeds)} runs from seed {first} on, all exact, in {seconds:.0f} s")
    print("faults: " + ", ".join(f"{number} {kind}" for kind, number in sorted(seen.items())))
    return 0


if __name__ == "__main__":
    sys.exit(main())
