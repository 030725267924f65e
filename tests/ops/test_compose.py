"""The containers and the units: they say what the commands understand, and every service has
one.
"""

from __future__ import annotations

import re
import shlex
import shutil
import socket
from itertools import pairwise

import click
import pytest
import yaml

from catchwater.commands import options
from catchwater.commands.cli import catchwater
from catchwater.config.streamdefs import SINK, load
from tests.missing import program
from tests.ops.least_privilege import USERS
from tests.ops.tool import OPS, ROOT, passes

NETWORKS, COMPOSE = map(
    yaml.safe_load((OPS / "compose.yaml").read_text()).get, ("networks", "services")
)
OURS = {name: service for name, service in COMPOSE.items() if service["image"] == "catchwater"}
TOOLS = {"operator", "users"}
"""Containers that do one thing and end."""
SERVICES = {name: service for name, service in OURS.items() if name not in TOOLS}
NOTIFY = "notify"
"""No event waits for it, so no alert misses it."""
PROBE = "probe"
"""Runs where somebody has made a project for it."""

UNITS = sorted((OPS / "systemd").glob("*.service"))


def known(name):
    """The environment variables that a subcommand reads."""
    command = catchwater.get_command(click.Context(catchwater), name)
    assert command is not None, f"there is no command {name}"
    return {option.envvar for option in command.params if option.envvar}


def ours(variables):
    return {name for name in variables if name.startswith("CATCHWATER_")}


def lines(unit, setting):
    return re.findall(rf"^{setting}=(.*)$", unit.read_text(), re.MULTILINE)


def started(arguments):
    """Which service a command line starts: a stage, or the command of that name."""
    return arguments[1] if arguments[0] == "stage" else arguments[0]


def services():
    """Those that an event needs, from streamdefs.yaml, and the two ends."""
    stages = load(ROOT / "streamdefs.yaml").stages
    return {SINK if stage.run == [SINK] else name for name, stage in stages.items()} | {
        "ingest",
        "dashboard",
    }


@pytest.mark.parametrize("name", SERVICES)
def test_a_container_sets_only_what_its_command_reads(name):
    assert ours(OURS[name]["environment"]) <= known(OURS[name]["command"][0])


def test_every_service_has_a_container():
    found = {started(service["command"]) for service in SERVICES.values()}
    assert found == {*services(), NOTIFY, PROBE}
    assert [name for name, one in SERVICES.items() if "profiles" in one] == [PROBE]


def test_every_service_has_a_unit_and_the_target_starts_it():
    commands = [shlex.split(lines(unit, "ExecStart")[0])[1:] for unit in UNITS]
    assert {started(command) for command in commands} == {*services(), NOTIFY, PROBE}
    wanted = " ".join(lines(OPS / "systemd/catchwater.target", "Wants")).split()
    assert sorted([*wanted, "catchwater-probe.service"]) == [unit.name for unit in UNITS]


def test_prometheus_knows_every_container_and_every_unit():
    jobs = {
        name: yaml.safe_load((OPS / f"prometheus/{name}.yml").read_text())["scrape_configs"][0]
        for name in ("prometheus", "onebox")
    }
    assert set(jobs["prometheus"]["dns_sd_configs"][0]["names"]) == set(SERVICES)
    found = {
        one["labels"]["service"]: one["targets"][0] for one in jobs["onebox"]["static_configs"]
    }
    ports = {
        unit.stem.removeprefix("catchwater-"): dict(environment(unit))["CATCHWATER_OPS_PORT"]
        for unit in UNITS
    }
    assert found == {name: f"127.0.0.1:{port}" for name, port in ports.items()}


def test_an_alert_misses_every_service():
    rules = (OPS / "prometheus/rules.yml").read_text()
    assert (
        set(re.findall(r'absent\(up\{job="catchwater", service="(\w+)"\}\)', rules)) == services()
    )


def environment(unit):
    return [line.partition("=")[::2] for line in lines(unit, "Environment")]


@pytest.mark.parametrize("unit", UNITS, ids=lambda unit: unit.stem)
def test_a_unit_sets_only_what_its_command_reads(unit):
    command = shlex.split(lines(unit, "ExecStart")[0])[1]
    assert ours(name for name, _ in environment(unit)) <= known(command)


def test_redis_keeps_what_was_accepted():
    words = shlex.split(COMPOSE["redis"]["command"])
    settings = dict(pairwise(words))
    assert (settings["--appendonly"], settings["--appendfsync"]) == ("yes", "always")
    assert settings["--maxmemory-policy"] == "noeviction"
    assert "--maxmemory" in settings
    assert "redis:/data" in COMPOSE["redis"]["volumes"]


