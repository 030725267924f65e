"""A real Sentinel promotes a real replica under load: nothing is counted twice, and with
`--wait-replicas 1` nothing is lost.
"""

from __future__ import annotations

import os
import signal
from itertools import count
from urllib.parse import quote

import pytest

from catchwater.config.streamdefs import load
from catchwater.errors import RefusedError, UnavailableError
from catchwater.redis_client import AsyncConnection, Connection
from catchwater.sentinel_address import SentinelAddress
from catchwater.streams.consumer import prepare
from tests.ingest.conftest import made
from tests.pipelines import PIPELINE
from tests.servers.replicated import audit, post, replicated, settled, stages
from tests.waiting import wait_until


@pytest.mark.chaos
@pytest.mark.timeout(240)
@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGSTOP], ids=["killed", "frozen"])
@pytest.mark.parametrize("replicas", [0, 1])
def test_a_failover_counts_nothing_twice_and_names_what_is_lost(tmp_path, replicas, how):
    (tmp_path / "defs.yaml").write_text(PIPELINE)
    defs = load(tmp_path / "defs.yaml")
    numbers = count()
    with replicated(tmp_path) as (url, master):
        prepare(Connection(url), defs)
        options = ("--wait-replicas", str(replicas))
        with made(url, tmp_path, *options, pipeline=PIPELINE) as ingest, stages(url, defs):
            accepted = sum(post(ingest, next(numbers)) for _ in range(100))
            os.kill(master.pid, how)
            accepted += sum(post(ingest, next(numbers)) for _ in range(200))
            wait_until(
                lambda: (found := audit(url, defs)) and found.counted > 150 and found.depth == 0,
                "the replica was promoted, and the spool is drained",
                timeout=90,
            )
            accepted += sum(post(ingest, next(numbers)) for _ in range(20))
            found = wait_until(lambda: settled(ingest, url, defs, accepted), "all is counted", 60)
        os.kill(master.pid, signal.SIGCONT)
    assert accepted == 320
    assert found.missing == 0
    assert found.counted + found.lost_by_redis == accepted, "what is lost is named"
    if replicas:
        assert found.counted == accepted, "nothing is lost"


def test_an_address_of_sentinels_is_read():
    at = SentinelAddress.parse("redis+sentinel://me:p%40ss@a:1,b,[::1]:3/shop/2")
    assert at.sentinels == [("a", 1), ("b", 26_379), ("::1", 3)]
    assert (at.name, at.db, at.login) == ("shop", 2, {"username": "me", "password": "p@ss"})
    assert at.sentinel_login == {}


def test_sentinels_may_have_a_password_of_their_own(tmp_path):
    """They were asked without, and the master was never found."""
    secret = "p&ss word"
    with replicated(tmp_path, sentinel_password=secret) as (url, master):
        with pytest.raises(UnavailableError, match="No master found for 'nobody'; each Sentinel"):
            Connection(f"{url[:-6]}nobody/0?sentinel_password={quote(secret)}").call("PING")
        with pytest.raises(RefusedError, match="ask for a password: add "):
            Connection(url).call("PING")
        connection = Connection(f"{url}?sentinel_password={quote(secret)}")
        assert connection.info("server")["tcp_port"] == str(master.port)
        connection.close()


@pytest.mark.parametrize(
    "url",
    [
        "http://here",
        "redis+sentinel://a:1",
        "redis+sentinel:///shop",
        "redis+sentinel://a:1/shop?pasword=secret",
        "redis+sentinel://a:x/shop",
        "redis+cluster://",
        "redis+cluster://a:x",
        "redis+cluster://a:1,,b:2",
        "redis+cluster://user:secret@a:1/1",
        "redis+cluster://user:secret@a:1?timeout=1",
        "rediss+cluster://user:secret@a:1?ssl_cert_reqs=maybe",
        "redis://user:secret@host:port",
        "redis://user:secret@host:1/0?timeout=1",
        "unix://user:secret@/socket?timeout=1",
        "redis://user:secret@host:1/0?protocol=9",
        "rediss://user:secret@host:1/0?ssl_cert_reqs=maybe",
        "",
    ],
)
def test_a_wrong_address_gets_one_sentence_without_its_password(url):
    """It was a traceback: `ValueError: Redis URL must specify ...`."""
    with pytest.raises(RefusedError, match=r"^the Redis address '.*' cannot be used: write") as one:
        Connection(url)
    assert "secret" not in str(one.value)
    with pytest.raises(RefusedError, match="cannot be used: write"):
        AsyncConnection(url)
