"""The alerts: each fires when it should, is quiet when it should, speaks of metrics that exist,
and has a runbook.
"""

from __future__ import annotations

import re

import pytest
import yaml
from prometheus_client import Counter, Gauge, Histogram

from catchwater import metrics
from tests.missing import program
from tests.ops.tool import OPS, ROOT, passes

PROMETHEUS = OPS / "prometheus"
RULES = [
    rule
    for group in yaml.safe_load((PROMETHEUS / "rules.yml").read_text())["groups"]
    for rule in group["rules"]
]
KINDS = (Counter, Gauge, Histogram)
FILES = [path for path in OPS.rglob("*") if path.suffix in {".yml", ".yaml", ".json"}]


def declared():
    """Every name a series may have, from the declarations themselves."""
    families = [
        family
        for one in vars(metrics).values()
        if isinstance(one, KINDS)
        for family in one.describe()
    ]
    names = set(metrics.PIPELINE) | set(metrics.PROJECTS)
    for family in families:
        suffixes = {"counter": ["_total"], "histogram": ["_bucket", "_count", "_sum"]}.get(
            family.type, [""]
        )
        names |= {family.name + suffix for suffix in suffixes}
    return names


def used(text):
    return set(re.findall(r"\bcatchwater_[a-z_]+\b", text))


def test_promtool_finds_no_mistake_in_the_rules():
    passes(program("promtool"), "check", "rules", "--lint-fatal", PROMETHEUS / "rules.yml")


@pytest.mark.parametrize("name", ["prometheus.yml", "onebox.yml"])
def test_promtool_finds_no_mistake_in_the_configuration(name):
    passes(program("promtool"), "check", "config", PROMETHEUS / name)


def test_each_alert_fires_when_it_should_and_is_quiet_when_it_should():
    passes(program("promtool"), "test", "rules", *sorted(PROMETHEUS.glob("rules_test*.yml")))


def test_no_alert_is_left_untested():
    cases = [
        case
        for path in PROMETHEUS.glob("rules_test*.yml")
        for test in yaml.safe_load(path.read_text())["tests"]
        for case in test["alert_rule_test"]
    ]
    names = {rule["alert"] for rule in RULES}
    assert {case["alertname"] for case in cases if case["exp_alerts"]} == names, (
        "each must fire once"
    )
    assert {case["alertname"] for case in cases if not case["exp_alerts"]} == names, (
        "each must be quiet once"
    )


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_every_metric_that_is_spoken_of_is_declared(path):
    assert used(path.read_text()) <= declared()


def test_the_declared_names_are_found_by_this_very_test():
    assert {
        "catchwater_lost_total",
        "catchwater_commit_seconds_bucket",
        "catchwater_depth",
    } <= declared()
    assert isinstance(metrics.LOST, Counter)
    assert isinstance(metrics.POST_SECONDS, Histogram)


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule["alert"])
def test_each_alert_says_how_bad_it_is_and_what_to_do(rule):
    assert rule["labels"]["severity"] in {"page", "warn"}
    assert {"summary", "description", "runbook"} == set(rule["annotations"])
    assert rule["annotations"]["runbook"] == f"docs/operations.md#{rule['alert'].lower()}"
    headings = re.findall(r"^#+ (\w+)$", (ROOT / "docs/operations.md").read_text(), re.MULTILINE)
    assert rule["alert"] in headings, "its heading in the runbook is missing"
