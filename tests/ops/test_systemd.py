"""Every unit has the same walls around it: `systemd-analyze security` says 1.5, of 10."""

from __future__ import annotations

from pathlib import Path

import pytest

UNITS = sorted((Path(__file__).parents[2] / "ops/systemd").glob("*.service"))
WALLS = {
    "CapabilityBoundingSet=",
    "LockPersonality=yes",
    "NoNewPrivileges=yes",
    "PrivateDevices=yes",
    "PrivateTmp=yes",
    "ProcSubset=pid",
    "ProtectClock=yes",
    "ProtectControlGroups=yes",
    "ProtectHome=yes",
    "ProtectHostname=yes",
    "ProtectKernelLogs=yes",
    "ProtectKernelModules=yes",
    "ProtectKernelTunables=yes",
    "ProtectProc=invisible",
    "ProtectSystem=strict",
    "RemoveIPC=yes",
    "RestrictAddressFamilies=AF_INET AF_INET6 AF_UNIX",
    "RestrictNamespaces=yes",
    "RestrictRealtime=yes",
    "RestrictSUIDSGID=yes",
    "StateDirectoryMode=0700",
    "SystemCallArchitectures=native",
    "SystemCallErrorNumber=EPERM",
    "SystemCallFilter=@system-service",
    "SystemCallFilter=~@privileged",
    "UMask=0077",
    "User=catchwater",
}


def test_there_is_a_unit_for_every_service():
    names = {unit.stem.removeprefix("catchwater-") for unit in UNITS}
    always = {"ingest", "fingerprint", "dedupe", "count", "sink", "notify", "dashboard"}
    assert names == always | {"probe"}


@pytest.mark.parametrize("unit", UNITS, ids=lambda unit: unit.stem)
def test_a_unit_has_every_wall(unit):
    assert set(unit.read_text().splitlines()) >= WALLS
