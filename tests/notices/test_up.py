"""`catchwater up` runs a notifier only where somebody wants to be told."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from catchwater.config.streamdefs import load
from catchwater.local.processes import LocalProcesses, Ports
from catchwater.local.servers import free_port
from tests.notices.conftest import KEY

CHANNELS = {"channels": [{"to": "slack", "url": "https://hooks.slack.com/services/x"}]}


@pytest.mark.parametrize(("notices", "there"), [({}, False), (CHANNELS, True)])
def test_a_notifier_runs_where_somebody_is_told(
    tmp_path: Path, notices: dict[str, object], there: object
):
    project = {"id": "1", "name": "shop", "key": KEY, "notices": notices}
    (tmp_path / "projects.yaml").write_text(yaml.safe_dump({"projects": [project]}))
    ports = Ports(free_port(), 8081, 8082)
    servers = {"redis_url": "redis://r", "mongo_url": "mongodb://m"}
    local = LocalProcesses(tmp_path, ports, load(None), {}, **servers)
    found = {one.name: one for one in local.services()}
    local.close()
    assert ("notify-1" in found) is there
    if there:
        assert found["notify-1"].command[-1] == "notify"
        settings = found["notify-1"].environment
        assert settings["CATCHWATER_DASHBOARD_URL"] == "http://127.0.0.1:8081"
