"""The page that asks for the password, its session, and passwords that are set as a hash."""

from __future__ import annotations

import re
import socket
from base64 import b64encode
from http.client import HTTPConnection
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

import pytest
from aiohttp import web
from aiohttp.test_utils import make_mocked_request
from click.testing import CliRunner
from hypothesis import given, settings
from hypothesis import strategies as st

from catchwater.addresses import TrustedProxies
from dashboard import sessions
from dashboard.commands.dashboard import command as dashboard_command
from dashboard.commands.password import command as password_command
from dashboard.guesses import FREE
from dashboard.login import _own_path
from dashboard.passwords import Hash, parse
from dashboard.security import Guard
from dashboard.sessions import COOKIE

if TYPE_CHECKING:
    from pymongo.database import Database

    from catchwater.redis_client import Connection
    from tests.dashboard.conftest import Open, Site

PASSWORD = "open sésame, please"
A_PERSON = {"Accept": "text/html,application/xhtml+xml"}


@pytest.fixture(params=["plain", "hash"])
def locked(
    request: pytest.FixtureRequest,
    opened: Open,
    mongo: Database[dict[str, Any]],
    mongo_url: str,
    redis: Connection,
) -> Site:
    setting = PASSWORD if request.param == "plain" else str(Hash.of(PASSWORD))
    return opened(mongo_url, redis.url, Guard("0.0.0.0", setting))


def post(site: Site, path: str, **form: str) -> tuple[int, dict[str, str], str]:
    connection = HTTPConnection(site.host, site.port, timeout=20)
    headers = {"Content-Type": "application/x-www-form-urlencoded", **site.sent}
    connection.request("POST", path, urlencode(form), headers)
    answer = connection.getresponse()
    found = {name.lower(): text for name, text in answer.getheaders()}
    body = answer.read().decode()
    connection.close()
    return answer.status, found, body


def test_a_form_that_does_not_come_is_not_waited_for(locked, monkeypatch):
    monkeypatch.setattr("dashboard.login.FORM_S", 0.2)
    with socket.create_connection((locked.host, locked.port), timeout=60) as held:
        held.sendall(b"POST /login HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\nto=")
        assert held.recv(4096).split()[1] == b"408"


def cookie(headers: dict[str, str]) -> str:
    return headers["set-cookie"].partition(";")[0]


def test_a_person_gets_a_page_that_asks_and_nothing_else(locked: Site):
    page = locked.get("/issues/1:v1:x?samples=2", **A_PERSON)
    assert page.status == 401
    assert "www-authenticate" not in page.headers, "or the browser's own window comes instead"
    assert '<form method="post" action="/login">' in page.text
    assert 'name="to" value="/issues/1:v1:x?samples=2"' in page.text
    assert "Log out" not in page.text
    for asset in re.findall(r'(?:href|src)="(/static/[^"]+)"', page.text):
        assert locked.get(asset).status == 200


def test_the_right_password_leads_to_where_the_person_went(locked: Site):
    status, headers, _ = post(locked, "/login", password=PASSWORD, to="/pipeline")
    assert (status, headers["location"]) == (303, "/pipeline")
    attributes = headers["set-cookie"].lower()
    assert "httponly" in attributes
    assert "samesite=strict" in attributes
    assert "secure" not in attributes
    page = locked.get("/pipeline", Cookie=cookie(headers), **A_PERSON)
    assert page.status == 200
    assert "Log out" in page.text
    assert locked.get("/api/pipeline", Cookie=cookie(headers)).status == 200


def test_behind_tls_the_cookie_is_for_tls_only(locked: Site):
    locked.sent["X-Forwarded-Proto"] = "https"
    _, headers, _ = post(locked, "/login", password=PASSWORD, to="/")
    assert "secure" in headers["set-cookie"].lower()


@pytest.mark.parametrize("wrong", ["", "open sesame", PASSWORD + " ", "x" * 900])
def test_a_wrong_password_asks_once_more(locked: Site, wrong: str):
    status, headers, page = post(locked, "/login", password=wrong, to="/pipeline")
    assert status == 401
    assert "That is not the password." in page
    assert 'value="/pipeline"' in page
    assert "set-cookie" not in headers


