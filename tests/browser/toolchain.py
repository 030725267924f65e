"""The JavaScript tools of these tests: installed from npm, exact versions, into a cache outside
the tree.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import tempfile
from pathlib import Path

from tests.missing import program

HERE = Path(__file__).parent
SOURCE = HERE.parents[1] / "ingest" / "snippet"
BUILT = SOURCE / "built"
# else esbuild takes `strict` for "use strict", which scripts in pages do without
NO_STRICT = "--tsconfig-raw={}"
MINIFIED = BUILT / "snippet.min.js"


def modules(manifest: Path = HERE / "package.json") -> Path:
    """Return the node_modules folder that a package.json asks for, installing it on the first
    call.
    """
    wanted = hashlib.sha256(manifest.read_bytes()).hexdigest()[:16]
    cache = Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache"))
    place = cache / "catchwater" / f"browser-tests-{wanted}"
    if not place.exists():
        program("npm")
        _install(manifest, place)
    return place / "node_modules"


def _install(manifest: Path, place: Path) -> None:
    place.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=place.parent) as folder:
        # Installed aside and renamed, so that a folder of that name is always complete.
        shutil.copy(manifest, folder)
        options = [
            "--no-package-lock",
            "--no-audit",
            "--no-fund",
            "--ignore-scripts",
            "--loglevel=error",
        ]
        subprocess.run(["npm", "install", *options], cwd=folder, check=True, timeout=300)
        Path(folder).chmod(0o755)
        try:
            Path(folder).rename(place)
        except OSError:
            if not place.exists():
                raise
        else:
            Path(folder).mkdir()


def built() -> dict[str, bytes]:
    """The files in ingest/snippet/built as they are made of its TypeScript, by name."""
    scripts = {f"{name}.min.js": _script(name) for name in ("snippet", "inline", "extras")}
    return scripts | {
        f"index.{kind}": _module(form) for kind, form in (("mjs", "esm"), ("cjs", "cjs"))
    }


def _script(name: str) -> bytes:
    """A file as pages get it:

    ES2015, ASCII, one line. esbuild brings the parts together, swc makes them small.
    """
    options = ["--bundle", "--target=es2015", "--format=iife", "--charset=ascii", NO_STRICT]
    plain = _run("esbuild", SOURCE / f"{name}.ts", *options)
    return _minified(plain) + b"\n"


def _minified(plain: bytes) -> bytes:
    command = ["node", HERE / "minify.cjs"]
    node_path = {**os.environ, "NODE_PATH": str(modules())}
    done = subprocess.run(
        command, input=plain, check=True, capture_output=True, timeout=60, env=node_path
    )
    return done.stdout.strip()


def _module(form: str) -> bytes:
    """The npm package's file for bundlers, which make it small themselves."""
    return _run(
        "esbuild",
        SOURCE / "index.ts",
        "--bundle",
        "--target=es2015",
        f"--format={form}",
        "--charset=ascii",
    )


def check_types() -> str:
    """What TypeScript has to say of the source; '' if nothing is wrong."""
    command = [modules() / ".bin" / "tsc", "--project", SOURCE]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    return done.stdout + done.stderr


def _run(tool: str, *arguments: object) -> bytes:
    command = [modules() / ".bin" / tool, *map(str, arguments)]
    return subprocess.run(command, check=True, capture_output=True, timeout=60).stdout


def bundle(entry: Path, into: Path) -> None:
    """Make one script of a page's entry file and the packages it imports."""
    options = ["--bundle", "--minify", "--format=iife", f"--outfile={into}", "--log-level=warning"]
    environment = {**os.environ, "NODE_PATH": str(modules())}
    command = [modules() / ".bin" / "esbuild", entry, *options]
    subprocess.run(command, check=True, timeout=60, env=environment)


def parse_as_es2015(script: Path) -> None:
    """Raise CalledProcessError if the script holds any syntax newer than ECMAScript 2015."""
    subprocess.run(
        [modules() / ".bin" / "acorn", "--ecma2015", "--silent", script], check=True, timeout=60
    )


if __name__ == "__main__":
    print("JavaScript tools of the tests:", modules())
