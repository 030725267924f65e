"""On a real Redis Cluster of three masters each call stays in one slot, and all is exact."""

from __future__ import annotations

import threading
from collections import Counter
from itertools import count
from pathlib import Path

import pytest

from catchwater import metrics
from catchwater.answers import Emit, Reject
from catchwater.cluster_address import ClusterAddress
from catchwater.cluster_slots import Range
from catchwater.commands.cluster_checks import shape_problems
from catchwater.commands.server_checks import redis_problems
from catchwater.config import hash_slots
from catchwater.config.streamdefs import load
from catchwater.errors import RefusedError, UnavailableError
from catchwater.monitoring import event_search
from catchwater.redis_client import Connection
from catchwater.streams import dead_letters
from catchwater.streams.consumer import Consumer, prepare
from catchwater.streams.keys import stream
from tests.ingest.conftest import made
from tests.pipelines import PIPELINE, Pipeline
from tests.servers.cluster import cluster
from tests.servers.replicated import audit, post, settled, stages
from tests.waiting import wait_until

WAIT_S = 60
ACL = Path(__file__).parents[2] / "ops/access/redis.acl"
EIGHT = PIPELINE.replace("partitions: 2", "partitions: 8")


@pytest.fixture(scope="module")
def masters(tmp_path_factory):
    """Three masters without replicas; each test begins with them empty."""
    with cluster(tmp_path_factory.mktemp("cluster"), replicas=0) as one:
        yield one


@pytest.fixture
def pipeline(masters, tmp_path):
    for node in masters.masters:
        node.call("FLUSHALL")
        node.call("SCRIPT", "FLUSH")
    (tmp_path / "streamdefs.yaml").write_text(EIGHT)
    defs = load(tmp_path / "streamdefs.yaml")
    connection = Connection(masters.url)
    prepare(connection, defs)
    one = Pipeline(masters.url, defs, connection)
    yield one
    for each in (connection, *one.opened):
        each.close()


def test_an_address_of_a_cluster_is_read():
    at = ClusterAddress.parse("redis+cluster://me:p%40ss@a:1,b,[::1]:3/0?socket_timeout=2")
    assert at.url == "redis://me:p%40ss@a:1/0?socket_timeout=2"
    assert at.others == [("b", 6379), ("::1", 3)]
    assert ClusterAddress.parse("rediss+cluster://a").url == "rediss://a"


def test_a_node_of_a_cluster_has_the_login_and_the_options_of_all():
    at = ClusterAddress.parse("rediss+cluster://me:p%40ss@a:1,b/0?ssl_cert_reqs=none")
    assert at.node("10.0.0.1", 7) == "rediss://me:p%40ss@10.0.0.1:7/0?ssl_cert_reqs=none"
    assert ClusterAddress.parse("redis+cluster://a").node("::1", 7) == "redis://[::1]:7/0"


