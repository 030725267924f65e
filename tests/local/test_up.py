"""`catchwater up` as a stranger runs it: real processes, real servers, one folder."""

from __future__ import annotations

import os
import re
import resource
import signal
import socket
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import unquote
from urllib.request import Request, urlopen

import pytest

from catchwater.errors import UnavailableError
from catchwater.local.memory import machine_memory, redis_memory
from catchwater.local.servers import free_port
from catchwater.redis_client import Connection
from tests.up_process import FREE_PORTS, UpProcess
from tests.waiting import wait_until

NAMES = {
    "redis",
    "mongo",
    "fingerprint-1",
    "fingerprint-2",
    "dedupe-1",
    "count-1",
    "sink-1",
    "ingest-1",
    "dashboard-1",
    "demo-1",
}
FREE = list(FREE_PORTS)


@pytest.fixture(scope="module")
def up(tmp_path_factory: pytest.TempPathFactory) -> Iterator[UpProcess]:
    with UpProcess(tmp_path_factory.mktemp("up"), "--scale", "fingerprint=2") as one:
        yield one
        assert one.stop() == 0, one.said


def test_every_service_is_a_process_of_its_own_with_a_pid_file(up: UpProcess) -> None:
    pids = up.pids()
    assert set(pids) == NAMES
    assert len(set(pids.values())) == len(NAMES)
    assert all(alive(pid) for pid in pids.values())


@pytest.mark.parametrize("page", ["dashboard", "demo page"])
def test_the_pages_it_names_are_there(up: UpProcess, page: str) -> None:
    wait_until(
        lambda: answers(up.address(page)),
        f"the {page} answers: another test may just have killed it",
    )


def test_without_the_demo_page_there_is_no_process_and_no_word_of_it(tmp_path: Path) -> None:
    taken = free_port()
    with socket.create_server(("127.0.0.1", taken)):
        options = ("--ingest-port", "0", "--dashboard-port", "0", "--demo-port", str(taken))
        with UpProcess(tmp_path, *options, "--no-demo", "--small") as up:
            assert "demo-1" not in up.pids()
            assert {"ingest-1", "dashboard-1", "count-1", "sink-1"} <= set(up.pids())
            assert "demo page" not in up.said
            assert "demo-1" not in up.said
            page = Request(up.address("dashboard"), headers={"Accept": "text/html"})
            with urlopen(page) as answer:
                shown = answer.read().decode()
            assert "No error has been caught yet" in shown
            assert "demo page" not in shown
            assert up.stop() == 0, up.said


def test_the_script_tag_and_the_dsn_bear_the_key_of_the_first_project(up: UpProcess) -> None:
    key = re.findall(r"key: *['\"]?([0-9a-f]{32})\b", (up.data / "projects.yaml").read_text())[0]
    assert f"/c/{key}.js" in up.address("script tag")
    assert re.fullmatch(rf"http://{key}@127\.0\.0\.1:\d+/\w+", up.address("DSN"))


def test_a_second_one_on_the_same_folder_is_refused(up: UpProcess, tmp_path: Path) -> None:
    second = UpProcess(tmp_path, "--data", str(up.data))
    assert "runs on" in second.refused()
    assert "choose another folder with --data" in second.said
    assert all(alive(pid) for pid in up.pids().values())


@pytest.mark.chaos
@pytest.mark.parametrize("name", sorted(NAMES))
def test_what_is_killed_is_started_again(up: UpProcess, name: str) -> None:
    old = up.pids()[name]
    os.kill(old, signal.SIGKILL)
    new = wait_until(
        lambda: (pid := up.pids()[name]) != old and pid, f"{name} has a new process", timeout=40
    )
    assert alive(new)
    assert f"{name} ended" in up.said


@pytest.mark.chaos
def test_a_stop_and_a_start_find_everything_again(tmp_path: Path) -> None:
    one = UpProcess(tmp_path)
    one.start()
    key = (one.data / "projects.yaml").read_text()
    assert {one.post(report(number)) for number in range(20)} <= {200, 202, 204}
    pids = one.pids()
    assert one.stop(signal.SIGTERM) == 0, one.said
    assert not [name for name, pid in pids.items() if alive(pid)]
    assert one.pids() == {}
    one.start()
    wait_until(lambda: one.counted() == 20, "the errors of the first run are shown")
    assert (one.data / "projects.yaml").read_text() == key
    assert one.stop() == 0, one.said


