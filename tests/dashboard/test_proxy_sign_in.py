"""People whom a proxy has signed in: it says who they are, and nobody else is believed."""

from __future__ import annotations

import re
import threading
from base64 import b64encode
from collections.abc import Iterator
from http.client import HTTPConnection
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from click.testing import CliRunner

from catchwater.local.servers import free_port
from dashboard.commands.dashboard import command as dashboard_command
from dashboard.guesses import FREE
from dashboard.proxy_sign_in import LONGEST, ProxySignIn
from dashboard.security import Guard
from dashboard.tokens import ReadToken, Tokens
from tests.browser.sites import SHIPPED, by_nginx
from tests.dashboard import documents as made
from tests.dashboard.conftest import Answer, Site

if TYPE_CHECKING:
    from playwright.sync_api import Page
    from pymongo.database import Database

    from catchwater.redis_client import Connection
    from tests.dashboard.conftest import Open

    Mongo = Database[dict[str, Any]]

PASSWORD, TOKEN = "open sésame, please", "cwr_one"
HEADER = "X-Forwarded-User"
PROXY, STRANGER = "127.0.0.1", "127.0.0.9"
A_PERSON = {"Accept": "text/html,application/xhtml+xml"}


@pytest.fixture
def signing_in(opened: Open, mongo: Mongo, mongo_url: str, redis: Connection) -> Site:
    """Its proxy is 127.0.0.1. Who is not signed in may have the password, or a token."""
    tokens, sign_in = Tokens((ReadToken.of(TOKEN, "1"),)), ProxySignIn.of(HEADER, PROXY)
    return opened(mongo_url, redis.url, Guard("0.0.0.0", PASSWORD, tokens=tokens, sign_in=sign_in))


@pytest.fixture
def alone(opened: Open, mongo: Mongo, mongo_url: str, redis: Connection) -> Site:
    """One without any other way in."""
    return opened(mongo_url, redis.url, Guard(sign_in=ProxySignIn.of(HEADER, PROXY)))


def ask(site: Site, path: str, *headers: tuple[str, str | bytes], by: str = PROXY) -> Answer:
    """With headers as they are, one given twice too, over a connection from the address `by`."""
    connection = HTTPConnection(site.host, site.port, timeout=20, source_address=(by, 0))
    try:
        connection.putrequest("GET", path)
        for name, value in headers:
            connection.putheader(name, value)
        connection.endheaders()
        got = connection.getresponse()
        found = {name.lower(): text for name, text in got.getheaders()}
        return Answer(got.status, found, got.read())
    finally:
        connection.close()


def basic(password: str) -> tuple[str, str]:
    return "Authorization", "Basic " + b64encode(f"me:{password}".encode()).decode()


@pytest.mark.parametrize("path", ["/", "/pipeline", "/api/issues", "/api/pipeline", "/releases"])
def test_whom_the_proxy_names_may_read(signing_in: Site, path: str):
    answer = ask(signing_in, path, (HEADER, "alice@example.org"))
    assert answer.status == 200
    assert "set-cookie" not in answer.headers
    assert path.startswith("/api") or "<bdi>alice@example.org</bdi>" in answer.text
    assert "Log out" not in answer.text, "there is no session here that could end"


@pytest.mark.parametrize("name", ["Jürgen Ötzi", "李小龍", "O'Brien <b>&amp;", "x" * LONGEST])
def test_a_name_is_any_text(signing_in: Site, name: str):
    answer = ask(signing_in, "/nowhere", (HEADER, name.encode()))
    shown = re.search(r"<bdi>(.*)</bdi>", answer.text)
    assert answer.status == 404
    assert shown
    for raw, entity in (("&", "&amp;"), ("<", "&lt;"), (">", "&gt;"), ("'", "&#39;")):
        name = name.replace(raw, entity)
    assert shown[1] == name


def test_from_elsewhere_the_header_is_not_believed_and_the_other_ways_are(signing_in: Site):
    forged = (HEADER, "alice")
    assert ask(signing_in, "/api/issues", forged, by=STRANGER).status == 401
    for name in ("X-Forwarded-For", "Forwarded", "X-Real-IP"):
        said = (name, PROXY if name != "Forwarded" else f"for={PROXY}")
        assert ask(signing_in, "/api/issues", forged, said, by=STRANGER).status == 401
    page = ask(signing_in, "/", forged, basic(PASSWORD), by=STRANGER)
    assert page.status == 200
    assert "alice" not in page.text
    token = ("Authorization", f"Bearer {TOKEN}")
    assert ask(signing_in, "/api/issues", forged, token, by=STRANGER).status == 200


