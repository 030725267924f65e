"""Wheels built from a source tree, and pip as somebody has it who has no checkout."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path


def clean() -> dict[str, str]:
    """Nothing of this checkout on the path, and none of the developer's settings."""
    return {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("PYTHON", "CATCHWATER_"))
    }


def pip(*arguments: str) -> None:
    command = [sys.executable, "-m", "pip", "--quiet", "--disable-pip-version-check", *arguments]
    done = subprocess.run(
        command, cwd="/", env=clean(), capture_output=True, text=True, timeout=500, check=False
    )
    assert done.returncode == 0, done.stderr[-3000:]


def built(source: Path, folder: Path) -> Path:
    """The wheel of that source."""
    pip("wheel", "--no-deps", "--wheel-dir", str(folder), str(source))
    (found,) = folder.glob("*.whl")
    return found
