"""The panels show something: a whole Catchwater, a real Prometheus, and every query of each
dashboard.
"""

from __future__ import annotations

import json
import math
import re
from collections import defaultdict
from itertools import chain

import pytest

from catchwater import metrics
from tests.chaos.system import ChaosSystem
from tests.missing import program
from tests.ops.prometheus import Prometheus
from tests.ops.tool import OPS, ROOT
from tests.waiting import wait_until

DASHBOARDS = {
    path.stem: json.loads(path.read_text())
    for path in sorted((OPS / "grafana/dashboards").glob("*.json"))
}
QUERIES = {
    name: [
        target["expr"].replace("$__rate_interval", "1m").replace("$project", ".*")
        for panel in dashboard["panels"]
        for target in panel["targets"]
    ]
    for name, dashboard in DASHBOARDS.items()
}
EVENTS = 40


@pytest.fixture
def system(tmp_path):
    program("prometheus")
    with ChaosSystem(tmp_path, ROOT) as system:
        yield system


def post(system):
    reports = [
        {"type": "TypeError", "message": f"x{n} is undefined", "page": "https://a.example/"}
        | {"release": f"shop@1.{n}"}
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
def test_every_query_of_each_dashboard_finds_something_and_no_alert_fires(system, tmp_path):
    with Prometheus(tmp_path / "prometheus", targets(system)) as prometheus:
        wait_until(
            lambda: prometheus.query("min(catchwater_redis_up) == 1"), "everything is scraped"
        )

        def shows(query):
            post(system)
            found = prometheus.query(query)
            return found and not any(math.isnan(value(sample)) for sample in found)

        for query in chain(*QUERIES.values()):
            wait_until(lambda query=query: shows(query), f"{query} answers", timeout=60)
        wait_until(
            lambda: prometheus.query(f'max(catchwater_audit{{part="stored"}}) >= {EVENTS}'),
            "events are stored",
        )
        assert prometheus.query('ALERTS{alertstate="firing"}') == []


@pytest.mark.parametrize("name", sorted(DASHBOARDS))
def test_every_panel_has_a_title_a_query_and_a_place_of_its_own(name):
    panels = DASHBOARDS[name]["panels"]
    assert all(panel["title"] and panel["targets"] for panel in panels)
    places = [(panel["gridPos"]["x"], panel["gridPos"]["y"]) for panel in panels]
    assert len(set(places)) == len(places)
    assert len({panel["id"] for panel in panels}) == len(panels)


def test_dashboards_have_addresses_and_titles_of_their_own():
    assert sorted(DASHBOARDS) == ["catchwater", "projects"]
    for field in ("uid", "title"):
        assert len({one[field] for one in DASHBOARDS.values()}) == len(DASHBOARDS)


def test_what_is_known_of_projects_and_releases_is_shown():
    """And by those names: a query of a metric that is not there would only be empty."""
    named = set(re.findall(r"catchwater_\w+", "".join(QUERIES["projects"])))
    assert named == set(metrics.PROJECTS)


@pytest.mark.timeout(300)
def test_the_variable_of_the_second_dashboard_lists_projects_and_narrows(system, tmp_path):
    (variable,) = DASHBOARDS["projects"]["templating"]["list"]
    metric, label = re.fullmatch(
        r"label_values\((\w+), (\w+)\)", variable["query"]["query"]
    ).groups()
    assert (variable["name"], label) == ("project", "project")
    with Prometheus(tmp_path / "prometheus", targets(system)) as prometheus:
        post(system)
        found = wait_until(lambda: prometheus.query(metric), "the variable has values", 90)
        assert {one["metric"][label] for one in found} == {"1"}
        asked = DASHBOARDS["projects"]["panels"][0]["targets"][0]["expr"]
        assert prometheus.query(asked.replace("$project", "1"))
        assert prometheus.query(asked.replace("$project", "2")) == []


def test_only_what_may_be_absent_is_shown_as_nothing():
    defaulted = {
        query.split("catchwater_")[1].split("[")[0].split(")")[0]
        for query in chain(*QUERIES.values())
        if "or vector" in query
    }
    assert defaulted == {"refused_total", "dropped", "trouble_total", "lost_total"}
