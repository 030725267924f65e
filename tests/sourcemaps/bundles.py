"""Real bundles of a small shop, made by esbuild and by rollup with terser, and what a browser
would report of them.
"""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

from tests.browser.toolchain import modules

CART = """\
export class Cart {
  constructor(lines) { this.lines = lines; }
  total(lines) {
    let sum = 0;
    for (const line of lines) sum += line.price * line.quantity;
    return sum;
  }
}
"""
ENTRY = """\
import { Cart } from './cart.js';
function checkoutOrder(order) {
  const cart = new Cart(order.lines);
  return cart.total(order.missing.lines);
}
window.buy = () => { checkoutOrder({ lines: [] }); };
"""
PADDING = "export const longerThanBefore = (value) => JSON.stringify({ value, more: [1, 2, 3] });\n"
LATER = (
    "import { longerThanBefore } from './padding.js';\nwindow.shown = longerThanBefore(1);\n"
    + ENTRY
)


def source(folder: Path, entry: str = ENTRY) -> Path:
    """The shop's source, in `src` below a folder."""
    (folder / "src").mkdir(parents=True)
    (folder / "src" / "cart.js").write_text(CART)
    (folder / "src" / "padding.js").write_text(PADDING)
    (folder / "src" / "shop.js").write_text(entry)
    return folder / "src" / "shop.js"


def by_esbuild(entry: Path, into: Path) -> None:
    _run(
        "esbuild",
        entry,
        "--bundle",
        "--minify",
        "--sourcemap",
        "--format=iife",
        f"--outfile={into}",
    )


def by_rollup(entry: Path, into: Path) -> None:
    """Bundled by rollup, then made small by terser, which inlines what esbuild does not."""
    plain = into.with_name("plain.js")
    _run("rollup", entry, "--format", "iife", "--sourcemap", "--file", plain, "--silent")
    options = f"content='{plain}.map',url='{into.name}.map',includeSources"
    _run(
        "terser",
        plain,
        "--compress",
        "passes=3",
        "--mangle",
        "--toplevel",
        "--source-map",
        options,
        "--output",
        into,
    )
    plain.unlink()
    plain.with_name("plain.js.map").unlink()


def _run(tool: str, *arguments: object) -> None:
    command = [modules() / ".bin" / tool, *map(str, arguments)]
    subprocess.run(
        command,
        check=True,
        timeout=60,
        capture_output=True,
        env={**os.environ, "NODE_ENV": "production"},
    )