def test_a_folder_whose_name_is_long_and_odd_works(tmp_path: Path) -> None:
    """Longer than the path of a socket may be, with what addresses and servers read as something
    else.
    """
    data = tmp_path / "a %41 b's #1 ü?" / ("deep/" * 20)
    one = UpProcess(tmp_path, "--data", str(data))
    one.data = data
    one.start()
    sockets = Path(unquote(one.ports["redis_url"].removeprefix("unix://").partition("?")[0])).parent
    assert one.post(report(1)) < 300
    wait_until(lambda: one.counted() == 1, "the error is counted")
    assert sockets.stat().st_mode & 0o077 == 0
    assert one.stop() == 0, one.said
    assert not sockets.exists()


def test_a_folder_whose_name_is_odd_works(tmp_path: Path) -> None:
    one = UpProcess(tmp_path, "--data", str(tmp_path / "a %41 'b #1 ü?@"))
    one.data = tmp_path / "a %41 'b #1 ü?@"
    one.start()
    assert one.post(report(1)) < 300
    wait_until(lambda: one.counted() == 1, "the error is counted")
    assert one.stop() == 0, one.said


@pytest.mark.chaos
def test_its_children_die_with_it(tmp_path: Path) -> None:
    one = UpProcess(tmp_path)
    one.start()
    pids = one.pids()
    one.stop(signal.SIGKILL)
    wait_until(lambda: not [name for name, pid in pids.items() if alive(pid)], "no child is left")
    one.start()
    assert one.stop() == 0, one.said


def test_servers_that_are_given_are_used(redis_url: str, mongo_url: str, tmp_path: Path) -> None:
    one = UpProcess(tmp_path, "--redis", redis_url, "--mongo", mongo_url)
    one.start()
    assert not {"redis", "mongo"} & set(one.pids())
    assert one.stop() == 0, one.said


@pytest.mark.parametrize("name", ["ingest", "dashboard", "demo"])
def test_a_taken_port_is_named_with_what_to_do(name: str, tmp_path: Path) -> None:
    with socket.socket() as squatter:
        squatter.bind(("127.0.0.1", 0))
        squatter.listen()
        port = str(squatter.getsockname()[1])
        options = [
            *FREE[: FREE.index(f"--{name}-port") + 1],
            port,
            *FREE[FREE.index(f"--{name}-port") + 2 :],
        ]
        said = UpProcess(tmp_path, *options).refused()
    assert f"port {port} is taken: stop what uses it, or choose another with --{name}-port" in said


def test_a_folder_that_cannot_be_used_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    said = UpProcess(tmp_path, "--data", str(tmp_path / "file" / "data")).refused()
    assert "file/data cannot be used: Not a directory; choose another folder with --data" in said


@pytest.mark.parametrize("scale", ["fingerprint", "fingerprint=0", "nothing=2", "sink=x"])
def test_a_wrong_scale_is_refused_before_anything_starts(scale: str, tmp_path: Path) -> None:
    one = UpProcess(tmp_path, "--scale", scale)
    one.run()
    assert one.process
    assert one.process.wait(30) == 2
    assert "write NAME=N" in one.said


def report(number: int) -> dict[str, str]:
    return {"id": f"{number:032x}", "type": "TypeError", "message": "x is undefined"}


def answers(address: str) -> bool:
    try:
        with urlopen(address, timeout=10) as answer:
            return bool(answer.status == 200)
    except OSError:
        return False


def alive(pid: int) -> bool:
    try:
        return "State:\tZ" not in Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return False


def test_nothing_it_writes_is_for_other_users_of_the_machine(up: UpProcess) -> None:
    open_to_others = [path for path in up.data.rglob("*") if path.lstat().st_mode & 0o077]
    sockets_and_links = [path for path in open_to_others if path.is_symlink()]
    assert set(open_to_others) == set(sockets_and_links)
    assert up.data.stat().st_mode & 0o077 == 0


def test_its_redis_has_a_limit_that_fits_the_machine(up: UpProcess) -> None:
    connection = Connection(up.ports["redis_url"])
    # The test before may have killed it.
    found = wait_until(lambda: is_there(connection) and connection.info("memory"), "Redis", 60)
    assert int(found["maxmemory"]) == redis_memory(machine_memory())
    connection.close()


def is_there(connection: Connection) -> bool:
    try:
        return bool(connection.call("PING"))
    except UnavailableError:
        return False


def test_its_servers_and_services_may_open_as_many_files_as_there_may_be(up: UpProcess) -> None:
    for pid in up.pids().values():
        soft, hard = resource.prlimit(pid, resource.RLIMIT_NOFILE)
        assert soft == hard
