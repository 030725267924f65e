"""Kubernetes: what ops/k8s says is what Kubernetes, KEDA and the commands understand."""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path

import click
import kubernetes_validate
import pytest
import yaml

from catchwater.commands.cli import catchwater
from tests.browser.toolchain import modules
from tests.missing import program
from tests.ops.kubernetes import (
    SCHEMAS,
    WORKLOADS,
    container,
    labels,
    manifests,
    of_kind,
    pod,
    selects,
)
from tests.ops.least_privilege import USERS
from tests.ops.test_compose import NOTIFY, services
from tests.ops.tool import OPS, passes

HERE = Path(__file__).parent
OVERLAYS = ("base", "scaled", "ingress")
VERSIONS = ("1.29", "1.33", "1.37")
CUSTOM = {"ScaledObject", "PodMonitor"}
OPERATORS = {"probe", "sourcemaps"}
"""Services that are the user `operator`."""

NAMES = sorted({*services(), NOTIFY, *OPERATORS})
SCALED = {"fingerprint", "dedupe", "count", "sink"}
ONE_ONLY = OPERATORS


def workload(name):
    return of_kind(*WORKLOADS)[name]


def environment(name):
    """What a container is told, in its order."""
    return {one["name"]: one for one in container(workload(name))["env"]}


def known(arguments):
    """The environment variables that a command reads, or a command below it."""
    command = catchwater.get_command(click.Context(catchwater), arguments[0])
    if isinstance(command, click.Group) and arguments[1:] and arguments[1] in command.commands:
        command = command.commands[arguments[1]]
    assert command is not None, f"there is no command {arguments}"
    return {option.envvar for option in command.params if option.envvar}


def check(one, version):
    kubernetes_validate.validate(one, version, strict=True)


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("overlay", OVERLAYS)
def test_kubernetes_understands_every_object(overlay, version):
    for one in manifests(overlay):
        if one["kind"] not in CUSTOM:
            check(one, version)


def test_a_mistyped_field_is_found():
    wrong = json.loads(json.dumps(workload("count")))
    wrong["spec"]["template"]["spec"]["terminationGracePeriod"] = 30
    with pytest.raises(kubernetes_validate.ValidationError):
        check(wrong, VERSIONS[-1])