def test_nobody_gets_in_by_a_password_that_is_not_set(tmp_path):
    """Each one has to be there, and ops/access/passwords makes all of them."""
    text = (OPS / "compose.yaml").read_text()
    wanted = set(re.findall(r"\$\{(\w+_PASSWORD)", text))
    assert wanted == set(re.findall(r"\$\{(\w+_PASSWORD):\?run ops/access/passwords\}", text))
    shutil.copytree(OPS / "access", tmp_path / "ops/access")
    passes("sh", tmp_path / "ops/access/passwords")
    made = set(
        re.findall(r"^(\w+)=[0-9a-f]{48}$", (tmp_path / "ops/.env").read_text(), re.MULTILINE)
    )
    assert wanted <= made
    open_to_all = [
        port
        for one in COMPOSE.values()
        for port in one.get("ports", [])
        if not port.startswith("127.")
    ]
    assert open_to_all == ["8080:8080"], "only ingest is for everybody"


@pytest.mark.parametrize("name", COMPOSE)
def test_a_container_can_do_little_but_its_work(name):
    one = COMPOSE[name]
    assert one["read_only"] is True
    assert one["cap_drop"] == ["ALL"]
    assert one["security_opt"] == ["no-new-privileges:true"]
    assert name in OURS or re.fullmatch(r"[\w/]+:v?[\d.]+@sha256:[0-9a-f]{64}", one["image"])


def test_who_has_nothing_to_say_to_each_other_shares_no_network():
    networks = {name: set(one["networks"]) for name, one in COMPOSE.items()}
    asked = {name: set(one.get("environment", {})) for name, one in OURS.items()}
    with_mongo = {name for name, settings in asked.items() if "CATCHWATER_MONGO_URL" in settings}
    with_redis = {name for name, settings in asked.items() if "CATCHWATER_REDIS_URL" in settings}
    for network, members in {
        "mongo": with_mongo | {"mongo"},
        "redis": with_redis | {"redis"},
        "metrics": {*SERVICES, "prometheus"},
        "charts": {"prometheus", "grafana"},
        "public": {"ingest", PROBE},
        "private": {"dashboard"},
        "notices": {NOTIFY},
    }.items():
        assert {name for name, joined in networks.items() if network in joined} == members
    with_a_way_out = {name for name, one in NETWORKS.items() if not one.get("internal")}
    published = {name for name, one in COMPOSE.items() if one.get("ports")}
    assert {name for name, joined in networks.items() if joined & with_a_way_out} == published | {
        NOTIFY,
        PROBE,
    }


def test_each_container_is_a_user_of_its_own_kind():
    """The users that ops/access makes, as tests/ops/test_access.py has them at work."""
    for name in set(OURS) - {"users"}:
        redis, mongo = USERS["operator" if name == PROBE else name]
        settings = OURS[name]["environment"]
        if redis:
            address = settings["CATCHWATER_REDIS_URL"]
            assert f"//{redis}:${{REDIS_{redis.upper()}_PASSWORD" in address
        if mongo:
            address = settings["CATCHWATER_MONGO_URL"]
            assert f"//{mongo}:${{MONGO_{mongo.upper()}_PASSWORD" in address
            assert address.endswith("/catchwater")


def test_files_that_are_mounted_are_there():
    mounts = {volume.split(":")[0] for one in COMPOSE.values() for volume in one.get("volumes", [])}
    files = {mount for mount in mounts if mount.startswith(".")}
    files -= {"./projects.yaml", "./access/users.acl"}  # made before the first start
    assert all((OPS / file).exists() for file in files), files


def test_the_image_has_every_package_and_runs_as_nobody_special():
    text = (OPS / "Dockerfile").read_text()
    copied = set(re.findall(r"^COPY (\w+) \w+$", text, re.MULTILINE))
    assert copied == {"catchwater", "ingest", "stages", "sink", "dashboard"}
    assert "\nUSER catchwater\n" in text
    assert "/readyz" in text
    assert "pip install --no-cache-dir --require-hashes -r requirements/services.txt" in text


def test_systemd_understands_the_units(tmp_path):
    analyze = program("systemd-analyze")
    for file in (OPS / "systemd").iterdir():
        (tmp_path / file.name).write_text(
            file.read_text().replace("/opt/catchwater/bin/catchwater", "/bin/true")
        )
    passes(analyze, "verify", "--man=no", "--recursive-errors=no", *sorted(tmp_path.iterdir()))


@pytest.mark.parametrize("service", ["fingerprint", "dedupe", "count", "sink"])
def test_a_container_that_is_started_again_finds_its_own_work(service):
    """With a fresh name after each kill, its entries waited for claim_after: 30 s."""
    arguments = COMPOSE[service]["command"]
    name = arguments[arguments.index("--consumer") + 1]
    assert name == f"{service}-%H"
    asked = []

    @click.command()
    @options.consumer
    def command(consumer):
        asked.append(consumer)

    command.main(["--consumer", name], standalone_mode=False)
    assert asked == [f"{service}-{socket.gethostname()}"]
