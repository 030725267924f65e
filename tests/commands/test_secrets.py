"""A password in an address is shown nowhere: not in a log, a message, /readyz or an argument."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from urllib.error import HTTPError
from urllib.request import urlopen

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from catchwater import service
from catchwater.config.projects import load
from catchwater.errors import CatchwaterError, ConfigError, UnavailableError
from catchwater.local.servers import free_port
from catchwater.mongo_client import connect, translated_errors
from catchwater.redaction import redacted, redacted_address
from catchwater.redis_client import Connection
from tests.waiting import wait_until

PLANTED = "Pl4nted-S3cret"
REDIS = f"redis://app:{PLANTED}@127.0.0.1:1/0"
MONGO = f"mongodb://app:{PLANTED}@127.0.0.1:1/?serverSelectionTimeoutMS=500"
UNKNOWN_MONGO = f"mongodb+srv://app:{PLANTED}@cluster.invalid/"
KEY = "0123456789abcdef0123456789abcdef"

SERVICES = {
    "ingest": ["ingest", "--port", "0"],
    "a stage": ["stage", "dedupe"],
    "fingerprint": ["stage", "fingerprint"],
    "sink": ["sink"],
    "dashboard": ["dashboard", "--port", "0"],
    "sourcemaps": ["sourcemaps", "serve", "--port", "0", "--token", "t" * 20],
}
COMMANDS = {
    "check": ["check", "--live"],
    "status": ["status"],
    "audit": ["audit"],
    "dead letters": ["dead", "list"],
}


def settings(folder: Path, mongo: str) -> dict[str, str]:
    (folder / "projects.yaml").write_text(f'projects: [{{id: "1", name: a, key: "{KEY}"}}]')
    return os.environ | {
        "CATCHWATER_REDIS_URL": REDIS,
        "CATCHWATER_MONGO_URL": mongo,
        "CATCHWATER_PROJECTS": str(folder / "projects.yaml"),
        "CATCHWATER_SPOOL": str(folder / "spool"),
    }


@pytest.mark.parametrize("mongo", [MONGO, UNKNOWN_MONGO], ids=["no server", "no such name"])
@pytest.mark.parametrize("command", COMMANDS.values(), ids=COMMANDS)
def test_no_command_says_it(tmp_path, command, mongo):
    done = subprocess.run(
        [sys.executable, "-m", "catchwater", *command],
        env=settings(tmp_path, mongo),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.stdout + done.stderr
    assert PLANTED not in done.stdout + done.stderr


@pytest.mark.parametrize("mongo", [MONGO, UNKNOWN_MONGO], ids=["no server", "no such name"])
@pytest.mark.parametrize("command", SERVICES.values(), ids=SERVICES)
def test_no_service_says_it(tmp_path, command, mongo):
    port, log = free_port(), tmp_path / "log"
    environment = settings(tmp_path, mongo) | {"CATCHWATER_OPS_PORT": str(port)}
    with log.open("wb") as file:
        process = subprocess.Popen(
            [sys.executable, "-m", "catchwater", *command],
            env=environment,
            stdout=file,
            stderr=file,
        )
    try:
        said = wait_until(lambda: readiness(process, port), "it answers /readyz", timeout=30)
        wait_until(lambda: log.stat().st_size > 0, "it logs something")
        arguments = Path(f"/proc/{process.pid}/cmdline").read_bytes()
    finally:
        process.kill()
        process.wait()
    assert PLANTED not in said + log.read_text()
    assert PLANTED.encode() not in arguments


def readiness(process: subprocess.Popen[bytes], port: int) -> str:
    """What /readyz says; '' while it does not answer."""
    if process.poll() is not None:
        return "it has ended"
    try:
        with urlopen(f"http://127.0.0.1:{port}/readyz", timeout=5) as answer:
            return str(answer.read())
    except HTTPError as error:
        return str(error.read())
    except OSError:
        return ""


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        (REDIS, "redis://app:***@127.0.0.1:1/0"),
        ("redis://:pw@h:1/0", "redis://:***@h:1/0"),
        (
            "in rediss://u:p@ss@h/0: no, mongodb://a:b@c",
            "in rediss://u:***@h/0: no, mongodb://a:***@c",
        ),
        ("redis+sentinel://u:pw@s1:1,s2:2/n/0", "redis+sentinel://u:***@s1:1,s2:2/n/0"),
        (
            "redis+sentinel://s1/n/0?sentinel_username=u&sentinel_password=p%20w",
            "redis+sentinel://s1/n/0?sentinel_username=u&sentinel_password=***",
        ),
        ("https://shop.example:8080/a@b", "https://shop.example:8080/a@b"),
        ("unix:///tmp/redis.sock", "unix:///tmp/redis.sock"),
    ],
)
def test_only_the_password_is_taken_out(text, shown):
    assert redacted(text) == shown
    assert str(UnavailableError(text)) == shown


SECRET_CHANNELS = {
    "a number": '[{to: webhook, url: "https://h", secret: 4711}]',
    "another scheme": f'[{{to: webhook, url: "ftp://h/{PLANTED}"}}]',
    "a space": f'[{{to: slack, url: "https://h/ {PLANTED}"}}]',
    "of another kind": f'[{{to: email, url: "https://h/{PLANTED}"}}]',
    "only an address": f'["https://h/{PLANTED}"]',
    "no list": f'{{url: "https://h/{PLANTED}"}}',
    "text": f'"https://h/{PLANTED}"',
    "an alias": f"[{{secret: *{PLANTED}}}]",
    "a tag": f"[{{secret: !{PLANTED} x}}]",
}


@pytest.mark.parametrize("channels", SECRET_CHANNELS.values(), ids=SECRET_CHANNELS)
def test_no_mistake_in_projects_yaml_shows_a_secret(tmp_path, channels):
    file = tmp_path / "projects.yaml"
    file.write_text(
        f'projects: [{{id: "1", name: a, key: "{KEY}", notices: {{channels: {channels}}}}}]'
    )
    with pytest.raises(ConfigError) as caught:
        load(file)
    assert "line 1" in str(caught.value)
    assert PLANTED not in str(caught.value)
    assert "4711" not in str(caught.value)


def test_no_list_of_projects_is_not_shown(tmp_path):
    (tmp_path / "projects.yaml").write_text(f"projects: {{a: {{secret: {PLANTED}}}}}")
    with pytest.raises(ConfigError, match="a list of projects is needed, not dict"):
        load(tmp_path / "projects.yaml")


MISTYPED = (
    "{scheme}://app:{password}@127.0.0.1:1",
    "{scheme}://app:x/{password}@127.0.0.1:1",
    "{scheme}://app:12/{password}@127.0.0.1:1",
    "{scheme}://app:{password} x@127.0.0.1:1",
    "{scheme}://app:{password}@x@127.0.0.1:1",
    "{scheme}:/app:{password}@127.0.0.1:1",
    "app:{password}@127.0.0.1:1",
    ":{password}@127.0.0.1:1",
    "{scheme}x://app:{password}@127.0.0.1:1",
    "{scheme}://app:{password}#x@127.0.0.1:1",
    "{scheme}://app:{password}?x@127.0.0.1:1",
    "{scheme}://app:{password}@[127.0.0.1:1",
)


@pytest.mark.parametrize("address", MISTYPED)
@pytest.mark.parametrize("scheme", ["redis", "redis+sentinel", "mongodb", "mongodb+srv"])
def test_an_address_that_is_mistyped_is_refused_without_its_password(scheme, address):
    address = address.format(scheme=scheme, password=PLANTED)
    try:
        if scheme.startswith("redis"):
            Connection(address).call("PING")
        else:
            with translated_errors(address), connect(address) as client:
                client.admin.command("ping")
    except CatchwaterError as error:
        assert PLANTED not in str(error)  # noqa: PT017 - some of them only lead nowhere
    assert PLANTED not in redacted_address(address)


def test_a_line_of_the_log_stays_json_and_shows_no_control_character():
    texts = {"url": "mongodb://127.0.0.1:1", "to": 'a"@b', "why": ["\x9b31m\u202e", {REDIS: 1}]}
    line = service._line(texts)
    assert line.isprintable()
    assert PLANTED not in line
    assert orjson.loads(line)["to"] == texts["to"]


@given(st.text(st.characters(exclude_characters="/ \t\n", categories=["L", "N", "P"]), min_size=1))
def test_any_password_is_taken_out(password):
    planted = f"<{password}>"
    assert planted not in redacted(f"cannot reach redis://app:{planted}@host:6379/0 just now")
