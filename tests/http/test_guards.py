"""Every server that speaks HTTP is guarded alike: ingest, the dashboard, the upload of source maps,
and the ops port of each.
"""

from __future__ import annotations

import os
import resource
import socket
import subprocess
import sys
from contextlib import ExitStack, suppress
from http.client import HTTPConnection
from pathlib import Path

import pytest

from catchwater.local.servers import free_port
from tests.waiting import wait_until

KEY = "0123456789abcdef0123456789abcdef"
FILES = 200
"""How many files a server may have open here."""

NOWHERE = "127.0.0.1:1"
SERVERS = {
    "ingest": ["ingest"],
    "dashboard": ["dashboard"],
    "sourcemaps": ["sourcemaps", "serve", "--token", "t" * 20],
}


class Served:
    def __init__(self, name: str, folder: Path) -> None:
        self.name = name
        self.port, self.ops_port, self.log = free_port(), free_port(), folder / "log"
        (folder / "projects.yaml").write_text(f'projects: [{{id: "1", name: a, key: "{KEY}"}}]')
        ports = {
            f"CATCHWATER_{one}_PORT": str(self.port) for one in ("INGEST", "DASHBOARD", "MAPS")
        }
        settings = ports | {
            "CATCHWATER_OPS_PORT": str(self.ops_port),
            "CATCHWATER_REDIS_URL": f"redis://{NOWHERE}/0",
            "CATCHWATER_MONGO_URL": f"mongodb://{NOWHERE}",
            "CATCHWATER_PROJECTS": str(folder / "projects.yaml"),
            "CATCHWATER_SPOOL": str(folder / "spool"),
        }
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "catchwater", *SERVERS[name]],
                env=os.environ | settings,
                stderr=log,
                preexec_fn=few_files,  # noqa: PLW1509 - no threads yet
            )

    def get(self, path: str = "/", port: int = 0):
        connection = HTTPConnection("127.0.0.1", port or self.port, timeout=10)
        try:
            connection.request("GET", path)
            answer = connection.getresponse()
            answer.read()
            return answer
        finally:
            connection.close()

    def answers(self, path: str = "/", port: int = 0) -> bool:
        try:
            return self.get(path, port).status > 0
        except OSError:
            return False

    def memory(self) -> int:
        """Bytes."""
        status = Path(f"/proc/{self.process.pid}/status").read_text()
        return 1024 * int(status.partition("VmRSS:")[2].split()[0])

    def stop(self) -> None:
        self.process.kill()
        self.process.wait()


