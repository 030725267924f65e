"""Sentry's upload clients of every generation that npm has whole: a small shop is built and
uploaded with one of them.
"""

from __future__ import annotations

import json
import os
import subprocess
import tempfile
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.browser import toolchain
from tests.sourcemaps import bundles
from tests.sourcemaps.sentry import TOKEN

HERE = Path(__file__).parent
ADDRESS = "https://cdn7.example/shop.js"
DEPENDENCIES: dict[str, str] = json.loads((HERE / "package.json").read_text())["dependencies"]
BUNDLERS = ("esbuild", "rollup", "vite", "webpack")
EVERY = [name for name in DEPENDENCIES if name not in BUNDLERS]
FEW = ["cli-2.58.6", "rollup-plugin-4.9.1", "esbuild-plugin-2.23.1"]
"""Those that each run of the tests tries; `make clients` tries all."""


@dataclass(frozen=True, slots=True)
class Server:
    """Where clients upload to. `url` is that of `sourcemaps serve`, or of a proxy before it."""

    url: str
    modules: Path


def bundler_of(client: str) -> str:
    """The bundler that a plugin is for; esbuild for what uploads a folder."""
    kind = client.partition("-plugin-")[0]
    return kind if kind in BUNDLERS else "esbuild"


def modules_of(clients: Iterable[str]) -> Path:
    """The node_modules folder with these clients and what they plug into."""
    clients = list(clients)
    wanted = {name: DEPENDENCIES[name] for name in [*clients, *map(bundler_of, clients)]}
    with tempfile.TemporaryDirectory() as folder:
        manifest = Path(folder) / "package.json"
        manifest.write_text(json.dumps({"private": True, "dependencies": wanted}, sort_keys=True))
        return toolchain.modules(manifest)


def build_and_upload(client: str, server: Server, folder: Path, release: str) -> Path:
    """Build the shop and have its maps uploaded. Returns the script."""
    bundler = bundler_of(client)
    if "-plugin-" in client:
        options = _options(server, release, folder / "dist" / "shop.js")
        return built_shop(bundler, server.modules, folder, release, client=client, options=options)
    script = built_shop(bundler, server.modules, folder, release)
    by_command(client, server, script.parent, release)
    return script


def built_shop(bundler: str, modules: Path, folder: Path, release: str, **plugin: object) -> Path:
    """Build the shop; with `client` and `options`, by a plugin that uploads. Returns the script."""
    source, script = bundles.source(folder), folder / "dist" / "shop.js"
    script.parent.mkdir()
    # each client's script is another, and so is its debug id
    source.write_text(f"window.builtWith = {json.dumps(release)};\n{bundles.ENTRY}")
    told = {"bundler": bundler, "modules": str(modules), "entry": str(source), "into": str(script)}
    run_client(["node", HERE / "build.cjs", json.dumps(told | plugin)], folder, {})
    return script


def thrown(script: Path) -> dict[str, Any]:
    """What the built script throws: `{stack, ids}`, the debug ids by the stack that has them."""
    done = run_client(["node", HERE / "run.cjs", script, ADDRESS], script.parent, {})
    found: dict[str, Any] = json.loads(done)
    return found


def _options(server: Server, release: str, script: Path) -> dict[str, Any]:
    """`assets`: versions 2.0 mark and upload nothing without."""
    told = {"url": server.url, "org": "any", "project": "1", "authToken": TOKEN}
    return told | {
        "release": {"name": release},
        "telemetry": False,
        "sourcemaps": {"assets": f"{script}*"},
    }


def by_command(client: str, server: Server, dist: Path, release: str) -> None:
    """Inject debug ids into the scripts of a folder, and upload their maps."""
    settings = {"SENTRY_URL": server.url, "SENTRY_AUTH_TOKEN": TOKEN}
    package = server.modules / client
    if (package / "bin/sentry-cli").exists():
        command: list[object] = ["node", package / "bin/sentry-cli", "sourcemaps"]
        run_client([*command, "inject", dist], dist, settings)
        options = ["--org", "any", "--project", "1", "--release", release]
        run_client([*command, "upload", *options, dist], dist, settings)
        return
    script = (
        f"const sdk = require({json.dumps(str(package))}).createSentrySDK("
        f"{json.dumps({'url': server.url, 'token': TOKEN, 'org': 'any', 'project': '1'})});"
        f"sdk.sourcemap.upload({json.dumps({'directory': str(dist), 'release': release})})"
        ".catch((error) => { console.error(error); process.exitCode = 1; });"
    )
    run_client(["node", "-e", script], dist, settings)


def run_client(command: list[object], folder: Path, settings: dict[str, str]) -> str:
    """With nothing of the developer's settings. Raises AssertionError with all it said."""
    kept = {name: text for name, text in os.environ.items() if not name.startswith("SENTRY_")}
    done = subprocess.run(
        list(map(str, command)),
        env=kept | settings | {"HOME": str(folder)},
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout
