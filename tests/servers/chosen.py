"""Which servers tests run on that could run on others: CATCHWATER_TEST_SERVERS names them.

`cluster` is a Redis Cluster, `replicas` a replica set of MongoDB, `cluster,replicas` both.
"""

from __future__ import annotations

import os

import pytest

SETTING = "CATCHWATER_TEST_SERVERS"
KNOWN = {"cluster", "replicas"}


def chosen() -> frozenset[str]:
    """What the setting names."""
    names = frozenset(filter(None, os.environ.get(SETTING, "").split(",")))
    assert names <= KNOWN, f"{SETTING}={os.environ[SETTING]}: write cluster, replicas or both"
    return names


def not_on_a_cluster(why: str) -> pytest.MarkDecorator:
    """For a test that cannot run there."""
    return pytest.mark.skipif("cluster" in chosen(), reason=why)
