"""The npm package as somebody installs it: packed, type-checked by a stranger's TypeScript,
bundled, run in a page.
"""

from __future__ import annotations

import json
import subprocess

import pytest

from tests.browser.recorder import KEY
from tests.browser.toolchain import SOURCE, modules
from tests.missing import program

pytestmark = pytest.mark.browser

MAIN = """
import { init, report, type Catchwater, type Report } from "catchwater";
const options: Catchwater = {
  release: "shop@2.14.0", ignore: ["ResizeObserver", /^AbortError/], sample: 1,
  before: (one: Report) => one.page?.includes("/admin") ? null : one,
};
const running: Catchwater = init("ENDPOINT", options);
report(new RangeError("by hand"), { order: 17 });
running.user = { id: "4711" };
setTimeout(() => { throw new Error("thrown") });
"""
WRONG = 'import { init } from "catchwater";\ninit("/e/KEY", { sample: "often" });\n'
COMPILERS = {
    "a bundler": {"module": "esnext", "moduleResolution": "bundler"},
    "node, ES modules": {"module": "node20"},
    "node, CommonJS": {"module": "node20"},
}


@pytest.fixture(scope="module")
def project(tmp_path_factory):
    """A project that has the package installed."""
    npm, folder = program("npm"), tmp_path_factory.mktemp("site")
    (folder / "package.json").write_text("{}")
    quiet = ["--no-audit", "--no-fund", "--loglevel=error"]
    run(folder, npm, "pack", SOURCE, "--pack-destination", folder, "--loglevel=error")
    (packed,) = folder.glob("*.tgz")
    run(folder, npm, "install", "--offline", *quiet, packed)
    return folder


def run(folder, *command):
    done = subprocess.run(
        [*map(str, command)], cwd=folder, capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def compiled(folder, way: str, source: str) -> str:
    kind = {"a bundler": "module", "node, ES modules": "module", "node, CommonJS": "commonjs"}[way]
    (folder / "package.json").write_text(json.dumps({"type": kind}))
    (folder / "main.ts").write_text(source)
    options = {
        "strict": True,
        "noEmit": True,
        "target": "es2022",
        "lib": ["es2022", "dom"],
        "types": [],
        **COMPILERS[way],
    }
    (folder / "tsconfig.json").write_text(
        json.dumps({"compilerOptions": options, "files": ["main.ts"]})
    )
    command = [str(modules() / ".bin/tsc"), "--project", str(folder)]
    return subprocess.run(
        command, cwd=folder, capture_output=True, text=True, timeout=120, check=False
    ).stdout


@pytest.mark.parametrize("way", COMPILERS)
def test_its_types_are_found_and_say_what_is_wrong(project, way):
    assert compiled(project, way, MAIN) == ""
    assert "Type 'string' is not assignable to type 'number'" in compiled(project, way, WRONG)


def test_it_holds_what_it_needs_and_nothing_else(project):
    files = {
        str(path.relative_to(project / "node_modules/catchwater"))
        for path in project.glob("node_modules/catchwater/**/*")
    }
    assert files - {"built"} == {
        "package.json",
        "index.d.ts",
        "types.d.ts",
        "built/index.mjs",
        "built/index.cjs",
        "built/snippet.min.js",
        "built/inline.min.js",
        "built/extras.min.js",
    }


@pytest.mark.parametrize("form", ["iife", "esm"])
def test_bundled_into_a_page_it_tells_of_errors(project, page, recorder, form):
    (project / "main.ts").write_text(MAIN.replace("ENDPOINT", f"{recorder.ingest}/e/{KEY}"))
    run(
        project,
        modules() / ".bin/esbuild",
        "main.ts",
        "--bundle",
        "--minify",
        f"--format={form}",
        "--outfile=main.js",
    )
    script = recorder.serve("main.js", (project / "main.js").read_text(), "text/javascript")
    kind = "type=module " if form == "esm" else ""
    page.goto(recorder.serve("page", f"<!doctype html><script {kind}src='{script}'></script>"))
    told = {report["message"]: report for report in recorder.wait_for_reports(2)}
    assert (told["by hand"]["type"], told["by hand"]["extra"]) == ("RangeError", {"order": 17})
    assert (told["thrown"]["release"], told["thrown"]["user"]) == ("shop@2.14.0", {"id": "4711"})


FROZEN = {
    "error": "Object.freeze(Error)",
    "settings": "catchwater = Object.freeze({})",
    "a text": "catchwater = 'on'",
}


@pytest.mark.parametrize("change", FROZEN.values(), ids=FROZEN)
def test_in_a_page_that_has_frozen_things_a_bundle_runs_on(
    project, page, recorder, own_errors, change
):
    main = (
        f'import {{ init }} from "catchwater"; init("{recorder.ingest}/e/{KEY}"); '
        f'document.title = "ran on";'
    )
    (project / "main.ts").write_text(main)
    run(
        project,
        modules() / ".bin/esbuild",
        "main.ts",
        "--bundle",
        "--format=esm",
        "--outfile=main.js",
    )
    script = recorder.serve("main.js", (project / "main.js").read_text(), "text/javascript")
    html = f"<!doctype html><script>{change}</script><script type=module src='{script}'></script>"
    page.goto(recorder.serve("page", html))
    page.wait_for_function("document.title == 'ran on'")
    assert own_errors == []


def test_on_a_server_it_can_be_imported_and_does_nothing(project):
    """Pages are rendered on servers, too: what is imported there must not fail for want of a
    window.
    """
    code = "const c = require('catchwater'); console.log(Object.keys(c).sort().join())"
    assert run(project, "node", "-e", code).strip() == "init,report"
    code = "import * as c from 'catchwater'; console.log(Object.keys(c).sort().join())"
    assert run(project, "node", "--input-type=module", "-e", code).strip() == "init,report"
    assert (
        run(
            project,
            "node",
            "-e",
            "const c = require('catchwater'); c.init('/e/KEY'); c.report(Error('x'))",
        )
        == ""
    )
