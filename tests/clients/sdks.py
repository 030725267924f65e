"""Sentry's browser SDKs of every generation, each in a page of its own that makes an error of
each kind.
"""

from __future__ import annotations

import json
import os
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path

from tests.browser import toolchain

PAGES = Path(__file__).parent / "pages"
ACTS = ("thrown", "rejected", "captured", "message")
"""The buttons that each page has."""

FEW_SDKS = ["raven-js@3.27.2", "@sentry/browser@5.30.0", "@sentry/browser@7.120.4"]
"""Those that each run of the tests tries; `make clients` tries all."""


@dataclass(frozen=True, slots=True)
class Sdk:
    """`page` is the file in `pages` that uses it, `beside` are the packages that this needs."""

    package: str
    version: str
    page: str
    beside: dict[str, str]

    @property
    def name(self) -> str:
        return f"{self.package}@{self.version}"

    @property
    def acts(self) -> tuple[str, ...]:
        return ACTS if self.page in {"raven", "browser"} else (*ACTS, "component")


def _react(version: str) -> dict[str, str]:
    """React of the SDK's time."""
    old = {"5": "17.0.2", "6": "17.0.2", "7": "18.3.1"}
    react = old.get(version.partition(".")[0], "19.3.1")
    return {"react": react, "react-dom": react}


def _all() -> list[Sdk]:
    browser = ["4.6.6", "5.0.0", "5.30.0", "6.0.0", "6.19.7", "7.0.0", "7.120.4", "8.0.0"]
    browser += ["8.55.2", "9.0.0", "9.47.2", "10.0.0", "10.78.0", "11.0.0", "11.12.0"]
    react = ["5.30.0", "6.19.7", "7.120.4", "8.55.2", "9.47.2", "10.78.0", "11.12.0"]
    vue = ["6.19.7", "7.120.4", "8.55.2", "9.47.1", "10.75.3", "11.11.0"]
    return [
        *(Sdk("raven-js", one, "raven", {}) for one in ("2.3.0", "3.0.5", "3.27.2")),
        *(Sdk("@sentry/browser", one, "browser", {}) for one in browser),
        *(Sdk("@sentry/react", one, "react", _react(one)) for one in react),
        *(Sdk("@sentry/vue", one, "vue", {"vue": "3.5.45"}) for one in vue),
    ]


SDKS = {sdk.name: sdk for sdk in _all()}


def modules_of(sdk: Sdk) -> Path:
    """The node_modules folder with an SDK and what is beside it."""
    wanted = {"sdk": f"npm:{sdk.name}"} | sdk.beside
    with tempfile.TemporaryDirectory() as folder:
        manifest = Path(folder) / "package.json"
        manifest.write_text(json.dumps({"private": True, "dependencies": wanted}, sort_keys=True))
        return toolchain.modules(manifest)


def bundle(sdk: Sdk, into: Path) -> None:
    """The script of an SDK's page, with the names that were written."""
    mount = "react-dom" if sdk.beside.get("react", "").startswith("17.") else "react-dom/client"
    options = [
        *("--bundle", "--format=iife", "--log-level=error", f"--alias:mount={mount}"),
        '--define:process.env.NODE_ENV="production"',
        "--define:global=window",
    ]
    entry = PAGES / f"{sdk.page}.js"
    command = [toolchain.modules() / ".bin/esbuild", entry, *options, f"--outfile={into}"]
    environment = os.environ | {"NODE_PATH": str(modules_of(sdk))}
    subprocess.run(command, check=True, timeout=60, env=environment)
