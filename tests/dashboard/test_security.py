from __future__ import annotations

import subprocess
import sys
from base64 import b64encode
from typing import TYPE_CHECKING, Any

import pytest
from click.testing import CliRunner
from prometheus_client import REGISTRY

from dashboard.commands.dashboard import command
from dashboard.guesses import FREE, LONGEST_S, MOST_ADDRESSES, Guesses
from dashboard.security import Guard, loopback

if TYPE_CHECKING:
    from pymongo.database import Database

    from catchwater.redis_client import Connection
    from tests.dashboard.conftest import Open, Site

POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
PATHS = [
    "/",
    "/pipeline",
    "/api/issues",
    "/api/pipeline",
    "/healthz",
    "/nowhere",
    "/api/nowhere",
    "/?limit=x",
]


@pytest.fixture
def locked(
    opened: Open, mongo: Database[dict[str, Any]], mongo_url: str, redis: Connection
) -> Site:
    return opened(mongo_url, redis.url, Guard("0.0.0.0", "open sésame"))


def basic(user: str, password: str) -> str:
    return "Basic " + b64encode(f"{user}:{password}".encode()).decode()


@pytest.mark.parametrize("path", PATHS)
def test_every_answer_tells_the_browser_to_run_and_load_nothing_of_others(site: Site, path: str):
    headers = site.get(path).headers
    assert headers["content-security-policy"] == POLICY
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["x-frame-options"] == "DENY"
    assert headers["referrer-policy"] == "no-referrer"
    assert headers["cross-origin-opener-policy"] == "same-origin"
    assert headers["cross-origin-resource-policy"] == "same-origin"
    assert headers["server"] == "catchwater", (
        "the version of the server software is nobody's business"
    )


@pytest.mark.parametrize("path", ["/", "/pipeline", "/?q=x", "/nowhere"])
def test_a_page_has_no_inline_script_no_inline_style_and_nothing_from_elsewhere(
    site: Site, path: str
):
    page = site.get(path).text
    assert "<style" not in page
    assert " style=" not in page
    assert " onclick=" not in page
    assert page.count("<script") == page.count('<script src="/static/') > 0
    assert (
        "//"
        not in page.replace(f"{site.url}", "").replace("http://www.w3.org", "").split("<main")[0]
    )


def test_a_stranger_s_name_for_this_machine_is_refused(site: Site):
    for host in (
        "evil.example",
        "evil.example:8081",
        "127.0.0.1.evil.example",
        "localhost.evil.example",
        "",
        "[::2]",
    ):
        answer = site.get("/api/issues", Host=host)
        assert answer.status == 421, host
        assert "is not a name of this dashboard" in answer.json["error"]
    for host in (
        "localhost",
        f"localhost:{site.port}",
        "127.0.0.1:1",
        "[::1]",
        "[::1]:8081",
        "LOCALHOST",
    ):
        assert site.get("/api/issues", Host=host).status == 200, host
    assert site.get("/healthz", Host="probe.example").status == 200


def test_with_a_password_nothing_but_healthz_answers_without_it(locked: Site):
    for path in [path for path in PATHS if path != "/healthz"] + ["/events/x"]:
        answer = locked.get(path)
        assert answer.status == 401, path
        assert answer.headers["www-authenticate"] == 'Basic realm="Catchwater", charset="UTF-8"'
    assert locked.get("/healthz").status == 200


@pytest.mark.parametrize(
    "wrong",
    [
        basic("me", "open sesame"),
        basic("me", ""),
        basic("open sésame", "me"),
        basic("me", "open sésame").replace("Basic", "Bearer"),
        "Basic",
        "Basic !!!",
        "Basic " + b64encode(b"no colon").decode(),
    ],
)
def test_a_wrong_password_is_refused(locked: Site, wrong: str):
    assert locked.get("/api/issues", Authorization=wrong).status == 401


def test_the_right_password_opens_under_any_name_of_user_and_host(locked: Site):
    right = basic("anybody", "open sésame")
    assert locked.get("/api/issues", Authorization=right).status == 200
    assert locked.get("/", Authorization=right, Host="errors.example").status == 200
    assert locked.get("/", Authorization=right.replace("Basic", "basic")).status == 200


def not_looked_at() -> float:
    name, labels = "catchwater_dashboard_wrong_passwords_total", {"outcome": "not_looked_at"}
    return REGISTRY.get_sample_value(name, labels) or 0.0


