"""Processes that are killed and frozen while partitions are doubled under load."""

from __future__ import annotations

import pytest

from tests.growth.partitions import KINDS
from tests.growth.under_load import grown_under_load


@pytest.mark.timeout(900)
@pytest.mark.parametrize("kind", KINDS)
def test_each_event_is_counted_once(redis_url, tmp_path, event, kind):
    found, sent = grown_under_load(redis_url, tmp_path, kind, event, kills=(0, 1, 4, 8))
    audit = found.audit
    assert (audit.counted, found.stored()) == (sent, sent)
    assert audit.duplicates == audit.accepted - sent
    assert (audit.missing, audit.dead) == (0, 0)
