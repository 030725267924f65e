"""Read tokens: programs send one instead of the password, and one may be for a single project."""

from __future__ import annotations

import re
from base64 import b64encode
from typing import TYPE_CHECKING, Any

import pytest
from aiohttp import web
from click import UsageError
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st
from itsdangerous import TimestampSigner

from catchwater.commands import probe
from catchwater.errors import NotShownError
from catchwater.streams.hyperloglog import digest
from dashboard import api, pages, passwords, tokens
from dashboard.commands.dashboard import _check
from dashboard.commands.dashboard import command as dashboard_command
from dashboard.commands.token import command as token_command
from dashboard.guesses import FREE
from dashboard.proxy_sign_in import ProxySignIn
from dashboard.reader import MongoReader
from dashboard.security import Guard
from dashboard.sessions import COOKIE
from dashboard.tokens import ReadToken, Tokens
from tests.dashboard import documents as made

if TYPE_CHECKING:
    from pymongo.database import Database

    from catchwater.redis_client import Connection
    from tests.dashboard.conftest import Open, Site

    Mongo = Database[dict[str, Any]]

PASSWORD = "open sésame, please"
ALL, OF_ONE, OLD = (f"{tokens.PREFIX}{name}" for name in ("all", "one", "old"))
KNOWN = Tokens((ReadToken.of(ALL), ReadToken.of(OF_ONE, "1"), ReadToken.of(OLD)))
A_PERSON = {"Accept": "text/html,application/xhtml+xml"}


@pytest.fixture
def locked(opened: Open, mongo: Mongo, mongo_url: str, redis: Connection) -> Site:
    return opened(mongo_url, redis.url, Guard("0.0.0.0", PASSWORD, tokens=KNOWN))


@pytest.fixture
def without_password(opened: Open, mongo: Mongo, mongo_url: str, redis: Connection) -> Site:
    return opened(mongo_url, redis.url, Guard("0.0.0.0", tokens=KNOWN))


def basic(password: str) -> str:
    return "Basic " + b64encode(f"me:{password}".encode()).decode()


@pytest.mark.parametrize("token", [ALL, OLD])
def test_each_token_opens_what_programs_read(locked: Site, mongo: Mongo, token: str):
    mongo.issues.insert_one(one := made.issue("pay"))
    for path in ("/api/issues", "/api/projects", "/api/pipeline", f"/issues/{one['_id']}.md", "/"):
        for scheme in ("Bearer", "bearer", "BEARER"):
            answer = locked.get(path, Authorization=f"{scheme} {token}")
            assert answer.status == 200, path
            assert "set-cookie" not in answer.headers, "a token opens no session"
    assert locked.get("/api/issues", Authorization=basic(PASSWORD)).status == 200


@pytest.mark.parametrize(
    "wrong",
    [
        f"Bearer {ALL}x",
        f"Bearer {ALL[:-1]}",
        f"Bearer {ALL.upper()}",
        f"Bearer {ReadToken.of(ALL)}",
        f"Bearer {ReadToken.of(ALL).digest.hex()}",
        "Bearer",
        "Bearer ",
        "Bearer \xff\xfe",
        f"Token {ALL}",
        ALL,
        basic(ALL),
        f"Bearer {PASSWORD}".encode().decode("latin-1"),
    ],
)
def test_what_is_no_token_is_refused(locked: Site, wrong: str):
    answer = locked.get("/api/issues", Authorization=wrong)
    assert answer.status == 401
    expected = 'Basic realm="Catchwater", charset="UTF-8", Bearer realm="Catchwater"'
    assert answer.headers["www-authenticate"] == expected


def test_wrong_tokens_and_wrong_passwords_are_counted_together(locked: Site):
    wrong = [basic("wrong"), "Bearer cwr_wrong"] * FREE
    answers = [locked.get("/api/issues", Authorization=one).status for one in wrong[: FREE + 1]]
    assert answers == [401] * (FREE + 1)
    for one in wrong[:2]:
        answer = locked.get("/api/issues", Authorization=one)
        assert answer.status == 429
        assert int(answer.headers["retry-after"]) >= 1
    assert locked.get("/api/issues", Authorization=basic(PASSWORD)).status == 429


def test_a_right_token_clears_no_record_of_guesses_and_waits_for_none(locked: Site):
    """Whoever had one could guess the password without a wait, one token after each wrong one."""
    answers = []
    for n in range(FREE + 2):
        answers.append(locked.get("/api/issues", Authorization=basic(f"guess {n}")).status)
        assert locked.get("/api/issues", Authorization=f"Bearer {ALL}").status == 200
    assert answers[-1] == 429