def few_files() -> None:
    """A soft limit that is below the hard one: the server raises it to that."""
    resource.setrlimit(resource.RLIMIT_NOFILE, (FILES // 2, FILES))


@pytest.fixture(scope="module", params=SERVERS)
def served(request, tmp_path_factory):
    one = Served(request.param, tmp_path_factory.mktemp(request.param))
    wait_until(one.answers, "it answers", timeout=30)
    yield one
    one.stop()


def connected(served, count, sent=b""):
    stack = ExitStack()
    for _ in range(count):
        one = socket.socket()
        one.settimeout(1)
        one.connect_ex(("127.0.0.1", served.port))
        with suppress(OSError):
            one.sendall(sent)
        stack.enter_context(one)
    return stack


def test_more_silent_connections_than_there_are_places_shut_nobody_out(served):
    before = served.log.stat().st_size
    with connected(served, 2 * FILES):
        wait_until(served.answers, "somebody else is answered", timeout=30)
    assert served.log.stat().st_size - before < 20_000


LINES = b"".join(b"X-%d: %s\r\n" % (one, b"x" * 36_000) for one in range(110))
"""4 MB of headers, each as long as it may be."""
CHUNKED = b"POST /api/1/envelope/ HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"


@pytest.mark.parametrize(
    "start", [b"GET / HTTP/1.1\r\n", CHUNKED + b"1\r\na\r\n0\r\n"], ids=["head", "trailer"]
)
def test_heads_and_trailers_without_an_end_take_little_memory(served, start):
    wait_until(served.answers, "it answers")
    before = served.memory()
    with ExitStack() as stack:
        for _ in range(40):
            one = stack.enter_context(socket.create_connection(("127.0.0.1", served.port), 10))
            with suppress(OSError):  # it is closed before it has sent everything
                one.sendall(start + LINES)
        assert served.answers()
        assert served.memory() - before < 50_000_000


def test_of_too_many_large_heads_the_largest_go_and_a_small_one_stays(served):
    wait_until(served.answers, "it answers")
    with ExitStack() as stack:
        small, *large = (
            stack.enter_context(socket.create_connection(("127.0.0.1", served.port), 10))
            for _ in range(150)
        )
        small.sendall(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n")
        assert small.recv(4096).split()[1] == b"200"  # so its next head may take its time
        small.sendall(b"GET /healthz HTTP/1.1\r\n")
        for one in large:
            with suppress(OSError):
                one.sendall(b"GET / HTTP/1.1\r\n" + LINES[:120_000])
        gone = wait_until(lambda: [one for one in large if is_closed(one)], "some are closed")
        assert len(gone) < len(large)
        small.sendall(b"Host: localhost\r\n\r\n")
        assert small.recv(4096).split()[1] == b"200"


def is_closed(connection):
    connection.settimeout(0)
    try:
        return connection.recv(1) == b""
    except BlockingIOError:
        return False
    except ConnectionError:
        return True


def test_more_posts_that_are_held_open_than_there_are_places_shut_nobody_out(served):
    post = b"POST /%s HTTP/1.1\r\nHost: localhost\r\nContent-Length: 9\r\n\r\n"
    path = b"e/%s" % KEY.encode() if served.name == "ingest" else b"login"
    with connected(served, 2 * FILES, post % path):
        wait_until(served.answers, "somebody else is answered", timeout=60)
    for _ in range(3):  # by then it has met that they are gone
        wait_until(served.answers, "it answers")
    assert b"ConnectionReset" not in served.log.read_bytes(), "a client that leaves is no fault"


@pytest.mark.parametrize(
    "head", [b"nonsense\r\n\r\n", b"\x16\x03\x01\x02\x00", b"GET / HTTP/9\r\n\r\n"]
)
def test_what_is_no_http_is_answered_and_leaves_no_line_in_the_log(served, head):
    wait_until(served.answers, "it answers")
    before = served.log.stat().st_size
    for _ in range(20):
        with socket.create_connection(("127.0.0.1", served.port), timeout=10) as one:
            one.sendall(head)
            answer = one.recv(4096)
            assert answer.split()[1] == b"400"
            assert b"Server: catchwater\r\n" in answer
            assert b"Python" not in answer
    assert served.log.stat().st_size == before


def test_headers_as_long_as_a_site_s_cookies_are_read(served):
    long = dict.fromkeys(("Cookie", "Referer", "User-Agent"), "x" * 32_768)
    for port in (served.port, served.ops_port):
        connection = HTTPConnection("127.0.0.1", port, timeout=10)
        connection.request("GET", "/healthz", headers=long)
        assert connection.getresponse().status != 400, port
        connection.close()


@pytest.mark.parametrize("path", ["/", "/nowhere", "/healthz"])
def test_no_answer_says_which_software_it_is_of(served, path):
    assert served.get(path).headers["Server"] == "catchwater"


def test_one_that_trickles_does_not_keep_the_ops_port_from_others(served):
    with ExitStack() as stack:
        for _ in range(5):
            one = socket.create_connection(("127.0.0.1", served.ops_port), timeout=10)
            stack.enter_context(one).sendall(b"GET /healthz HT")
        for _ in range(5):
            assert served.get("/healthz", served.ops_port).status == 200


def test_clients_that_take_every_place_of_the_ops_port_lose_them_after_a_time(served):
    with ExitStack() as stack:
        for _ in range(40):
            one = socket.create_connection(("127.0.0.1", served.ops_port), timeout=10)
            stack.enter_context(one).sendall(b"GET /healthz HT")
        wait_until(
            lambda: served.answers("/healthz", served.ops_port), "it answers again", timeout=30
        )
