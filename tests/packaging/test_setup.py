"""What the system must have is looked for before anything is loaded, and said in one command."""

from __future__ import annotations

import shutil
import stat
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
NEEDS = """\
# for  missing if not there     package     why
run    library:libnowhere.so.1  libnowhere  the database
test   program:no-such-browser  browser-x   a browser
test   program:sh               dash        a shell, which is there
"""
ONLY_A_BROWSER = NEEDS.replace("libnowhere.so.1", "libc.so.6")


class Machine:
    """The setup's scripts with a list of packages of its own, and programs that only say what they
    were asked for.
    """

    def __init__(self, folder: Path, needs: str) -> None:
        self.folder, self.bin = folder, folder / "bin"
        self.setup = folder / "ops" / "setup"
        shutil.copytree(ROOT / "ops" / "setup", self.setup)
        shutil.copy(ROOT / "Makefile", folder)
        (self.setup / "system_packages.txt").write_text(needs)
        self.bin.mkdir()
        for name in (
            "sh",
            "ls",
            "grep",
            "dirname",
            "mktemp",
            "date",
            "sleep",
            "rm",
            "tail",
            "make",
        ):
            (self.bin / name).symlink_to(shutil.which(name) or f"/no-{name}")

    def fake(self, name: str, script: str) -> None:
        (self.bin / name).write_text(f"#!/bin/sh\n{script}\n")
        (self.bin / name).chmod(stat.S_IRWXU)

    def run(self, *command: str, **settings: str) -> tuple[int, str]:
        """Exit code, and all that it said."""
        done = subprocess.run(
            [self.bin / command[0], *command[1:]],
            env={"PATH": str(self.bin)} | settings,
            cwd=self.folder,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        return done.returncode, done.stdout + done.stderr

    def look(self, purpose: str, **settings: str) -> tuple[int, str]:
        return self.run("sh", str(self.setup / "system_packages"), purpose, **settings)


@pytest.fixture
def nobody(tmp_path: Path) -> Machine:
    """The machine of somebody without root and sudo."""
    machine = Machine(tmp_path, NEEDS)
    machine.fake("id", "echo 1000")
    return machine


def test_somebody_without_root_is_told_all_that_the_tests_need_in_one_command(nobody):
    code, said = nobody.look("test")
    assert code == 1
    assert "apt-get install -y libnowhere browser-x\n" in said
    assert "libnowhere: the database" in said
    assert "dash" not in said


def test_make_test_says_it_once_and_loads_nothing(nobody):
    nobody.fake("python3", "echo loading")
    code, said = nobody.run("make", "test")
    assert code == 2
    assert said.count("apt-get install") == 1
    assert "browser-x" in said
    assert "loading" not in said


@pytest.mark.parametrize("target", ["run", "test-fast", "check"])
def test_what_opens_no_browser_needs_none(nobody, target):
    code, said = nobody.run("make", target)
    assert code == 2
    assert "apt-get install -y libnowhere\n" in said


def test_without_what_only_some_tests_need_the_others_run(tmp_path):
    machine = Machine(tmp_path, ONLY_A_BROWSER)
    machine.fake("id", "echo 1000")
    code, said = machine.look("test")
    assert code == 0
    assert "apt-get install -y browser-x\n" in said
    assert "skipped" in said
    assert machine.look("test", CI="true")[0] == 1


@pytest.mark.parametrize(("user", "prefix"), [("0", ""), ("1000", "sudo ")])
def test_root_and_sudo_have_it_installed(tmp_path, user, prefix):
    machine = Machine(tmp_path, NEEDS)
    machine.fake("id", f"echo {user}")
    machine.fake("sudo", '[ "$*" = "-n true" ] || { echo "sudo $*" >>asked; }')
    machine.fake("apt-get", 'echo "apt-get $*" >>asked')
    code, said = machine.look("test")
    assert code == 0, said
    wanted = "apt-get install -y --no-install-recommends libnowhere browser-x"
    assert (tmp_path / "asked").read_text().splitlines()[-1] == prefix + wanted