def test_with_tokens_and_no_password_nothing_else_opens(without_password: Site):
    site = without_password
    assert site.get("/api/issues", Authorization=f"Bearer {ALL}").status == 200
    signed = TimestampSigner(passwords.session_key(""), salt=COOKIE).sign("in").decode()
    for headers in (
        {},
        {"Host": "localhost"},
        {"Authorization": basic("")},
        {"Cookie": f"{COOKIE}={signed}"},
    ):
        answer = site.get("/api/issues", **headers)
        assert answer.status == 401, headers
        assert answer.headers["www-authenticate"] == 'Bearer realm="Catchwater"'
    page = site.get("/", **A_PERSON)
    assert page.status == 401
    assert "<form" not in page.text.partition("<main")[2].partition("</main>")[0]
    assert "catchwater token new" in page.text
    assert site.get("/login", "POST").headers.get("set-cookie") is None
    assert site.get("/healthz").status == 200


@pytest.fixture
def two_projects(locked: Site, mongo: Mongo) -> Site:
    """A site with two projects. What each has says so: `marker2` is nowhere in an address."""
    for project in ("1", "2"):
        fill(mongo, project)
    return locked


def fill(mongo: Mongo, project: str) -> None:
    marker, release, at = f"marker{project}", f"r{project}@1", made.moment(minutes=3)
    texts = {"type": marker, "message": f"word{project}", "culprit": marker}
    one = made.issue(f"word{project}", project=project, first_release=release, **texts)
    mongo.issues.insert_one(one)
    mongo.hours.insert_one(made.hour(one, at, 5))
    mongo.tags.insert_one(made.tags(one, at, {"browser": {marker: 3}}))
    sample = made.sample(one, project * 32, at, environment=marker)
    mongo.samples.insert_one(sample | {"user": [digest("id:u-81")]})
    seen = {"project": project, "release": release, "first_seen": at, "last_seen": at}
    mongo.releases.insert_one({"_id": f"{project}:{release}", **seen})
    mark = {"project": project, "release": release, "environment": marker, "at": at}
    mongo.deploys.insert_one({"_id": project, **mark})


LISTS = (
    *("/", "/?sort=count", "/?q=is:unresolved&sort=trend", "/releases"),
    *("/api/issues", "/api/issues?q=user:u-81", "/api/releases", "/api/projects"),
)
SECOND = made.identity("word2", "2")
OF_SECOND = (
    *(f"/issues/{SECOND}", f"/issues/{SECOND}.md", f"/events/{'2' * 32}", "/releases/2/r2%401"),
    *(f"/api/issues/{SECOND}", f"/api/events/{'2' * 32}", "/api/releases/2/r2%401"),
)
ASKING = (
    *("/?q=word2", "/?project=2", "/?q=project:2+word2&sort=count", "/releases?project=2"),
    *("/api/issues?project=2", "/api/issues?q=word2", "/api/issues?q=new-in:r2*"),
    "/api/releases?project=2",
)
SHOWS_NO_ISSUES = ("/releases", "/api/releases", "/api/projects")
SECRETS = ("marker2", "office", "1123456789abcdef")
"""Texts of the second project, its name, and its key."""


@pytest.mark.parametrize("path", [*LISTS, *OF_SECOND, *ASKING])
def test_a_token_of_one_project_shows_nothing_of_another(two_projects: Site, path: str):
    answer = two_projects.get(path, Authorization=f"Bearer {OF_ONE}")
    assert [one for one in SECRETS if one in answer.text] == []
    assert answer.status == (404 if path in OF_SECOND else 200)
    whole = two_projects.get(path, Authorization=f"Bearer {ALL}")
    assert whole.status == 200
    assert any(one in whole.text for one in SECRETS), "the test would see it"
    assert whole.headers["etag"] != answer.headers.get("etag")


@pytest.mark.parametrize("path", LISTS)
def test_it_shows_its_own_project_whole(two_projects: Site, path: str):
    answer = two_projects.get(path, Authorization=f"Bearer {OF_ONE}")
    assert "marker1" in answer.text or path in SHOWS_NO_ISSUES
    assert "r2@1" not in answer.text
    one = made.identity("word1")
    for own in (f"/issues/{one}", f"/api/issues/{one}", f"/issues/{one}.md", "/releases/1/r1%401"):
        assert "marker1" in two_projects.get(own, Authorization=f"Bearer {OF_ONE}").text


def test_a_collection_that_nobody_thought_of_shows_nothing_of_another_project(mongo_url: str):
    reader = MongoReader(mongo_url, only={"project": "1"})
    assert reader._within("a new one", {"_id": "x"}) == {"$and": [{"project": "1"}, {"_id": "x"}]}
    assert MongoReader(mongo_url)._within("a new one", {"_id": "x"}) == {"_id": "x"}


@pytest.mark.parametrize("path", ["/pipeline", "/api/pipeline"])
def test_the_pipeline_is_of_all_projects(locked: Site, path: str):
    answer = locked.get(path, Authorization=f"Bearer {OF_ONE}")
    assert answer.status == 403
    assert "this token is for project 1 only" in answer.text.replace("&#39;", "'")


