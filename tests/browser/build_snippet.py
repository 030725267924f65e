"""Make ingest/snippet/built of the TypeScript beside it: run from the repository's root with
`python -m`.
"""

from __future__ import annotations

import gzip
import sys

from tests.browser.toolchain import BUILT, built


def main() -> None:
    BUILT.mkdir(exist_ok=True)
    for name, data in built().items():
        (BUILT / name).write_bytes(data)
        size = len(gzip.compress(data, 9))
        sys.stdout.write(f"{name}: {len(data)} bytes, {size} with gzip -9\n")


if __name__ == "__main__":
    main()
