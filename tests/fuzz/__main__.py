"""Coverage-guided fuzzing of everything that reads what strangers send:

`python -m tests.fuzz TARGET --seconds N`.

libFuzzer mutates recorded reports and keeps what reaches new code. What it finds stays in the
folder `--findings`, to be tried again with `python -m tests.fuzz TARGET FILE`. A target may answer
what it likes; it must not raise, nor take longer than `--slow` seconds for one input of at most 100
kB.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path

import atheris

with atheris.instrument_imports(include=["catchwater", "ingest", "stages"]):
    from tests.fuzz.targets import SEEDS, TARGETS

LONGEST = 100_000
"""Bytes of one input."""


def main() -> None:
    parser = argparse.ArgumentParser(
        prog="python -m tests.fuzz", description=__doc__.partition("\n")[0]
    )
    parser.add_argument("target", choices=sorted(TARGETS))
    parser.add_argument(
        "file", nargs="*", help="inputs to try again, instead of looking for new ones"
    )
    parser.add_argument("--seconds", type=int, default=60)
    parser.add_argument("--slow", type=int, default=5)
    parser.add_argument("--findings", type=Path, default=Path("findings"))
    asked = parser.parse_args()
    asked.findings.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        for number, seed in enumerate(SEEDS[asked.target]()):
            (Path(folder) / str(number)).write_bytes(seed[:LONGEST])
        options = [
            f"-max_total_time={asked.seconds}",
            f"-max_len={LONGEST}",
            f"-timeout={asked.slow}",
        ]
        options += [
            f"-artifact_prefix={asked.findings}/",
            "-print_final_stats=1",
            "-rss_limit_mb=2000",
        ]
        atheris.Setup([sys.argv[0], *options, *(asked.file or [folder])], TARGETS[asked.target])
        atheris.Fuzz()


if __name__ == "__main__":
    main()
