"""The mistakes of the lab, shipped in the ways in which sites ship their code."""

from __future__ import annotations

import hashlib
import json
import random
import re
import subprocess
from pathlib import Path
from typing import NamedTuple

from tests.browser.toolchain import modules

HERE = Path(__file__).parent
SOURCES = sorted((HERE / "mistakes").glob("*.js"))
_HEAD = re.compile(r"^//: (common|rare), (.+)\nexport (async )?function (\w+)\(", re.MULTILINE)
_REGISTER = """\
window.lab = [];
window.names = [];
export function register(name, work) {
  names.push(name);
  lab.push(work);
}
"""
_CHANGE = """\
function noted(count) { return count > 99 ? count : noted(count * 2); }
function notedTwice(count) { return noted(noted(count)) + notedTwice(count - 1); }
window.noted = [...(window.noted || []), noted, notedTwice];
"""
"""What a deploy added to a file: a minifier gives the short names anew."""

_WORDS = ("seat", "route", "price", "basket", "voucher", "ledger", "parcel", "invoice", "region")


class Shipped(NamedTuple):
    """A way of shipping as a server has it: files by address, and which of them the page loads, in
    this order.
    """

    files: dict[str, Path]
    loaded: tuple[str, ...]
    is_module: bool = False


class Mistake(NamedTuple):
    """`kind`: what mistakes of one kind have in common; `common`: what every site meets."""

    name: str
    kind: str
    common: bool


def mistakes() -> list[Mistake]:
    """All of them, as they stand in the sources."""
    return [
        Mistake(name, kind, how == "common")
        for path in SOURCES
        for how, kind, _, name in _HEAD.findall(path.read_text(encoding="utf-8"))
    ]


def built(folder: Path) -> dict[str, Shipped]:
    """Every way of shipping, by its name; made in that folder."""
    plain = _esbuild(_entry(folder, "plain"), folder / "bundle.js")
    strict = _esbuild(_entry(folder, "strict"), folder / "strict.js", "--format=esm")
    anonymous = _esbuild(_anonymous(folder / "anonymous"), folder / "anonymous.js")
    made = {
        "strict": _one_script(strict, is_module=True),
        "bundle": _one_script(plain),
        "anonymous": _one_script(anonymous),
        "es5": _one_script(_babel(plain, folder / "es5.js")),
    }
    for build, count in {"small": 150, "big": 7000}.items():
        for side in "AB":
            entry = _entry(folder, build + side, count)
            made[build + side] = _one_script(_esbuild(entry, entry.parent / "app.js", "--minify"))
    for side in "AB":
        small, lazy = folder / f"small{side}", _entry(folder, f"lazy{side}", 150, is_lazy=True)
        made["terser" + side] = _one_script(_terser(small))
        for tool in ("webpack", "rspack", "vite"):
            made[tool + side] = _bundled(tool, small / "entry.js")
        made["chunks" + side] = _bundled("chunks", lazy)
    return made


def _one_script(path: Path, *, is_module: bool = False) -> Shipped:
    """At the same kind of address in each way: only the hash differs."""
    address = f"/assets/app-{hashlib.sha256(path.read_bytes()).hexdigest()[:8]}.js"
    return Shipped({address: path}, (address,), is_module)


def _bundled(tool: str, entry: Path) -> Shipped:
    """As a bundler makes it by default, for production; the names of files are its own."""
    into = entry.parent / tool
    library = modules(HERE / "package.json")
    said = _run("node", HERE / "bundle.mjs", tool, library, entry, into)
    files = {f"/{path.relative_to(into)}": path for path in sorted(into.rglob("*.js"))}
    return Shipped(files, tuple(said.split()), tool == "vite")


def _entry(folder: Path, name: str, others: int = 0, *, is_lazy: bool = False) -> Path:
    """A copy of the sources and a script that offers each mistake to the page; beside it, so many
    functions of other modules. Build B has other ones than build A, in front.

    `is_lazy`: each source is loaded when the page asks for it, as routes are.
    """
    place = folder / name
    place.mkdir()
    change = _CHANGE if is_lazy and name.endswith("B") else ""
    for path in SOURCES:
        text = path.read_text(encoding="utf-8")
        (place / path.name).write_text(change + text, encoding="utf-8")
    (place / "others.js").write_text(_others(name, others), encoding="utf-8")
    lines = _loads_later() if is_lazy else _imports()
    lines.insert(0 if name.endswith("B") else len(lines), 'import { others } from "./others.js";')
    names = json.dumps([one.name for one in mistakes()])
    lines += [f"window.names = {names};", "window.others = others;"]
    (place / "entry.js").write_text("\n".join(lines))
    return place / "entry.js"