def custom_mistakes(objects):
    done = subprocess.run(
        [program("node"), HERE / "custom_resources.mjs", modules(SCHEMAS)],
        input=json.dumps(objects),
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout.splitlines()


def test_keda_and_the_prometheus_operator_understand_what_is_theirs():
    objects = list(of_kind(*CUSTOM).values())
    assert {one["kind"] for one in objects} == CUSTOM
    assert custom_mistakes(objects) == []
    wrong = json.loads(json.dumps(objects))
    wrong[0]["spec"] = {}
    assert len(custom_mistakes(wrong)) == 1


def test_every_service_has_a_workload():
    assert sorted(of_kind(*WORKLOADS)) == NAMES


@pytest.mark.parametrize("name", NAMES)
def test_a_workload_sets_only_what_its_command_reads(name):
    ours = {one for one in environment(name) if one.startswith("CATCHWATER_")}
    assert ours <= known(container(workload(name))["args"])


@pytest.mark.parametrize("name", NAMES)
def test_a_value_names_only_passwords_that_stand_before_it(name):
    before = set()
    for setting, one in environment(name).items():
        assert set(re.findall(r"\$\((\w+)\)", one.get("value", ""))) <= before
        before.add(setting)


def test_passwords_makes_every_one_that_is_asked_for():
    wanted = {
        one["valueFrom"]["secretKeyRef"]["key"]
        for name in NAMES
        for one in environment(name).values()
        if "valueFrom" in one and not one["valueFrom"]["secretKeyRef"].get("optional")
    }
    made = set(re.findall(r"[A-Z_]{3,}", (OPS / "access/passwords").read_text()))
    assert wanted <= {f"{one}_PASSWORD" for one in made}


@pytest.mark.parametrize("name", NAMES)
def test_each_workload_is_a_user_of_its_own_kind(name):
    redis, mongo = USERS["operator" if name in OPERATORS else name]
    for server, user in (("redis", redis), ("mongo", mongo)):
        setting = environment(name).get(f"CATCHWATER_{server.upper()}_URL")
        wanted = f"//{user}:$({server.upper()}_{user.upper()}_PASSWORD)@"
        if setting:
            assert wanted in setting["value"]
        else:
            assert not user or (name, server) == ("sourcemaps", "redis")


@pytest.mark.parametrize("name", NAMES)
def test_a_workload_can_do_little_but_its_work(name):
    settings, own = pod(workload(name)), container(workload(name))["securityContext"]
    assert settings["securityContext"]["runAsNonRoot"] is True
    assert settings["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    assert settings["automountServiceAccountToken"] is False
    assert own["readOnlyRootFilesystem"] is True
    assert own["allowPrivilegeEscalation"] is False
    assert own["capabilities"] == {"drop": ["ALL"]}
    user = settings["securityContext"]["runAsUser"]
    assert f"--uid {user} " in (OPS / "Dockerfile").read_text()


@pytest.mark.parametrize("name", NAMES)
def test_a_service_of_any_name_sets_none_of_our_settings(name):
    """Kubernetes sets CATCHWATER_INGEST_PORT=tcp://... for a Service called catchwater-ingest."""
    assert pod(workload(name))["enableServiceLinks"] is False


@pytest.mark.parametrize("name", NAMES)
def test_each_probe_asks_a_port_that_is_there(name):
    one = container(workload(name))
    ports = {port["name"]: port["containerPort"] for port in one["ports"]}
    assert str(ports["ops"]) == environment(name)["CATCHWATER_OPS_PORT"]["value"]
    asked = {kind: one[f"{kind}Probe"]["httpGet"] for kind in ("startup", "liveness", "readiness")}
    assert {kind: get["path"] for kind, get in asked.items()} == {
        "startup": "/healthz",
        "liveness": "/healthz",
        "readiness": "/readyz",
    }
    assert {get["port"] for get in asked.values()} == {"ops"}


@pytest.mark.parametrize("name", NAMES)
def test_files_that_are_read_are_mounted(name):
    places = [Path(one["mountPath"]) for one in container(workload(name))["volumeMounts"]]
    for setting in ("STREAMDEFS", "PROJECTS", "SPOOL"):
        if one := environment(name).get(f"CATCHWATER_{setting}"):
            assert any(Path(one["value"]).is_relative_to(place) for place in places)


def test_a_port_that_is_served_is_the_one_the_command_has():
    for name, service in of_kind("Service").items():
        component = service["spec"]["selector"]["app.kubernetes.io/component"]
        settings = {one.name: one for one in command_of(component).params}
        (port,) = service["spec"]["ports"]
        ports = {one["name"]: one for one in container(workload(component))["ports"]}
        assert ports[port["targetPort"]]["containerPort"] == settings["port"].default, name


def command_of(name):
    found = catchwater.get_command(click.Context(catchwater), name)
    return found.commands["serve"] if isinstance(found, click.Group) else found


def chosen(selector):
    """The workloads whose pods a selector picks."""
    return {name for name, one in of_kind(*WORKLOADS).items() if selects(selector, labels(one))}


def test_everything_that_selects_finds_its_workload():
    for name, one in of_kind(*WORKLOADS, "PodDisruptionBudget").items():
        assert chosen(one["spec"]["selector"]) == {name}
    for name, one in of_kind("Service").items():
        assert chosen({"matchLabels": one["spec"]["selector"]}) == {name.split("-")[0]}
    for name in of_kind("NetworkPolicy"):
        assert reaches(name), name


def test_a_node_can_be_drained_although_a_service_has_one_pod():
    """`minAvailable: 1` of one pod would hold up every upgrade of the cluster."""
    budgets = of_kind("PodDisruptionBudget")
    assert sorted(budgets) == NAMES
    assert {one["spec"].get("maxUnavailable") for one in budgets.values()} == {1}


def reaches(policy):
    """The workloads that a policy is for."""
    return chosen(of_kind("NetworkPolicy")[policy]["spec"]["podSelector"])


def test_who_has_nothing_to_say_to_each_other_cannot():
    for server in ("redis", "mongo"):
        asking = {name for name in NAMES if f"CATCHWATER_{server.upper()}_URL" in environment(name)}
        assert reaches(server) == asking
    assert reaches("outside") == {NOTIFY, "probe"}
    assert reaches("web") == {"ingest", "dashboard", "sourcemaps"}
    assert reaches("nothing") == reaches("names") == reaches("metrics") == set(NAMES)
    nothing = of_kind("NetworkPolicy")["nothing"]["spec"]
    assert set(nothing) == {"podSelector", "policyTypes"}
    assert sorted(nothing["policyTypes"]) == ["Egress", "Ingress"]


@pytest.mark.parametrize("name", sorted(SCALED))
def test_a_stage_that_is_started_again_in_its_pod_finds_its_own_work(name):
    arguments = container(workload(name))["args"]
    assert arguments[arguments.index("--consumer") + 1] == f"{name}-%H"


def test_each_ingest_has_a_spool_of_its_own_and_time_to_stop():
    ingest = workload("ingest")
    assert ingest["kind"] == "StatefulSet"
    (claim,) = ingest["spec"]["volumeClaimTemplates"]
    assert claim["spec"]["accessModes"] == ["ReadWriteOnce"]
    (wait,) = container(ingest)["lifecycle"]["preStop"]["exec"]["command"][1:]
    assert pod(ingest)["terminationGracePeriodSeconds"] >= int(wait) + 30


def test_what_must_be_alone_is_never_two():
    for name in ONE_ONLY:
        settings = workload(name)["spec"]
        assert (settings["replicas"], settings["strategy"]) == (1, {"type": "Recreate"})


def test_stages_are_scaled_by_what_waits_and_applying_does_not_undo_it():
    scaled = of_kind("ScaledObject")
    assert set(scaled) == SCALED
    for name, one in scaled.items():
        assert one["spec"]["scaleTargetRef"] == {"kind": "Deployment", "name": name}
        assert one["spec"]["minReplicaCount"] >= 1
        assert "replicas" not in workload(name)["spec"]
        queries = [trigger["metadata"]["query"] for trigger in one["spec"]["triggers"]]
        assert queries == [
            f'max(catchwater_{metric}{{stage="{name}"}})'
            for metric in ("depth", "oldest_age_seconds")
        ]


def test_prometheus_understands_the_queries(tmp_path):
    rules = [
        {"record": f"asked:{name}:{number}", "expr": trigger["metadata"]["query"]}
        for name, one in of_kind("ScaledObject").items()
        for number, trigger in enumerate(one["spec"]["triggers"])
    ]
    file = tmp_path / "queries.yml"
    file.write_text(yaml.safe_dump({"groups": [{"name": "queries", "rules": rules}]}))
    passes(program("promtool"), "check", "rules", file)


def test_the_alerts_find_their_labels():
    (monitor,) = of_kind("PodMonitor").values()
    (endpoint,) = monitor["spec"]["podMetricsEndpoints"]
    assert endpoint["port"] == "ops"
    targets = {one["targetLabel"]: one for one in endpoint["relabelings"]}
    assert targets["job"]["replacement"] == "catchwater"
    (source,) = targets["service"]["sourceLabels"]
    assert source == "__meta_kubernetes_pod_label_app_kubernetes_io_component"
    assert all(selects(monitor["spec"]["selector"], labels(workload(name))) for name in NAMES)


def test_an_example_of_an_ingress_leads_to_services():
    services_there = {name: one["spec"]["ports"] for name, one in of_kind("Service").items()}
    for one in of_kind("Ingress", overlay="ingress").values():
        for rule in one["spec"]["rules"]:
            for path in rule["http"]["paths"]:
                backend = path["backend"]["service"]
                ports = {port["name"] for port in services_there[backend["name"]]}
                assert backend["port"]["name"] in ports
