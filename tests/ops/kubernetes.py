"""What ops/k8s says, as kustomize writes it for a cluster."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import yaml

from tests.browser.toolchain import modules
from tests.missing import missing, program
from tests.ops.tool import OPS, ROOT

WORKLOADS = ("Deployment", "StatefulSet")
OLDEST_KUSTOMIZE = 4
SCHEMAS = Path(__file__).parent / "package.json"
"""Of what KEDA and the Prometheus operator define."""


def kubectl() -> str:
    """Kustomize is part of it. Patches for several kinds at once are newer than Debian 12's."""
    found = program("kubectl")
    said = subprocess.run(
        [found, "version", "--client", "-o", "json"], capture_output=True, text=True, check=True
    )
    version = json.loads(said.stdout).get("kustomizeVersion", "v0")
    if int(re.findall(r"\d+", version)[0]) < OLDEST_KUSTOMIZE:
        missing(f"a kubectl with kustomize {OLDEST_KUSTOMIZE} or later is needed, not {version}")
    return found


@cache
def manifests(overlay: str) -> list[dict[str, Any]]:
    """The objects of a folder in ops/k8s, with what docs/kubernetes.md tells to put there."""
    with TemporaryDirectory() as name:
        folder = Path(name) / "k8s"
        shutil.copytree(OPS / "k8s", folder)
        shutil.copy(ROOT / "streamdefs.yaml", folder / "base")
        (folder / "base/projects.yaml").write_text("projects: []\n")
        done = subprocess.run(
            [kubectl(), "kustomize", str(folder / overlay)],
            capture_output=True,
            text=True,
            check=False,
        )
    assert done.returncode == 0, done.stderr
    return list(yaml.safe_load_all(done.stdout))


def of_kind(*kinds: str, overlay: str = "scaled") -> dict[str, dict[str, Any]]:
    """The objects of these kinds, by name."""
    found = [one for one in manifests(overlay) if one["kind"] in kinds]
    return {one["metadata"]["name"]: one for one in found}


def pod(workload: dict[str, Any]) -> dict[str, Any]:
    """The pod's specification."""
    return workload["spec"]["template"]["spec"]


def container(workload: dict[str, Any]) -> dict[str, Any]:
    (one,) = pod(workload)["containers"]
    return one


def labels(workload: dict[str, Any]) -> dict[str, str]:
    return workload["spec"]["template"]["metadata"]["labels"]


def selects(selector: dict[str, Any], found: dict[str, str]) -> bool:
    """Whether a selector picks a pod with these labels; of expressions, only In."""
    wanted = selector.get("matchLabels", {}).items() <= found.items()
    return wanted and all(
        one["operator"] == "In" and found.get(one["key"]) in one["values"]
        for one in selector.get("matchExpressions", [])
    )


if __name__ == "__main__":
    print("schemas of Kubernetes' extensions:", modules(SCHEMAS))
