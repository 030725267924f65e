"""The panels show something: a whole Catchwater, a real Prometheus, and every query of the
dashboard.
"""

from __future__ import annotations

import json
import math
from collections import defaultdict

import pytest

from tests.chaos.system import ChaosSystem
from tests.missing import program
from tests.ops.prometheus import Prometheus
from tests.ops.tool import OPS, ROOT
from tests.waiting import wait_until

PANELS = json.loads((OPS / "grafana/dashboards/catchwater.json").read_text())["panels"]
QUERIES = [
    target["expr"].replace("$__rate_interval", "1m")
    for panel in PANELS
    for target in panel["targets"]
]
EVENTS = 40


@pytest.fixture
def system(tmp_path):
    program("prometheus")
    with ChaosSystem(tmp_path, ROOT) as system:
        yield system


def post(system):
    reports = [
        {"type": "TypeError", "message": f"x{n} is undefined", "page": "https://a.example/"}
        for n in range(4)
    ]
    assert system.post(reports) == 204


def targets(system):
    found = defaultdict(list)
    for name, port in system.ports["ops"].items():
        found[name.rpartition("-")[0]].append(port)
    found.pop("demo", None)
    return found


def value(sample):
    return float(sample["value"][1])


@pytest.mark.timeout(240)
def test_every_query_of_the_dashboard_finds_something_and_no_alert_fires(system, tmp_path):
    with Prometheus(tmp_path / "prometheus", targets(system)) as prometheus:
        wait_until(
            lambda: prometheus.query("min(catchwater_redis_up) == 1"), "everything is scraped"
        )

        def shows(query):
            post(system)
            found = prometheus.query(query)
            return found and not any(math.isnan(value(sample)) for sample in found)

        for query in QUERIES:
            wait_until(lambda query=query: shows(query), f"{query} answers", timeout=60)
        wait_until(
            lambda: prometheus.query(f'max(catchwater_audit{{part="stored"}}) >= {EVENTS}'),
            "events are stored",
        )
        assert prometheus.query('ALERTS{alertstate="firing"}') == []


def test_every_panel_has_a_title_a_query_and_a_place_of_its_own():
    assert all(panel["title"] and panel["targets"] for panel in PANELS)
    places = [(panel["gridPos"]["x"], panel["gridPos"]["y"]) for panel in PANELS]
    assert len(set(places)) == len(places)
    assert len({panel["id"] for panel in PANELS}) == len(PANELS)


def test_only_what_may_be_absent_is_shown_as_nothing():
    defaulted = {
        query.split("catchwater_")[1].split("[")[0].split(")")[0]
        for query in QUERIES
        if "or vector" in query
    }
    assert defaulted == {"refused_total", "dropped", "trouble_total", "lost_total"}
