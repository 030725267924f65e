"""Robots by their user agents, against the list that says so, pattern by pattern."""

from __future__ import annotations

import re

import pytest
from crawleruseragents import CRAWLER_USER_AGENTS_DATA

from stages.filters.crawlers import compiled, is_crawler

KEPT = {"http-library", "browser-automation", "monitoring"}
DROPPED = [one for one in CRAWLER_USER_AGENTS_DATA if KEPT.isdisjoint(one.get("tags", ()))]
OTHERS = [one for one in CRAWLER_USER_AGENTS_DATA if not KEPT.isdisjoint(one.get("tags", ()))]


def test_each_robot_of_the_list_is_known_by_its_own_user_agents():
    agents = [agent for one in DROPPED for agent in one["instances"]]
    assert len(agents) > 1_000
    assert [agent for agent in agents if not is_crawler(agent)] == []


def test_what_is_kept_is_no_robot_unless_another_pattern_says_so():
    patterns = [re.compile(one["pattern"]) for one in DROPPED]
    agents = [agent for one in OTHERS for agent in one["instances"]]
    wanted = [any(one.search(agent) for one in patterns) for agent in agents]
    assert list(map(is_crawler, agents)) == wanted
    assert not all(wanted)


@pytest.mark.parametrize(
    "agent",
    [
        "",
        "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 Chrome/156.0.0.0 Safari/537.36",
        "Mozilla/5.0 \ud800\0" + "(" * 500,
        "\udfff" * 10_000,
    ],
)
def test_a_browser_and_nonsense_are_none(agent: str):
    assert not is_crawler(agent)


def test_only_the_beginning_is_looked_at():
    assert is_crawler("Googlebot/2.1 " + "x" * 10_000)
    assert not is_crawler("x" * 10_000 + " Googlebot/2.1")


def test_the_whole_list_is_looked_for_at_once():
    assert len(compiled([one["pattern"] for one in DROPPED])) == 1


def test_a_list_that_re2_does_not_take_is_looked_for_all_the_same():
    """The stage would raise for every event."""
    patterns = compiled(["Fancy(?!Browser)", "Half(open", "OtherBot"])
    agents = ["FancyBot/1.0", "OtherBot/2.0", "FancyBrowser/1.0", "Half(open"]
    found = [any(one.search(agent) for one in patterns) for agent in agents]
    assert found == [True, True, False, False]
