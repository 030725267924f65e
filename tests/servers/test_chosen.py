"""A wrong name must not mean the usual servers: a run on them would be taken for the other."""

from __future__ import annotations

import pytest

from tests.servers.chosen import SETTING, chosen


@pytest.mark.parametrize("text", ["", "cluster", "replicas", "cluster,replicas"])
def test_the_setting_names_servers(monkeypatch, text):
    monkeypatch.setenv(SETTING, text)
    assert chosen() == set(text.split(",")) - {""}


@pytest.mark.parametrize("text", ["valkey", "cluster,replica", "cluster replicas"])
def test_an_unknown_name_is_refused(monkeypatch, text):
    monkeypatch.setenv(SETTING, text)
    with pytest.raises(AssertionError, match=f"{SETTING}={text}: write cluster, replicas or both"):
        chosen()