def test_every_page_and_answer_is_asked_for_with_the_limited_token():
    asked = {one.partition("?")[0] for one in (*LISTS, *OF_SECOND, *ASKING)}
    asked |= {"/pipeline", "/api/pipeline"}
    free = {"/healthz", "/static/{name}", "/api/openapi.json"}
    for route in [*api.routes, *pages.routes]:
        assert isinstance(route, web.RouteDef)
        pattern = re.sub(r"{(\w+):\.\+}", "{\\1}", route.path)
        path = re.compile(re.sub(r"{\w+}", "[^/]+", re.escape(pattern).replace("\\", "")))
        assert route.path in free or any(path.fullmatch(one) for one in asked), route.path


@given(st.lists(st.tuples(st.binary(min_size=1), st.sampled_from(["", "1", "23"])), max_size=5))
def test_a_setting_reads_as_it_was_written(given_: list[tuple[bytes, str]]):
    known = tuple(ReadToken.of(token.hex(), project) for token, project in given_)
    assert Tokens.parse(" , ".join(map(str, known))) == Tokens(known)
    for token, _ in given_:
        found = Tokens(known).find(token.hex().encode())
        assert found is not None
        assert found.digest == ReadToken.of(token.hex()).digest


def test_the_command_makes_a_token_that_the_printed_line_makes_valid():
    for more, project in (([], ""), (["--project", "23"], "23")):
        done = CliRunner().invoke(token_command, ["new", *more])
        token, line = done.stdout.splitlines()
        name, _, setting = line.partition("=")
        assert name == "CATCHWATER_DASHBOARD_TOKENS"
        assert re.fullmatch(r"cwr_[A-Za-z0-9_-]{43}", token)
        assert token not in setting
        found = Tokens.parse(setting).find(token.encode())
        assert found is not None
        assert found.project == project
    wrong = CliRunner().invoke(token_command, ["new", "--project", "shop"])
    assert (wrong.exit_code, wrong.stdout) == (2, "")
    assert "'shop' is no project's id" in wrong.output


@pytest.mark.parametrize(
    ("value", "why"),
    [
        (f"{ReadToken.of(OLD)},{ALL}", "number 2 of 2 is a token itself"),
        ("sha256:abc", "number 1 of 1 is not sha256:HEX or sha256:HEX:PROJECT"),
        (f"{ReadToken.of(OLD)}:shop", "number 1 of 1 is not"),
        (f"{ReadToken.of(OLD)},", "number 2 of 2 is not"),
    ],
)
def test_what_is_no_hash_of_a_token_is_refused_at_the_start(value: str, why: str):
    env = {"CATCHWATER_DASHBOARD_TOKENS": value}
    result = CliRunner().invoke(dashboard_command, ["--port", "0"], env=env)
    assert result.exit_code == 2
    assert why in " ".join(result.output.replace("\u2502", "").split())
    assert "`catchwater token new` makes one" in " ".join(result.output.split())
    assert ALL not in result.output


def test_neither_token_nor_hash_is_in_the_text_of_the_guard():
    shown = repr(Guard("0.0.0.0", PASSWORD, tokens=KNOWN))
    assert ALL not in shown
    assert KNOWN.known[0].digest.hex() not in shown
    assert repr(KNOWN.known[0].digest) not in shown


@pytest.mark.parametrize("sent", [("", ALL), ("", OF_ONE), (PASSWORD, "")])
def test_a_probe_asks_with_a_token(two_projects: Site, sent: tuple[str, str]):
    asks = probe._asks(two_projects.url, probe._authorization(*sent))
    assert asks("1" * 32)
    assert not asks("3" * 32)
    with pytest.raises(NotShownError, match="set CATCHWATER_DASHBOARD_PASSWORD or"):
        probe._asks(two_projects.url, probe._authorization("", "cwr_wrong"))("1" * 32)


@pytest.mark.parametrize(
    "guard",
    [
        Guard("0.0.0.0", tokens=KNOWN),
        Guard("0.0.0.0", sign_in=ProxySignIn.of("X-User", "10.0.0.7")),
        Guard("0.0.0.0", PASSWORD, tokens=KNOWN),
        Guard("127.0.0.1"),
    ],
    ids=["tokens", "a proxy", "both", "this machine"],
)
def test_other_machines_may_reach_what_a_token_or_a_proxy_opens(guard: Guard):
    _check(guard)


@pytest.mark.parametrize(
    "guard", [Guard("0.0.0.0"), Guard("0.0.0.0", "short", tokens=KNOWN)], ids=["none", "short"]
)
def test_a_token_is_no_reason_for_a_short_password(guard: Guard):
    with pytest.raises(UsageError, match=r"can be reached from other|or more are needed"):
        _check(guard)
