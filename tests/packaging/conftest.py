from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.wheels import built, clean, pip

ROOT = Path(__file__).parents[2]


@dataclass(frozen=True)
class Installed:
    """A fresh environment that has the wheel with one extra, and an empty folder to work in."""

    python: Path
    folder: Path

    def catchwater(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        return self._run(str(self.python.with_name("catchwater")), *arguments)

    def has(self, module: str) -> bool:
        code = f"import importlib.util, sys; sys.exit(importlib.util.find_spec({module!r}) is None)"
        return self._run(str(self.python), "-c", code).returncode == 0

    def _run(self, *command: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            command,
            cwd=self.folder,
            env=clean(),
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )


@pytest.fixture(scope="session")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel, built from this checkout."""
    return built(ROOT, tmp_path_factory.mktemp("wheel"))


@pytest.fixture(scope="session")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Installed]:
    """Makes the environment with one extra, once."""
    made: dict[str, Installed] = {}

    def install(extra: str) -> Installed:
        if extra not in made:
            folder = tmp_path_factory.mktemp(extra)
            subprocess.run(
                [sys.executable, "-m", "venv", "--without-pip", str(folder / "venv")],
                check=True,
                env=clean(),
            )
            python = folder / "venv/bin/python"
            pip(
                "--python",
                str(python),
                "install",
                "--no-compile",
                "-c",
                str(ROOT / "constraints.txt"),
                f"{wheel}[{extra}]",
            )
            (folder / "empty").mkdir()
            made[extra] = Installed(python, folder / "empty")
        return made[extra]

    return install