@pytest.mark.parametrize(
    ("values", "why"),
    [
        (("alice", "bob"), "names several people"),
        (("alice", "alice"), "names several people"),
        (("alice", ""), "names several people"),
        (("", ""), "names several people"),
        (("alice, bob",), "names several people"),
        (("alice,",), "names several people"),
        (("a" * (LONGEST + 1),), "is no name"),
        (("al\tice",), "is no name"),
        ((b"al\xffice",), "is no name"),
        ((b"al\xc2\x85ice",), "is no name"),
        (("al\u202eice".encode(),), "is no name"),
    ],
)
def test_what_can_be_no_name_is_refused_though_the_password_is_right(
    signing_in: Site, values: tuple[str | bytes, ...], why: str
):
    headers = [(HEADER, one) for one in values]
    for more in ([], [basic(PASSWORD)]):
        answer = ask(signing_in, "/api/issues", *headers, *more)
        assert answer.status == 400
        assert f"The header {HEADER} {why}" in answer.json["error"]
        assert "alice" not in answer.text
    assert ask(signing_in, "/api/issues", *headers, by=STRANGER).status == 401
    assert ask(signing_in, "/healthz", *headers).status == 200


@pytest.mark.parametrize("value", ["", "   "])
def test_without_a_name_nobody_is_signed_in(signing_in: Site, value: str):
    assert ask(signing_in, "/api/issues", (HEADER, value)).status == 401
    assert ask(signing_in, "/api/issues", (HEADER, value), basic(PASSWORD)).status == 200
    page = ask(signing_in, "/", (HEADER, value), *A_PERSON.items())
    assert '<form method="post" action="/login">' in page.text


def test_the_name_is_looked_at_before_what_the_proxy_passes_on(signing_in: Site):
    """oauth2-proxy may send a basic authentication of its own, with no password of ours."""
    for _ in range(FREE + 3):
        answer = ask(signing_in, "/api/issues", (HEADER, "alice"), basic("of the proxy"))
        assert answer.status == 200


def test_who_has_the_page_of_another_name_gets_it_anew(signing_in: Site, mongo: Mongo):
    mongo.issues.insert_one(made.issue("pay"))
    first = ask(signing_in, "/", (HEADER, "alice"))
    known = ("If-None-Match", first.headers["etag"])
    assert ask(signing_in, "/", (HEADER, "alice"), known).status == 304
    second = ask(signing_in, "/", (HEADER, "bob"), known)
    assert second.status == 200
    assert "<bdi>bob</bdi>" in second.text
    assert "private" in second.headers["cache-control"]


def test_where_only_the_proxy_opens_nothing_else_does(alone: Site):
    assert ask(alone, "/", (HEADER, "alice")).status == 200
    for headers in ((), (("Accept", "*/*"),), (basic(""),), (("Authorization", "Bearer "),)):
        for by in (PROXY, STRANGER):
            answer = ask(alone, "/api/issues", *headers, by=by)
            assert answer.status in (403, 429)
            assert "www-authenticate" not in answer.headers
    page = ask(alone, "/", *A_PERSON.items())
    assert page.status == 403
    assert "open the address of the proxy" in page.text


def start(**settings: str) -> tuple[int, str]:
    env = {f"CATCHWATER_DASHBOARD_{name}": value for name, value in settings.items()}
    result = CliRunner().invoke(dashboard_command, ["--host", "0.0.0.0", "--port", "0"], env=env)
    return result.exit_code, " ".join(result.output.split())


