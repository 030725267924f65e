"""A short run of each fuzzer; `make fuzz` runs them for longer."""

from __future__ import annotations

import re
import subprocess
import sys

import pytest

TARGETS = ("event", "report", "stack", "post")
SECONDS = 8


@pytest.mark.parametrize("target", TARGETS)
def test_nothing_a_stranger_sends_raises_or_takes_long(target: str, tmp_path, figures) -> None:
    pytest.importorskip("atheris", reason="atheris has wheels for Linux on x86_64 only")
    command = [
        sys.executable,
        "-m",
        "tests.fuzz",
        target,
        "--seconds",
        str(SECONDS),
        "--findings",
        str(tmp_path),
    ]
    done = subprocess.run(command, capture_output=True, text=True, timeout=100, check=False)
    found = {path.name: path.read_bytes()[:2000] for path in tmp_path.iterdir()}
    assert (done.returncode, found) == (0, {}), done.stderr[-3000:]
    runs = int(re.findall(r"Done (\d+) runs", done.stderr)[0])
    figures(f"fuzz {target}: {runs:,} inputs in {SECONDS} s, nothing found")
    assert runs > 500
