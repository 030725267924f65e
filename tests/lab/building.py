"""The mistakes of the lab, shipped in the ways in which sites ship their code."""

from __future__ import annotations

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
_WORDS = ("seat", "route", "price", "basket", "voucher", "ledger", "parcel", "invoice", "region")


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


def built(folder: Path) -> dict[str, Path]:
    """Every variant's script, by the variant's name; made in that folder."""
    plain = _esbuild(_entry(folder, "plain"), folder / "bundle.js")
    made = {
        "strict": _esbuild(_entry(folder, "strict"), folder / "strict.js", "--format=esm"),
        "bundle": plain,
        "anonymous": _esbuild(_anonymous(folder / "anonymous"), folder / "anonymous.js"),
        "es5": _babel(plain, folder / "es5.js"),
    }
    for build, count in {"small": 150, "big": 7000}.items():
        for side in "AB":
            entry = _entry(folder, build + side, count)
            made[build + side] = _esbuild(entry, folder / f"{build}{side}.js", "--minify")
    for side in "AB":
        made["terser" + side] = _terser(folder / f"small{side}", folder / f"terser{side}.js")
    return made


def _entry(folder: Path, name: str, others: int = 0) -> Path:
    """A copy of the sources and a script that offers each mistake to the page; beside it, so many
    functions of other modules. Build B has other ones than build A, in front.
    """
    place = folder / name
    place.mkdir()
    for path in SOURCES:
        (place / path.name).write_text(path.read_text(encoding="utf-8"), encoding="utf-8")
    (place / "others.js").write_text(_others(name, others), encoding="utf-8")
    lines = [
        f'import {{ {", ".join(found)} }} from "./{path.name}";'
        for path in SOURCES
        if (found := [one[3] for one in _HEAD.findall(path.read_text(encoding="utf-8"))])
    ]
    lines.insert(0 if name.endswith("B") else len(lines), 'import { others } from "./others.js";')
    names = [one.name for one in mistakes()]
    # a list: of what is in an object, engines say the property's name
    lines += [f"window.lab = [{', '.join(names)}];", f"window.names = {json.dumps(names)};"]
    (place / "entry.js").write_text("\n".join([*lines, "window.others = others;"]))
    return place / "entry.js"


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


def _terser(place: Path, into: Path) -> Path:
    """Bundled by rollup, made small by terser."""
    plain = into.with_suffix(".plain.js")
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


def _run(*command: object) -> None:
    done = subprocess.run(
        list(map(str, command)), check=False, timeout=300, capture_output=True, text=True
    )
    if done.returncode:
        raise SystemExit(f"{Path(str(command[0])).name} failed: {done.stderr or done.stdout}")