def test_many_wrong_passwords_are_not_looked_at_any_more_and_counted(locked: Site):
    before = not_looked_at()
    answers = [locked.get("/", Authorization=basic("me", f"guess-{n}")) for n in range(20)]
    assert [one.status for one in answers[: FREE + 1]] == [401] * (FREE + 1)
    assert {one.status for one in answers[FREE + 1 :]} == {429}
    assert int(answers[-1].headers["retry-after"]) >= 1
    assert not_looked_at() - before == 20 - FREE - 1
    assert locked.get("/healthz").status == 200
    assert locked.get("/").status == 401


def test_the_wait_doubles_is_bounded_and_ends_with_the_right_password():
    guesses, now, waits = Guesses(), 0.0, []
    for _ in range(FREE + 12):
        now += guesses.wait_s("a", now)
        guesses.wrong("a", now)
        waits.append(guesses.wait_s("a", now))
    assert waits[: FREE + 4] == [0.0] * FREE + [1.0, 2.0, 4.0, 8.0]
    assert waits[-1] == LONGEST_S
    assert guesses.wait_s("b", now) == 0.0
    guesses.right("a")
    assert guesses.wait_s("a", now) == 0.0


@pytest.mark.parametrize(
    ("tried", "same", "other"),
    [
        ("2001:db8:1:2::{:x}", "2001:db8:1:2:ffff::1%eth0", "2001:db8:1:3::1"),
        ("::ffff:192.0.2.1", "192.0.2.1", "::ffff:192.0.2.2"),
    ],
)
def test_whoever_has_a_network_is_one_guesser(tried, same, other):
    """Each address of a house's IPv6 network had five guesses of its own: there are 2**64."""
    guesses = Guesses()
    for n in range(FREE + 1):
        guesses.wrong(tried.format(n), 0.0)
    assert guesses.wait_s(same, 0.0) == 1.0
    assert guesses.wait_s(other, 0.0) == 0.0


def test_addresses_beyond_the_most_are_forgotten():
    guesses = Guesses()
    for n in range(MOST_ADDRESSES + 50):
        for _ in range(FREE + 1):
            guesses.wrong(str(n), 0.0)
    assert guesses.wait_s("0", 0.0) == 0.0
    assert guesses.wait_s(str(MOST_ADDRESSES), 0.0) == 1.0


@pytest.mark.parametrize("host", ["0.0.0.0", "dashboard.example"])
def test_a_short_password_is_refused_where_other_machines_can_try_it(host: str):
    arguments = ["--host", host, "--port", "0"]
    result = CliRunner().invoke(
        command, arguments, env={"CATCHWATER_DASHBOARD_PASSWORD": "ninechars"}
    )
    assert result.exit_code == 2
    assert "the password has 9 characters" in result.output
    assert "ninechars" not in result.output


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH"])
def test_nothing_can_be_written(site: Site, method: str):
    answer = site.get("/api/issues", method=method)
    assert answer.status == 405
    assert answer.headers["allow"] == "GET,HEAD"
    assert "only shows" in answer.json["error"]


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.0.2.7", "dashboard.example"])
def test_other_machines_need_a_password_before_the_port_is_even_opened(host: str):
    result = CliRunner().invoke(
        command, ["--host", host, "--port", "0"], env={"CATCHWATER_DASHBOARD_PASSWORD": ""}
    )
    assert result.exit_code == 2
    assert (
        f"--host {host} can be reached from other machines, and no password is set" in result.output
    )
    assert "CATCHWATER_DASHBOARD_PASSWORD" in result.output


def test_loopback_is_known_in_every_spelling():
    assert all(map(loopback, ["127.0.0.1", "127.8.8.8", "::1", "[::1]", "localhost"]))
    assert not any(map(loopback, ["0.0.0.0", "::", "10.0.0.1", "localhost.example", ""]))


def test_the_password_is_not_in_the_text_of_the_guard():
    assert "sésame" not in repr(Guard("0.0.0.0", "open sésame"))


def test_a_failure_is_logged_without_the_values_of_variables():
    """They hold passwords, server addresses and what people's browsers sent."""
    program = """
from catchwater.service import configure_logging
import structlog

configure_logging("test")
def fail():
    password = "s3same"
    return 1 / len("")
try:
    fail()
except ZeroDivisionError:
    structlog.get_logger().exception("a request failed")
"""
    log = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    ).stderr
    assert "ZeroDivisionError" in log
    assert '"name":"fail"' in log
    assert "s3same" not in log
