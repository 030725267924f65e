"""Sentry's upload clients from before debug ids. npm has only the script of these that fetches a
program from elsewhere, but PyPI has the program of a version that asks the same.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from tests.browser import toolchain
from tests.clients.uploading import DEPENDENCIES, Server, built_shop, run_client
from tests.sourcemaps.sentry import TOKEN

VERSION = "2.14.4"
PLUGIN = "webpack-plugin-1.21.0"
OLD = {
    "sentry-cli releases files": f"sentry-cli {VERSION}: `releases files R upload-sourcemaps`",
    "sentry-cli sourcemaps upload": f"sentry-cli {VERSION}: `sourcemaps upload`",
    PLUGIN: f"@sentry/webpack-plugin 1.21.0, with the program of sentry-cli {VERSION}",
}
"""Each with what the table says of it."""


def program(folder: Path) -> Path:
    """The sentry-cli that PyPI has, in that folder."""
    options = ["install", "--quiet", "--no-deps", "--disable-pip-version-check", "--target"]
    command = [sys.executable, "-m", "pip", *options, folder, f"sentry-cli=={VERSION}"]
    subprocess.run(list(map(str, command)), check=True, timeout=300)
    return folder / "bin" / "sentry-cli"


def build_and_upload(client: str, binary: Path, server: Server, folder: Path, release: str) -> Path:
    """Build the shop and have its maps uploaded. Returns the script."""
    if client == PLUGIN:
        return _by_plugin(binary, server, folder, release)
    script = built_shop("esbuild", server.modules, folder, release)
    words = client.split(" ")[1:]
    if words[0] == "releases":
        words += [release, "upload-sourcemaps", str(script.parent)]
    else:
        words += ["--release", release, str(script.parent)]
    run_client([binary, *words], script.parent, _settings(server))
    return script


def _by_plugin(binary: Path, server: Server, folder: Path, release: str) -> Path:
    wanted = {PLUGIN: "npm:@sentry/webpack-plugin@1.21.0", "webpack": DEPENDENCIES["webpack"]}
    with tempfile.TemporaryDirectory() as place:
        manifest = Path(place) / "package.json"
        manifest.write_text(json.dumps({"private": True, "dependencies": wanted}))
        modules = toolchain.modules(manifest)
    shutil.copy(binary, modules / "@sentry/cli/sentry-cli")
    options = {"url": server.url, "authToken": TOKEN, "org": "any", "project": "1"}
    options |= {"release": release, "include": str(folder / "dist")}
    return built_shop("webpack", modules, folder, release, client=PLUGIN, options=options)


def _settings(server: Server) -> dict[str, str]:
    return {
        "SENTRY_URL": server.url,
        "SENTRY_AUTH_TOKEN": TOKEN,
        "SENTRY_ORG": "any",
        "SENTRY_PROJECT": "1",
    }