def _imports() -> list[str]:
    names = ", ".join(one.name for one in mistakes())
    # a list: of what is in an object, engines say the property's name
    return [
        *(f'import {{ {found} }} from "./{name}";' for name, found in _offers()),
        f"window.lab = [{names}];",
    ]


def _loads_later() -> list[str]:
    return [
        "window.ready = Promise.all([",
        *(f'  import("./{name}").then(({{ {all_} }}) => [{all_}]),' for name, all_ in _offers()),
        "]).then((lists) => { window.lab = lists.flat(); });",
    ]


def _offers() -> list[tuple[str, str]]:
    """Files and the mistakes in them."""
    found = [(path.name, _HEAD.findall(path.read_text(encoding="utf-8"))) for path in SOURCES]
    return [(name, ", ".join(one[3] for one in heads)) for name, heads in found if heads]


def _others(seed: str, count: int) -> str:
    """Functions that call each other, so that a minifier gives them the short names."""
    draw = random.Random(seed)
    names = [f"{draw.choice(_WORDS)}{draw.choice(_WORDS).title()}{at}" for at in range(count)]
    bodies = [_other(draw, name, names[:at] or ["Number"]) for at, name in enumerate(names)]
    return "\n".join([*bodies, f"export const others = [{', '.join(names)}];"])


def _other(draw: random.Random, name: str, known: list[str]) -> str:
    first, second, third = draw.choices(known, k=3)
    text = " ".join(draw.choices(_WORDS, k=12))
    return (
        f"function {name}(a, b) {{ if (a > {draw.randrange(99)}) return {first}(b, a);\n"
        f'  return a ? {second}("{text}", {third}) : {first}({third}(b)) + {second}(a); }}'
    )


def _anonymous(place: Path) -> Path:
    """The same functions without their names, given to somebody who calls them."""
    place.mkdir()
    (place / "register.js").write_text(_REGISTER)
    for path in SOURCES:
        text = _HEAD.sub(r'register("\4", \3function (', path.read_text(encoding="utf-8"))
        text = re.sub(r"^(register\(.*?^\})", r"\1);", text, flags=re.MULTILINE | re.DOTALL)
        head = 'import { register } from "./register.js";\n'
        (place / path.name).write_text(head + text, encoding="utf-8")
    (place / "entry.js").write_text("".join(f'import "./{path.name}";\n' for path in SOURCES))
    return place / "entry.js"


def _esbuild(entry: Path, into: Path, *options: str) -> Path:
    usual = ["--bundle", "--charset=utf8", f"--outfile={into}", "--log-level=error"]
    form = [] if any("format" in option for option in options) else ["--format=iife"]
    _run(modules() / ".bin" / "esbuild", entry, *usual, *form, *options)
    return into


def _terser(place: Path) -> Path:
    """Bundled by rollup, made small by terser."""
    plain, into = place / "terser.plain.js", place / "terser.js"
    tools = modules() / ".bin"
    _run(tools / "rollup", place / "entry.js", "--format", "iife", "--file", plain, "--silent")
    _run(tools / "terser", plain, "--compress", "--mangle", "--toplevel", "--output", into)
    return into


def _babel(plain: Path, into: Path) -> Path:
    """As Babel makes ECMAScript 5 of it, with its helpers."""
    library = modules(HERE / "package.json") / "@babel" / "standalone" / "babel.js"
    script = (
        f"const fs = require('fs'), babel = require({str(library)!r});"
        "const options = {presets: [['env', {targets: 'ie 11', modules: false}]],"
        "sourceType: 'script', compact: false};"
        f"fs.writeFileSync({str(into)!r},"
        f"babel.transform(fs.readFileSync({str(plain)!r}, 'utf8'), options).code)"
    )
    _run("node", "-e", script)
    return into


def _run(*command: object) -> str:
    done = subprocess.run(
        list(map(str, command)), check=False, timeout=300, capture_output=True, text=True
    )
    if done.returncode:
        raise SystemExit(f"{Path(str(command[0])).name} failed: {done.stderr or done.stdout}")
    return done.stdout