@pytest.mark.parametrize("type_", ["text/plain; charset=no-such", "multipart/form-data", "a"])
def test_what_is_no_form_is_a_wrong_password(locked: Site, type_: str):
    for body in (b"\xff\xfe=%ff&password=%ed%a0%80", b"password", b"--x\r\n", b"&" * 900, b""):
        connection = HTTPConnection(locked.host, locked.port, timeout=20)
        connection.request("POST", "/login", body, {"Content-Type": type_})
        assert connection.getresponse().status in (401, 429)
        connection.close()


@pytest.mark.parametrize(
    "head",
    [
        b"GET /\xff HTTP/1.1\r\nCookie: a=b",
        b"GET /?q=\xed\xa0\x80 HTTP/1.1\r\nCookie: a=b",
        b"GET /%ff%ed%a0%80?q=%ff HTTP/1.1\r\nCookie: a=b",
        b"GET / HTTP/1.1\r\nCookie: catchwater_session=\xff.\xfe.\xed\xa0\x80",
        b"GET / HTTP/1.1\r\nCookie: catchwater_session=\xc3\xa9",
        b"GET / HTTP/1.1\r\nAuthorization: Basic \xff\xff",
    ],
)
def test_bytes_that_are_no_text_are_asked_for_the_password_too(locked: Site, head: bytes):
    with socket.create_connection((locked.host, locked.port), timeout=20) as connection:
        rest = b"\r\nHost: a\r\nAccept: text/html\r\nConnection: close\r\n\r\n"
        connection.sendall(head + rest)
        assert connection.recv(100).split(b" ")[1] in (b"401", b"400")


def test_many_wrong_passwords_have_to_wait_and_a_session_goes_on(locked: Site):
    _, headers, _ = post(locked, "/login", password=PASSWORD, to="/")
    answers = [post(locked, "/login", password=f"guess {n}", to="/") for n in range(FREE + 3)]
    assert [status for status, *_ in answers] == [401] * (FREE + 1) + [429] * 2
    assert int(answers[-1][1]["retry-after"]) >= 1
    assert post(locked, "/login", password=PASSWORD, to="/")[0] == 429
    assert locked.get("/", Cookie=cookie(headers), **A_PERSON).status == 200


def test_logging_out_takes_the_cookie_away(locked: Site):
    status, headers, _ = post(locked, "/logout")
    assert (status, headers["location"]) == (303, "/")
    assert cookie(headers) == f'{COOKIE}=""'
    assert "max-age=0" in headers["set-cookie"].lower()


@pytest.mark.parametrize("path", ["/login", "/logout"])
def test_a_page_of_another_site_logs_nobody_in_or_out(locked: Site, path: str):
    for site, status in (("cross-site", 403), ("same-site", 403), ("same-origin", 303)):
        locked.sent["Sec-Fetch-Site"] = site
        answer, headers, _ = post(locked, path, password=PASSWORD, to="/")
        assert (answer, "set-cookie" in headers) == (status, status == 303), site


def test_behind_a_proxy_that_is_trusted_each_person_has_guesses_of_their_own(
    opened: Open, mongo_url: str, redis: Connection
):
    proxied = Guard("0.0.0.0", PASSWORD, TrustedProxies.parse("1"))
    locked = opened(mongo_url, redis.url, proxied)
    for n in range(FREE + 1):
        locked.sent["X-Forwarded-For"] = f"192.0.2.{n}, 198.51.100.7"  # the first is invented
        assert post(locked, "/login", password="wrong", to="/")[0] == 401
    assert post(locked, "/login", password=PASSWORD, to="/")[0] == 429
    locked.sent["X-Forwarded-For"] = "198.51.100.8"
    assert post(locked, "/login", password=PASSWORD, to="/")[0] == 303


def test_without_trust_an_invented_address_gives_no_further_guesses(locked: Site):
    answers = []
    for n in range(FREE + 2):
        locked.sent["X-Forwarded-For"] = f"192.0.2.{n}"
        answers.append(post(locked, "/login", password="wrong", to="/")[0])
    assert answers[-1] == 429


