"""What a machine lacks: a test that needs it is skipped with the reason, and fails in CI."""

from __future__ import annotations

import os
import shutil
import subprocess
from typing import NoReturn

import pytest


def missing(what: str) -> NoReturn:
    """Skip the test because of that; fail it in CI, which has everything."""
    if os.environ.get("CI"):
        pytest.fail(what)
    pytest.skip(what)


def program(*names: str) -> str:
    """Where the first of these programs is that is installed."""
    path = f"{os.environ['PATH']}:/usr/sbin:/usr/local/sbin"
    found = next(filter(None, (shutil.which(name, path=path) for name in names)), None)
    return found or missing(f"{names[0]} is not installed: see ops/setup/system_packages.txt")


def node(least: int) -> None:
    """Debian's Node may be older than what a package needs."""
    said = subprocess.run(
        [program("node"), "--version"], capture_output=True, text=True, check=True
    )
    if int(said.stdout.strip().lstrip("v").partition(".")[0]) < least:
        missing(f"Node {least} or later is needed, not {said.stdout.strip()}")
