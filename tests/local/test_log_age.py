"""What has left Redis leaves its log, too, a day later."""

from __future__ import annotations

from contextlib import suppress

import pytest

from catchwater.local.log_age import AGAIN_AFTER_S, REWRITE_AFTER_S, LogAge
from catchwater.local.servers import RedisServer
from catchwater.redis_client import Connection
from tests.waiting import wait_until

SECRET = "jane@example.com"
DAY_S = 24 * 3600


@pytest.fixture
def server(tmp_path):
    one = RedisServer(tmp_path / "redis")
    yield one
    one.stop()


def written(server):
    found = b""
    for path in server.data.rglob("*.aof*"):
        with suppress(FileNotFoundError):  # Redis has just deleted it
            found += path.read_bytes()
    return found


def test_a_deleted_event_is_gone_from_the_disk_after_a_day(server):
    at = [0.0]
    server.start()
    connection = Connection(server.url)
    age = LogAge(server, lambda: at[0])
    at[0] = AGAIN_AFTER_S
    age.look()
    wait_until(lambda: connection.info("persistence")["aof_rewrite_in_progress"] == "0", "it is")
    connection.call("XADD", "cw:{p0}:stream:raw", "1-1", "body", SECRET)
    connection.call("XTRIM", "cw:{p0}:stream:raw", "MINID", "~", "1-2")
    connection.call("XADD", "cw:{p0}:stream:raw", "2-1", "body", "another")
    at[0] += REWRITE_AFTER_S - 1
    age.look()
    assert SECRET.encode() in written(server), "not yet: rewriting costs something"
    at[0] += 1
    age.look()
    wait_until(lambda: SECRET.encode() not in written(server), "it is gone")
    assert b"another" in written(server)
    connection.close()
    assert REWRITE_AFTER_S <= DAY_S


def test_a_redis_that_is_away_is_asked_again_in_a_minute(server):
    at = [0.0]
    age = LogAge(server, lambda: at[0])
    at[0] = AGAIN_AFTER_S
    age.look()
    server.start()
    server.data.joinpath("log").write_text("")
    age.look()
    assert "rewriting" not in server.log.read_text()
    at[0] += AGAIN_AFTER_S
    age.look()
    wait_until(lambda: "rewriting" in server.log.read_text(), "it is rewritten")