@pytest.mark.parametrize("nodes", [2, 3, 4, 5, 8])
@pytest.mark.parametrize("partitions", [8, 16, 64])
def test_the_partitions_are_spread_evenly_over_the_masters(partitions, nodes):
    slots = [hash_slots.slot(tag) for tag in hash_slots.tags(partitions)]
    shares = Counter(slot * nodes // hash_slots.SLOTS for slot in slots)
    assert len(shares) == nodes
    assert max(shares.values()) <= partitions / nodes + 2


def test_events_come_through_ingest_and_all_stages_exactly_once(masters, pipeline, tmp_path):
    numbers = count()
    with made(masters.url, tmp_path, pipeline=EIGHT) as ingest, stages(masters.url, pipeline.defs):
        accepted = sum(post(ingest, next(numbers)) for _ in range(200))
        assert sum(post(ingest, number) for number in range(50)) == 50, "sent again"
        wait_until(lambda: settled(ingest, masters.url, pipeline.defs, 200), "all", WAIT_S)
        assert ingest.ready() == ""
    found = audit(masters.url, pipeline.defs)
    assert (accepted, found.counted) == (200, 200)
    assert found.duplicates >= 50, "more if Redis was so slow that some went to the spool, too"
    assert found.adds_up
    assert found.depth == found.dead == found.lost_by_redis == 0
    sizes = [node.call("DBSIZE") for node in masters.masters]
    assert min(sizes) > 0.2 * sum(sizes), "each master has about a third"


def test_dead_letters_are_listed_replayed_and_dropped(pipeline, event):
    events = [event(number) for number in range(20)]
    pipeline.add("raw", *events)
    rejecting = lambda batch: [Reject("bad") for _ in batch]  # noqa: E731 - a stage of one line
    with pipeline.loop("name", rejecting):
        wait_until(lambda: audit(pipeline.url, pipeline.defs).dead == 20, "all are dead", WAIT_S)
    letters = list(dead_letters.letters(pipeline.connection, pipeline.defs))
    assert len(letters) == 20
    assert all(dead_letters.drop(pipeline.connection, one) for one in letters[:5])
    assert all(dead_letters.replay(pipeline.connection, pipeline.defs, one) for one in letters[5:])
    assert not any(dead_letters.drop(pipeline.connection, one) for one in letters)
    with pipeline.loop("name", lambda batch: [Emit(one, once=one.id) for one in batch]):
        wait_until(lambda: len(pipeline.ids("named")) == 15, "the others are emitted", WAIT_S)


def test_a_node_that_has_forgotten_its_scripts_is_given_them_again(masters, pipeline, event):
    pipeline.add("raw", *(event(number) for number in range(30)))
    with pipeline.loop("name", lambda batch: [Emit(one, once=one.id) for one in batch]):
        for number in range(30, 60):
            masters.masters[number % 3].call("SCRIPT", "FLUSH")
            pipeline.add("raw", event(number))
        wait_until(lambda: len(pipeline.ids("named")) == 60, "all are emitted", WAIT_S)


def test_a_command_whose_reply_was_lost_is_not_sent_again(masters, pipeline):
    """redis-py's own client would send it ten times more."""
    key = stream(pipeline.defs.tags[0], "raw")
    slow = "redis.call('XADD', KEYS[1], '*', 'a', '1') for i = 1, 3e8 do end return 1"
    impatient = Connection(masters.url, timeout_s=0.3)
    impatient.call("XLEN", key)
    with pytest.raises(UnavailableError, match=r"127\.0\.0\.1:\d+: Timeout"):
        impatient.calls([("EVAL", slow, 1, key)])
    impatient.close()
    wait_until(lambda: patient(pipeline, "XLEN", key) is not None, "the script has ended", WAIT_S)
    assert pipeline.connection.call("XLEN", key) == 1


def patient(pipeline, *command):
    try:
        return pipeline.connection.call(*command)
    except UnavailableError:
        return None


def test_an_outage_of_one_node_ends_in_no_dead_letters(masters, pipeline, event):
    """Each delivery of what the others have would count as a try that killed a consumer."""
    refusing = masters.masters[0]
    pipeline.add("raw", *(event(number) for number in range(60)))
    before_it_died = pipeline.consumer("name", "a")
    before_it_died.batch_size.entries = 60
    assert before_it_died.read()
    worked = threading.Event()

    def work(batch):
        worked.set()
        return [Emit(one, once=one.id) for one in batch]

    refusing.call("CONFIG", "SET", "min-replicas-to-write", "3")
    try:
        with pipeline.loop("name", work) as loop:
            wait_until(worked.is_set, "the other nodes' events are worked on", WAIT_S)
            said = f"{refusing.port}: NOREPLICAS"
            wait_until(lambda: said in loop.not_ready_reason, "it says who refuses", WAIT_S)
            tried = metrics.TROUBLE.labels("name", "Unavailable")._value
            before = tried.get()
            wait_until(lambda: tried.get() > before + 5, "it is tried often", WAIT_S)
            refusing.call("CONFIG", "SET", "min-replicas-to-write", "0")
            wait_until(lambda: len(pipeline.ids("named")) == 60, "all are emitted", WAIT_S)
    finally:
        refusing.call("CONFIG", "SET", "min-replicas-to-write", "0")
    assert audit(pipeline.url, pipeline.defs).dead == 0


@pytest.mark.parametrize("nodes", ["redis+cluster", "redis"])
def test_an_address_of_the_other_kind_gets_one_sentence(masters, redis_url, tmp_path, nodes):
    url = (
        redis_url.replace("redis://", "redis+cluster://")
        if nodes == "redis+cluster"
        else masters.masters[0].url
    )
    (tmp_path / "streamdefs.yaml").write_text(EIGHT)
    defs = load(tmp_path / "streamdefs.yaml")
    connection = Connection(url)
    with pytest.raises(RefusedError, match=r"write its address as redis(\+cluster)?://"):
        prepare(connection, defs)
    connection.close()


def test_nodes_that_are_away_are_said_to_be(tmp_path):
    connection = Connection("redis+cluster://127.0.0.1:1,127.0.0.1:2")
    with pytest.raises(UnavailableError, match=r"Redis is away: .*refused"):
        connection.call("PING")


def test_a_consumer_reads_of_the_nodes_that_answer(masters, pipeline, event):
    pipeline.add("raw", *(event(number) for number in range(40)))
    consumer: Consumer = pipeline.consumer("name")
    consumer.batch_size.entries = 400
    masters.masters[1].call("CONFIG", "SET", "min-replicas-to-write", "3")
    try:
        batch = consumer.read()
        assert 10 < len(batch) < 40
        with pytest.raises(UnavailableError, match="NOREPLICAS"):
            consumer.raise_deferred()
    finally:
        masters.masters[1].call("CONFIG", "SET", "min-replicas-to-write", "0")
    wait_until(lambda: batch.extend(consumer.read()) or len(batch) == 40, "the others", WAIT_S)
    consumer.raise_deferred()


def test_the_live_check_says_what_a_cluster_lacks(masters, pipeline):
    found = list(redis_problems(masters.url, pipeline.defs))
    for node in masters.masters:
        at = f"127.0.0.1:{node.port}"
        assert any(one.startswith(f"{at} has no replica") for one in found)
        assert any(one.startswith(f"{at}: cluster-require-full-coverage is yes") for one in found)
        assert any(one.startswith(f"{at}: min-replicas-to-write is 0") for one in found)
    node = masters.masters[0]
    node.call("CONFIG", "SET", "appendfsync", "everysec")
    node.call("CONFIG", "SET", "maxmemory-policy", "allkeys-lru")
    try:
        more = set(redis_problems(masters.url, pipeline.defs)) - set(found)
    finally:
        node.call("CONFIG", "SET", "appendfsync", "always")
        node.call("CONFIG", "SET", "maxmemory-policy", "noeviction")
    assert len(more) == 2
    assert all(one.startswith(f"127.0.0.1:{node.port}: ") for one in more)


def test_the_live_check_finds_nothing_at_a_cluster_as_it_should_be(tmp_path):
    settings = ("--cluster-require-full-coverage", "no", "--min-replicas-to-write", "1")
    with cluster(tmp_path, 3, 3, *settings) as one:
        problems = lambda: list(redis_problems(one.url, load(None)))  # noqa: E731 - asked again
        wait_until(lambda: not problems(), "all nodes know of all replicas", WAIT_S)


@pytest.mark.parametrize(
    ("ranges", "said"),
    [
        ([(0, 16_000, 1), (16_001, 16_300, 2), (16_301, 16_383, 3)], "8 of 8 partitions are on"),
        ([(0, 8191, 1), (8192, 16_383, 2)], "it has 2 masters"),
        ([(0, 5000, 1), (5001, 10_000, 2), (10_002, 16_383, 3)], "1 slots have no node"),
    ],
)
def test_a_lopsided_cluster_is_named(ranges, said):
    places = [Range(first, last, [("a", n), ("a", -n)]) for first, last, n in ranges]
    found = list(shape_problems(places, hash_slots.tags(8)))
    assert len(found) == 1
    assert said in found[0]


def test_what_one_node_has_is_not_added_again_while_another_refuses(masters, pipeline, tmp_path):
    """Each try to drain the spool would add the other nodes' events once more."""
    refusing = masters.masters[2]
    with made(masters.url, tmp_path, pipeline=EIGHT) as ingest:
        refusing.call("CONFIG", "SET", "min-replicas-to-write", "3")
        try:
            assert sum(post(ingest, number) for number in range(60)) == 60
            tries = lambda: ingest.log().count("the spool cannot be drained")  # noqa: E731 - waited for
            wait_until(lambda: tries() > 2, "it is tried often", WAIT_S)
        finally:
            refusing.call("CONFIG", "SET", "min-replicas-to-write", "0")
        wait_until(lambda: ingest.metric("catchwater_spool_depth") == 0, "it is drained", WAIT_S)
    ids = Counter(pipeline.ids("raw"))
    assert len(ids) == 60
    assert max(ids.values()) <= 2, "once by the post, once out of the spool"


@pytest.fixture
def users(masters):
    """Those of ops/access, on every node; any password will do."""
    rules = [line.split() for line in ACL.read_text().splitlines() if line.startswith("user ")]
    names = [name for _, name, *_ in rules if name != "default"]
    for node in masters.masters:
        for _, name, *rule in rules:
            if name != "default":
                allowed = ["nopass" if one.startswith("#") else one for one in rule]
                node.call("ACL", "SETUSER", name, *_bracketed(allowed))
    yield lambda name: masters.url.replace("://", f"://{name}:any@")
    for node in masters.masters:
        node.call("ACL", "DELUSER", *names)


def _bracketed(words):
    """`(`, words, `)` of a selector as one word, as ACL SETUSER wants it."""
    joined, inside = [], False
    for word in words:
        if inside:
            joined[-1] += f" {word}"
        else:
            joined.append(word)
        inside = (inside or word.startswith("(")) and not word.endswith(")")
    return joined


def test_each_service_has_the_rights_that_a_cluster_needs(masters, pipeline, users, tmp_path):
    url = masters.url
    with (
        made(users("ingest"), tmp_path, pipeline=EIGHT) as ingest,
        stages(users("stage"), pipeline.defs, only={"name", "dedupe", "count"}),
        stages(users("sink"), pipeline.defs, only={"sink"}),
    ):
        accepted = sum(post(ingest, number) for number in range(40))
        assert ingest.request("POST", "/e/none", b"{}", {}).status >= 400, "a refusal to count"
        wait_until(lambda: settled(ingest, url, pipeline.defs, accepted), "all", WAIT_S)
        wait_until(lambda: audit(url, pipeline.defs).refused, "the refusal is counted", WAIT_S)
        assert "NOPERM" not in ingest.log()
    assert audit(users("dashboard"), pipeline.defs).counted == 40
    operator = Connection(users("operator"))
    assert list(dead_letters.letters(operator, pipeline.defs)) == []
    assert event_search.trace(operator, pipeline.defs, f"{1:032x}").tag in pipeline.defs.tags
    operator.close()