def test_a_session_that_is_old_or_forged_is_none(locked: Site, monkeypatch: pytest.MonkeyPatch):
    _, headers, _ = post(locked, "/login", password=PASSWORD, to="/")
    own = cookie(headers)
    for forged in (own[:-1], own.replace("in.", "im."), f"{COOKIE}=in", f"{COOKIE}=", "x=y"):
        assert locked.get("/", Cookie=forged, **A_PERSON).status == 401, forged
    assert locked.get("/", Cookie=own, **A_PERSON).status == 200
    monkeypatch.setattr(sessions, "LIFE_S", -1)
    assert locked.get("/", Cookie=own, **A_PERSON).status == 401


def test_every_dashboard_of_one_password_knows_the_session_and_of_another_none():
    one, same, other = (Guard("0.0.0.0", text) for text in (PASSWORD, PASSWORD, "another one"))
    answer = web.Response()
    one.sessions.begin(make_mocked_request("POST", "/login"), answer)
    given = {"Cookie": f"{COOKIE}={answer.cookies[COOKIE].value}"}
    request = make_mocked_request("GET", "/", headers=given)
    assert [guard.sessions.holds(request) for guard in (one, same, other)] == [True, True, False]


@pytest.mark.parametrize(
    "to",
    ["https://evil.example/", "//evil.example", "/\\evil.example", "javascript:x", "", "/\n/x"],
)
def test_nobody_is_led_to_another_host(locked: Site, to: str):
    assert post(locked, "/login", password=PASSWORD, to=to)[1]["location"] == "/"


@given(st.text())
def test_wherever_a_link_says_it_stays_here(to: str):
    assert re.fullmatch(r"/([^/\\].*)?", _own_path(to))


def test_programs_send_a_hashed_password_with_each_request(locked: Site):
    right = "Basic " + b64encode(f"me:{PASSWORD}".encode()).decode()
    wrong = "Basic " + b64encode(b"me:wrong").decode()
    assert [locked.get("/api/issues", Authorization=right).status for _ in range(20)] == [200] * 20
    assert locked.get("/api/issues", Authorization=wrong).status == 401
    assert locked.get("/api/issues", Authorization=right).status == 200


@settings(max_examples=10, deadline=None)  # slow on purpose
@given(st.text(min_size=1, max_size=50), st.text(max_size=50))
def test_a_hash_knows_its_password_alone(password: str, other: str):
    password, other = (text.encode("utf-8", "replace").decode() for text in (password, other))
    made = parse(str(Hash.of(password)))
    assert made.matches(password.encode())
    assert made.matches(other.encode()) == (other == password)
    assert str(Hash.of(password)) != str(made), "each has a salt of its own"


def test_the_command_makes_a_hash_and_shows_no_password():
    done = CliRunner().invoke(password_command, input=f"{PASSWORD}\n{PASSWORD}\n")
    assert done.exit_code == 0
    assert PASSWORD not in done.output
    assert parse(done.output.splitlines()[-1]).matches(PASSWORD.encode())
    short = CliRunner().invoke(password_command, input="short\nshort\n")
    assert short.exit_code == 2
    assert "10 or more characters" in short.output


@pytest.mark.parametrize(
    "broken", ["scrypt:", "scrypt:1:2:3:a:b", "scrypt:x:8:1:YQ==:YQ==", "scrypt:3:8:1:YQ==:YQ=="]
)
def test_a_hash_that_is_none_is_refused_at_the_start(broken: str):
    result = CliRunner().invoke(
        dashboard_command,
        ["--port", "0"],
        env={"CATCHWATER_DASHBOARD_PASSWORD": f"scrypt:{broken}"},
    )
    assert result.exit_code == 2
    assert "`catchwater password` makes one" in result.output


def test_without_a_password_there_is_nothing_to_log_in_to(site: Site):
    assert post(site, "/login", password="any", to="/pipeline")[1]["location"] == "/pipeline"
    assert "Log out" not in site.get("/", **A_PERSON).text
