"""The description of the JSON API holds, whatever is asked."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import orjson
import pytest
import schemathesis
from aiohttp import web

from dashboard import api, pages
from dashboard.openapi import document
from dashboard.security import Guard
from dashboard.tokens import ReadToken, Tokens
from tests.dashboard import documents as made

if TYPE_CHECKING:
    from pymongo.database import Database

    from catchwater.redis_client import Connection
    from tests.dashboard.conftest import Open, Site

    Mongo = Database[dict[str, Any]]

TOKEN = "cwr_one"
EVENT, RELEASE = "ab" * 16, "shop/web@1.10.0"
ONE = made.issue("pay", regressed={"at": made.moment(), "release": RELEASE})
KNOWN = {
    "/api/issues/{id}": {"id": ONE["_id"]},
    "/api/releases/{project}/{id}": {"project": "1", "id": RELEASE},
    "/api/events/{id}": {"id": EVENT},
    "/issues/{id}.md": {"id": ONE["_id"]},
}
OWN = web.Application()
OWN.add_routes([*api.routes, *pages.routes])
DESCRIPTION = document(OWN.router)
PATHS = list(DESCRIPTION["paths"])

FUZZ = (
    "--checks=all",
    "--exclude-checks=positive_data_acceptance",  # what `q` and `since` may say is said in words
    "--max-examples=12",
    "--generation-deterministic",
    "--warnings=off",
)


@pytest.fixture
def filled(site: Site, mongo: Mongo) -> Site:
    fill(mongo)
    return site


@pytest.fixture
def locked(
    opened: Open,
    mongo: Mongo,
    mongo_url: str,
    redis: Connection,
    monkeypatch: pytest.MonkeyPatch,
) -> Site:
    """It takes passwords and tokens, and what programs send is the token. Nobody waits, so that
    each wrong one is looked at.
    """
    fill(mongo)
    guard = Guard("0.0.0.0", "open sésame, please", tokens=Tokens((ReadToken.of(TOKEN),)))
    monkeypatch.setattr(guard.guesses, "wait_s", lambda *_: 0.0)
    site = opened(mongo_url, redis.url, guard)
    site.sent["Authorization"] = f"Bearer {TOKEN}"
    return site


def fill(mongo: Mongo) -> None:
    at = made.moment(minutes=3)
    said = {"state": "ignored", "handling": {"at": at, "events": 900}}
    escalated = {"escalated": {"at": at, "why": "900 events"}, "notes": [{"at": at, "text": "?"}]}
    into = {"state": "merged", "handling": {"at": at, "into": ONE["_id"]}}
    merged = made.issue("old", **into, continued={"at": at, "into": ONE["_id"]})
    absorbed = {"absorbed": {merged["_id"].replace(".", "%2E"): 3}}
    issues = [ONE | escalated | absorbed, merged, made.issue("b", **said), {"_id": "1:v1:odd"}]
    mongo.issues.insert_many(issues)
    mongo.hours.insert_one(made.hour(ONE, at, 5))
    mongo.tags.insert_one(made.tags(ONE, at, {"browser": {"Chrome 156": 3}}))
    mongo.samples.insert_one(made.sample(ONE, EVENT, at))
    seen = {"first_seen": made.moment(days=1), "last_seen": at}
    mongo.releases.insert_one({"_id": f"1:{RELEASE}", "project": "1", "release": RELEASE, **seen})
    mark = {"project": "1", "release": RELEASE, "environment": "production", "at": at}
    mongo.deploys.insert_one({"_id": "1", **mark})


@pytest.fixture
def schema(filled: Site) -> Any:
    return loaded(filled)


def loaded(site: Site) -> Any:
    """The description as it is served; here an answer may have no field that it does not name."""
    schema = schemathesis.openapi.from_dict(closed(site.get("/api/openapi.json").json))
    schema.config.update(base_url=site.url)
    return schema


def closed(schema: Any) -> Any:
    if isinstance(schema, list):
        return [closed(one) for one in schema]
    if not isinstance(schema, dict):
        return schema
    inner = {name: closed(one) for name, one in schema.items()}
    is_model = isinstance(schema.get("properties"), dict) and schema.get("type") == "object"
    return {"additionalProperties": False, **inner} if is_model else inner


def test_every_route_for_programs_is_described():
    gets = [one for one in OWN.router.routes() if one.method == "GET"]
    paths = {one.resource.canonical for one in gets if one.resource}
    programs = {one for one in paths if one.startswith("/api/") or one.endswith(".md")}
    assert programs == set(PATHS)


@pytest.mark.parametrize("path", PATHS)
def test_what_there_is_is_answered_as_described(schema: Any, path: str):
    case = schema[path]["GET"].Case(path_parameters=KNOWN.get(path, {}))
    answer = case.call()
    case.validate_response(answer)
    assert answer.status_code == 200


def test_whatever_is_asked_is_answered_as_described(filled: Site, tmp_path: Path):
    """Every operation, with parameters as described and with others."""
    fuzz(filled, tmp_path)


def test_it_says_what_has_to_be_sent_and_nothing_is_answered_without_it(
    locked: Site, tmp_path: Path
):
    said = locked.get("/api/openapi.json").json
    assert said["security"] == [{"password": []}, {"token": []}]
    fuzz(locked, tmp_path, "--header", f"Authorization: {locked.sent['Authorization']}")


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({}, [{}]),
        ({"password": True}, [{"password": []}]),
        ({"tokens": True}, [{"token": []}]),
    ],
)
def test_only_ways_that_are_taken_are_described(given: dict[str, bool], said: list[Any]):
    assert document(OWN.router, **given)["security"] == said


def fuzz(filled: Site, tmp_path: Path, *more: str) -> None:
    (path := tmp_path / "openapi.json").write_bytes(
        orjson.dumps(closed(filled.get("/api/openapi.json").json))
    )
    command = [*(sys.executable, "-m", "schemathesis.cli", "run", str(path)), "--url", filled.url]
    done = subprocess.run(
        [*command, *FUZZ, *more], check=False, capture_output=True, text=True, cwd=tmp_path
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert f"Tested: {len(PATHS)}\n" in done.stdout