@pytest.mark.parametrize(
    ("header", "networks", "why"),
    [
        (HEADER, "", f"{HEADER} would name people, and no network is set"),
        (HEADER, "  ", f"{HEADER} would name people, and no network is set"),
        ("", PROXY, "'' is no name of a header"),
        ("X Forwarded", PROXY, "'X Forwarded' is no name of a header"),
        ("X-User:", PROXY, "'X-User:' is no name of a header"),
        (HEADER, "1", "'1' is a number"),
        (HEADER, "10.0.0.7/8", "10.0.0.7/8 has host bits set"),
        (HEADER, "10.0.0.7,", "does not appear to be an IPv4 or IPv6 network"),
        (HEADER, "10.0.0.7, 0.0.0.0/0", "has every address in it"),
        (HEADER, "::/0", "has every address in it"),
    ],
)
def test_half_a_setting_is_refused_at_the_start(header: str, networks: str, why: str):
    code, said = start(SIGN_IN_HEADER=header, SIGN_IN_PROXIES=networks)
    assert code == 2
    assert why in said


@pytest.mark.parametrize("remote", ["10.1.2.3", "::ffff:10.1.2.3", "fd00::7"])
def test_each_network_is_one_of_the_proxys(remote: str):
    from multidict import CIMultiDict  # noqa: PLC0415 - of this test alone

    sign_in = ProxySignIn.of(HEADER, "10.0.0.0/8, fd00::/64")
    given = CIMultiDict({HEADER.lower(): "alice"})
    assert sign_in.name(given, remote) == "alice"
    for other in ("11.1.2.3", "::ffff:11.1.2.3", "fd01::7", "", "unix"):
        assert sign_in.name(given, other) == ""


class Oauth2Proxy(BaseHTTPRequestHandler):
    """What nginx asks of oauth2-proxy: 202 and the name, or 401; and the page that begins."""

    def do_GET(self) -> None:
        if self.path.startswith("/oauth2/start"):
            self._answer(200, "Sign in with your provider")
        elif "session=alice" in self.headers.get("Cookie", ""):
            self._answer(202, "", "alice@example.org")
        else:
            self._answer(401, "", self.headers.get(HEADER, ""))

    def _answer(self, status: int, body: str, name: str = "") -> None:
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        if name:
            self.send_header("X-Auth-Request-User", name)
        self.end_headers()
        self.wfile.write(body.encode())

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def nginx(signing_in: Site, tmp_path: Path) -> Iterator[Site]:
    """The shipped file in a real nginx, between the dashboard and what signs people in."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), Oauth2Proxy)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    port, ports = free_port(), {8081: signing_in.port, 4180: server.server_address[1]}
    (folder := tmp_path / "nginx").mkdir()
    try:
        with by_nginx(port, ports, folder, SHIPPED.with_name("dashboard.conf")):
            yield Site(port)
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def test_through_nginx_people_sign_in_and_nobody_names_themselves(nginx: Site):
    signed_in = ("Cookie", "session=alice")
    page = ask(nginx, "/", signed_in, (HEADER, "mallory"), (HEADER, "eve"))
    assert page.status == 200
    assert "<bdi>alice@example.org</bdi>" in page.text
    for forged in ((HEADER, "mallory"), basic(PASSWORD), ("X-Forwarded-For", PROXY)):
        answer = ask(nginx, "/pipeline", forged)
        assert answer.status == 302
        assert answer.headers["location"].endswith("/oauth2/start?rd=/pipeline")
    assert "Sign in" in ask(nginx, "/oauth2/start?rd=/pipeline").text
    assert ask(nginx, "/oauth2/auth").status == 404, "it is for nginx itself"


def test_through_nginx_programs_read_with_a_token(nginx: Site):
    token = ("Authorization", f"Bearer {TOKEN}")
    assert ask(nginx, "/programs/api/issues", token).json == {"issues": [], "next": None}
    assert ask(nginx, "/programs/api/pipeline", token).status == 403
    for forged in ((HEADER, "mallory"), ("Cookie", "session=alice")):
        assert ask(nginx, "/programs/api/issues", forged).status == 401


@pytest.mark.browser
@pytest.mark.parametrize("width", [1280, 390])
@pytest.mark.parametrize("without", ["nothing", "scripts"])
def test_a_long_name_stays_in_its_place(signing_in: Site, page: Page, width: int, without: str):
    page.set_extra_http_headers({HEADER: "w" * LONGEST})
    page.set_viewport_size({"width": width, "height": 700})
    empty = {"body": "", "content_type": "text/javascript"}
    if without == "scripts":
        page.route("**/*.js*", lambda route: route.fulfill(**empty))
    page.goto(signing_in.url)
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    shown = page.locator(".who").bounding_box()
    assert shown
    assert shown["width"] > 100
    assert shown["y"] + shown["height"] < 100
