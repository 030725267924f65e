"""0: done. 1: failed. 2: wrong arguments or configuration. And never a traceback."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest

from catchwater.commands.cli import commands
from catchwater.event import Event
from catchwater.local.servers import free_port
from tests.commands.conftest import Shell

ASKING = [["status"], ["dead", "list"], ["dead", "drop", "--all"]]


@pytest.fixture
def alone(shell: Shell) -> Shell:
    """Where no Redis answers."""
    shell.settings["CATCHWATER_REDIS_URL"] = f"redis://127.0.0.1:{free_port()}/0"
    return shell


@pytest.mark.parametrize("name", sorted(commands()))
def test_every_command_has_its_help(shell: Shell, name: str):
    shown = shell(name, "--help")
    assert shown.returncode == 0
    assert shown.stdout.startswith(f"Usage: python -m catchwater.commands.cli {name}")


def test_the_version_is_told(shell: Shell):
    shown = shell("--version")
    assert (shown.returncode, shown.stdout.split()[-1]) == (0, "0.1.0")


@pytest.mark.parametrize(
    "arguments",
    [
        ["frobnicate"],
        ["status", "--frobnicate"],
        ["stage", "no-such-stage"],
        ["ingest", "--port", "70000"],
        ["dead", "replay"],
        ["dead", "drop", "p0/1-1", "--all"],
        ["project", "add"],
        ["up", "--scale", "count=0"],
        ["check", "--streamdefs", "not-there.yaml"],
        ["status", "--streamdefs", "not-there.yaml"],
        ["project", "list", "--projects", "not-there.yaml"],
    ],
    ids=" ".join,
)
def test_wrong_arguments_end_with_2_and_a_sentence(shell: Shell, arguments: list[str]):
    found = shell(*arguments)
    assert (found.returncode, found.stdout) == (2, "")
    assert found.stderr


@pytest.mark.parametrize(
    "arguments",
    [
        ["issue", "show", "1:\udcff"],
        ["issue", "resolve", "--query", "user:\udcff"],
        ["issue", "list", "\udcff"],
        ["inspect", "\udcff"],
        ["export", "--user", "\udcff"],
        ["erase", "--user", "\udcff", "--yes"],
        ["project", "add", "\udcff"],
        ["release", "\udcff", "--project", "1"],
        ["token", "new", "--project", "\udcff"],
    ],
    ids=lambda them: ascii(" ".join(them)),
)
def test_bytes_that_are_no_text_end_with_a_sentence(
    shell: Shell, mongo_url: str, arguments: list[str]
):
    """A file or a terminal in another encoding has them."""
    shell.settings["CATCHWATER_MONGO_URL"] = mongo_url
    found = shell(*arguments)
    assert found.returncode in (0, 1, 2)
    assert found.stderr or found.returncode == 0


@pytest.mark.parametrize("arguments", ASKING, ids=" ".join)
def test_a_redis_that_is_away_ends_with_1_and_is_named(alone: Shell, arguments: list[str]):
    found = alone(*arguments)
    assert found.returncode == 1
    assert (
        alone.settings["CATCHWATER_REDIS_URL"].removeprefix("redis://").removesuffix("/0")
        in found.stderr
    )
    assert re.search(r"\w\. Is it running, and is the address right\?\n$", found.stderr)


def test_a_pipeline_that_is_mistaken_ends_with_2_and_every_mistake(
    shell: Shell, accept: Callable[[Event], None]
):
    path = shell.folder / "streamdefs.yaml"
    path.write_text(
        path.read_text().replace("reads: raw", "reads: row").replace("batch: 10", "batch: ten")
    )
    for command in (["check"], ["status"], ["stage", "count"], ["sink"]):
        found = shell(*command)
        assert found.returncode == 2
        assert "row" in found.stderr
        assert "batch" in found.stderr
