"""While a master of a Redis Cluster is away, what the others have is seen, and their part of a
spool reaches them.
"""

from __future__ import annotations

from contextlib import ExitStack
from urllib.request import urlopen

import pytest
from click.testing import CliRunner
from prometheus_client.parser import text_string_to_metric_families

from catchwater.commands.cli import catchwater
from catchwater.errors import UnavailableError
from catchwater.monitoring import snapshot as snapshots
from catchwater.monitoring.audit import make_audit
from catchwater.monitoring.snapshot import take
from catchwater.redis_client import Connection
from tests.ingest.conftest import made
from tests.pipelines import Pipeline
from tests.servers.replicated import settled, stages
from tests.servers.sick_masters import WAIT_S, Healthy, frozen, gone, refusing, sent
from tests.servers.test_cluster_faults import EIGHT
from tests.waiting import wait_until

SICK = 1


def gauges(ingest, name, label):
    """The samples of a gauge of ingest, by the value of the label."""
    with urlopen(f"http://127.0.0.1:{ingest.ops_port}/metrics", timeout=10) as answer:
        families = list(text_string_to_metric_families(answer.read().decode()))
    samples = (one for family in families for one in family.samples if one.name == name)
    return {one.labels[label]: one.value for one in samples}


@pytest.mark.chaos
@pytest.mark.timeout(400)
@pytest.mark.parametrize(("sick", "number"), [(frozen, 0), (gone, 1), (frozen, 2)])
def test_the_depth_of_the_others_is_seen_and_the_sick_node_is_named(
    masters,
    defs,
    tmp_path,
    sick,
    number,
):
    healthy, node = Healthy(masters.url, defs, number), masters.masters[number]
    tags = len(healthy._tags)
    name = f"127.0.0.1:{node.port}"
    with made(masters.url, tmp_path, pipeline=EIGHT) as ingest:
        assert sent(ingest, range(60)) == 60
        mine = lambda end: sum(map(healthy.has, range(end)))  # noqa: E731 - waited for
        depth = lambda: gauges(ingest, "catchwater_depth", "stage").get("name")  # noqa: E731 - waited for
        wait_until(lambda: (depth() or 0) >= 60, "all wait", WAIT_S)
        # A slow machine may have some twice: out of the spool, too.
        shows = lambda least: seen(depth) == healthy.waiting("raw") >= least  # noqa: E731 - waited for
        with sick(node):
            away = {name: 8 - tags}
            said = lambda: gauges(ingest, "catchwater_partitions_away", "node") == away  # noqa: E731 - waited for
            wait_until(said, "it is said who is away", WAIT_S)
            wait_until(lambda: shows(mine(60)), "what the others have", WAIT_S)
            for end in range(80, 400, 40):
                first = end - 40 if end > 80 else 60
                assert sent(ingest, range(first, end)) == end - first
                wait_until(lambda end=end: shows(mine(end)), "what comes is seen", WAIT_S)
        wait_until(lambda: (depth() or 0) >= 360, "all is seen again", WAIT_S)
        assert gauges(ingest, "catchwater_partitions_away", "node") == {}
    healthy.close()


def seen(depth):
    """Each look shows something: none waits for who is away, or shows nothing meanwhile."""
    found = depth()
    assert found is not None
    return found


@pytest.mark.chaos
@pytest.mark.timeout(400)
@pytest.mark.parametrize("sick", [frozen, refusing, gone])
def test_the_spool_is_drained_to_the_others(masters, defs, tmp_path, sick):
    """It stopped at its first event for a master that is away, however many came after that."""
    healthy = Healthy(masters.url, defs, SICK)
    with made(masters.url, tmp_path, pipeline=EIGHT) as ingest, ExitStack() as others:
        with sick(masters.masters[SICK]):
            for number in (0, 2):
                others.enter_context(sick(masters.masters[number]))
            assert sent(ingest, range(1200)) == 1200
            others.close()
            mine = sum(map(healthy.has, range(1200)))
            spooled = lambda: ingest.metric("catchwater_spool_depth")  # noqa: E731 - waited for
            wait_until(lambda: spooled() == 1200 - mine, "only the sick one's are left", WAIT_S)
            assert sent(ingest, range(1200, 1300)) == 100
            with stages(masters.url, defs):
                mine = sum(map(healthy.has, range(1300)))
                wait_until(lambda: healthy.done()["count"] == mine, "they are counted", WAIT_S)
        with stages(masters.url, defs):
            found = wait_until(lambda: settled(ingest, masters.url, defs, 1300), "all", WAIT_S)
    healthy.close()
    assert (found.counted, found.dead, found.missing, found.lost_by_redis) == (1300, 0, 0, 0)


@pytest.mark.chaos
@pytest.mark.timeout(400)
def test_what_is_shown_and_refused_is_that_of_the_others(masters, defs, tmp_path, event):
    """And what needs all says so."""
    healthy, node = Healthy(masters.url, defs, SICK), masters.masters[SICK]
    Pipeline(masters.url, defs, Connection(masters.url)).add("raw", *map(event, range(80)))
    whole = take(snapshots.connect(masters.url), defs)
    assert (whole.accepted, whole.away) == (80, {})
    with gone(node):
        connection = snapshots.connect(masters.url)
        found = wait_until(lambda: partial(connection, defs), "the others are seen", WAIT_S)
        mine = sum(map(healthy.has, range(80)))
        assert make_audit(found).accepted == found.stages[0].depth == mine
        assert make_audit(found).adds_up
        known = 8 - found.away[f"127.0.0.1:{node.port}"]
        assert set(found.epochs) == set(healthy._tags)
        assert found.waiting("raw") == mine * 8 // known, "limits are as if all were like these"
        with pytest.raises(UnavailableError, match=f"partitions of 127.0.0.1:{node.port}"):
            take(connection, defs)
        shown = run("status", masters.url, tmp_path)
        assert f"partitions of 127.0.0.1:{node.port} cannot be read" in shown.output
        assert f"accepted {mine}," in shown.output
        audited = run("audit", masters.url, tmp_path, "--mongo-url", "mongodb://127.0.0.1:1")
        assert audited.exit_code == 1
        assert f"of what can be read: {8 - known} partitions of 127.0.0.1" in audited.output
    healthy.close()


def partial(connection, defs):
    found = snapshots.take_partial(connection, defs)
    return found if found.away else None


def run(command, url, folder, *options):
    arguments = [command, "--redis-url", url, "--streamdefs", str(folder / "defs.yaml"), *options]
    return CliRunner().invoke(catchwater, arguments)
