from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

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


def clean() -> dict[str, str]:
    """Nothing of this checkout on the path, and none of the developer's settings."""
    return {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("PYTHON", "CATCHWATER_"))
    }


@pytest.fixture(scope="session")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel, built from this checkout."""
    folder = tmp_path_factory.mktemp("wheel")
    pip("wheel", "--no-deps", "--wheel-dir", str(folder), str(ROOT))
    (found,) = folder.glob("*.whl")
    return found


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


def pip(*arguments: str) -> None:
    command = [sys.executable, "-m", "pip", "--quiet", "--disable-pip-version-check", *arguments]
    done = subprocess.run(
        command, cwd="/", env=clean(), capture_output=True, text=True, timeout=500, check=False
    )
    assert done.returncode == 0, done.stderr[-3000:]
