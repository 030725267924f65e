"""The commands of README find the Catchwater that `up` runs, and say which one they speak of."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from catchwater.local.servers import RedisServer
from tests.sourcemaps.explained import simple
from tests.sourcemaps.sentry import TOKEN, Server, manifest, port_of, zipped
from tests.up_process import UpProcess, without_settings
from tests.waiting import wait_until

README = Path(__file__).parents[2] / "README.md"
EVENT = "c0ffee" + 26 * "0"


def readme_commands() -> list[str]:
    """What README says to call when something is wrong."""
    block = re.search(r"look here:\n\n```sh\n(.*?)```", README.read_text(), re.DOTALL)
    assert block
    return [line.partition("#")[0].strip() for line in block[1].splitlines()]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("box")


@pytest.fixture(scope="module")
def up(folder: Path) -> Iterator[UpProcess]:
    with UpProcess(folder) as process:
        yield process


def call(folder: Path, *arguments: str, **settings: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "catchwater.commands.cli", *arguments],
        cwd=folder,
        env=without_settings() | settings,
        capture_output=True,
        input="y\n",  # whoever erases is asked once more
        text=True,
        timeout=60,
        check=False,
    )


@pytest.mark.parametrize("line", readme_commands())
def test_a_command_of_readme_works_where_up_runs(line: str, folder: Path, up: UpProcess) -> None:
    (folder / "dist").mkdir(exist_ok=True)
    (folder / "dist/app.js").write_text("a()\n//# sourceMappingURL=app.js.map\n")
    (folder / "dist/app.js.map").write_text(
        '{"version":3,"sources":["a.ts"],"sourcesContent":["a()"],"names":[],"mappings":"AAAA"}'
    )
    (folder / "FILE").write_text('{"message": "boom", "type": "TypeError"}\n')
    for_ever = line.replace(" --watch", "").replace("tail named", "tail named --once")
    program, *arguments = shlex.split(for_ever.replace("EVENT_ID", EVENT))
    if EVENT in arguments:
        assert up.post({"id": EVENT, "type": "TypeError", "message": "boom"}) == 204
    assert program == "catchwater"
    done = call(folder, *arguments)
    assert done.returncode == 0, done.stderr
    assert done.stderr.splitlines()[0] == f"(the Catchwater in {up.data.resolve()})"


def test_builds_upload_their_maps_to_it(folder: Path, up: UpProcess) -> None:
    command = [sys.executable, "-m", "catchwater.commands.cli", "sourcemaps", "serve"]
    own = {"CATCHWATER_MAPS_TOKEN": TOKEN, "CATCHWATER_MAPS_PORT": "0"}
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(
            command, cwd=folder, env=without_settings() | own, stderr=log, stdout=log
        )
    try:
        server = Server(wait_until(lambda: port_of(folder / "log"), "it is open", 60), folder)
        told = manifest(app__js__map={"type": "source_map", "url": "~/box.js.map"})
        raw = zipped({"manifest.json": told, "app.js.map": simple()})
        assert server.bundle(raw, projects=["1"])[1]["state"] == "ok", server.log
    finally:
        process.terminate()
        assert process.wait(30) == 0
    assert f"the Catchwater in {up.data.resolve()}" in server.log
    assert "~/box.js" in call(folder, "sourcemaps", "list", "--project", "1").stdout


def test_a_project_that_is_added_can_send(folder: Path, up: UpProcess) -> None:
    number, key, _ = call(folder, "project", "add", "second").stdout.split()
    assert number == "2"
    assert key in (up.data / "projects.yaml").read_text()
    tags = call(folder, "snippet", "2")
    assert f"/c/{key}.js" in tags.stdout


def test_it_is_found_from_elsewhere_by_its_folder(tmp_path: Path, up: UpProcess) -> None:
    assert call(tmp_path, "status").returncode == 1
    for found in (
        call(tmp_path, "status", "--data", str(up.data)),
        call(tmp_path, "status", CATCHWATER_DATA=str(up.data)),
    ):
        assert found.returncode == 0, found.stderr
        assert "unaccounted for 0" in found.stdout


def test_a_setting_of_another_server_wins(folder: Path, up: UpProcess) -> None:
    assert up.pids()
    for done in (
        call(folder, "status", "--redis-url", "redis://127.0.0.1:1/0"),
        call(folder, "status", CATCHWATER_REDIS_URL="redis://127.0.0.1:1/0"),
    ):
        assert done.returncode == 1
        assert "127.0.0.1:1." in done.stderr
        assert "the Catchwater in" not in done.stderr


def test_a_folder_where_none_ever_ran_is_named(tmp_path: Path) -> None:
    done = call(tmp_path, "project", "list", "--data", "nothing")
    assert done.returncode == 2
    assert "no Catchwater has run in nothing" in done.stderr


def test_one_that_does_not_run_has_its_projects_still(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    projects = 'projects: [{id: "1", name: mine, key: "0123456789abcdef0123456789abcdef"}]'
    (tmp_path / "data/projects.yaml").write_text(projects)
    done = call(tmp_path, "project", "list")
    assert "mine" in done.stdout
    assert done.stderr == f"(the Catchwater in {tmp_path / 'data'}, which does not run)\n"
    (tmp_path / "projects.yaml").write_text(projects.replace("mine", "here"))
    assert "here" in call(tmp_path, "project", "list").stdout


def test_an_address_whose_password_up_was_given_is_asked_for(tmp_path: Path) -> None:
    server = RedisServer(tmp_path / "redis")
    server.start()
    address = server.url.replace("redis://", "redis://default:any@")
    try:
        with UpProcess(tmp_path, environment={"CATCHWATER_REDIS_URL": address}):
            done = call(tmp_path, "status")
            assert done.returncode == 2
            assert (
                "has a password that is not written down: set CATCHWATER_REDIS_URL" in done.stderr
            )
            assert call(tmp_path, "status", CATCHWATER_REDIS_URL=address).returncode == 0
    finally:
        server.stop()
