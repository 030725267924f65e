"""Opens the lab's pages in three engines and keeps what the snippet would have sent of each
mistake.
"""

from __future__ import annotations

import contextlib
import json
import lzma
import queue
import shutil
import tempfile
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from tests.browser.engines import Window, command
from tests.browser.toolchain import MINIFIED
from tests.chromium import FLAGS
from tests.lab.building import HERE, Shipped, built

CAPTURES = HERE.parent / "data" / "lab" / "captures.json.xz"
ENGINES = ("chromium", "firefox", "webkit")
FIELDS = ("type", "message", "stack", "source", "line", "column", "mechanism", "cause", "page")
SITE = "https://shop.example"
SLOW = 0.4  # seconds that /slow takes: longer than the mistake that asks for it waits
PATIENCE = 300  # seconds for one engine

Captures = dict[str, dict[str, dict[str, dict[str, Any]]]]
"""Reports by variant, engine and mistake."""


class Lab(ThreadingHTTPServer):
    """Serves each variant's page, and takes what each has to tell."""

    daemon_threads = True

    def __init__(self, ways: dict[str, Shipped]) -> None:
        super().__init__(("127.0.0.1", 0), _Answers)
        self.address = f"http://127.0.0.1:{self.server_port}"
        self.order = list(ways)
        self.taken: queue.Queue[tuple[str, dict[str, Any], str]] = queue.Queue()
        snippet = MINIFIED.read_text().replace('"__CATCHWATER_ENDPOINT__"', '"/e/lab"')
        self.pages: dict[str, bytes] = {
            "/snippet.js": snippet.encode(),
            "/runner.js": (HERE / "runner.js").read_bytes(),
            "/page.html": b"<!doctype html><title>Sign in</title>",
        }
        for name, shipped in ways.items():
            self._add(name, shipped)

    def _add(self, name: str, shipped: Shipped) -> None:
        kind = " type=module" if shipped.is_module else ""
        scripts = "".join(f'<script src="{one}"{kind}></script>' for one in shipped.loaded)
        page = (HERE / "page.html").read_text().replace("SCRIPTS", scripts)
        self.pages |= {address: path.read_bytes() for address, path in shipped.files.items()}
        self.pages[f"/shop?{name}"] = page.encode()


class _Answers(BaseHTTPRequestHandler):
    server: Lab

    def do_GET(self) -> None:
        if self.path == "/slow":
            time.sleep(SLOW)  # what is measured is a page that waits less
        found = self.server.pages.get(self.path)
        kind = "text/javascript" if self.path.endswith(".js") else "text/html; charset=utf-8"
        self._answer(200 if found else 404, kind, found or b"<!doctype html>not found")

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        after = ""
        if self.path.startswith("/results?"):
            name = self.path.removeprefix("/results?")
            self.server.taken.put((name, json.loads(body), self.headers["User-Agent"]))
            after = "".join(self.server.order[self.server.order.index(name) + 1 :][:1])
        self._answer(200, "text/plain", after and f"/shop?{after}".encode())

    def _answer(self, status: int, kind: str, body: bytes | str) -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        with contextlib.suppress(BrokenPipeError):  # a page that gave up, as some mistakes do
            self.wfile.write(body or b"")

    def log_message(self, *_: object) -> None:
        """Nothing: a run asks for thousands of files."""


def capture() -> None:
    """Run the lab and write tests/data/lab/captures.json.xz.

    Raises SystemExit where an engine is not installed or does not come to its end.
    """
    with tempfile.TemporaryDirectory(prefix="catchwater-lab-") as folder:
        started = {engine: _command(engine, Path(folder)) for engine in ENGINES}
        (Path(folder) / "built").mkdir()
        lab = Lab(built(Path(folder) / "built"))
        threading.Thread(target=lab.serve_forever, daemon=True).start()
        captures: Captures = {name: {} for name in lab.order}
        agents = {
            engine: _captured(lab, engine, started[engine], Path(folder) / engine, captures)
            for engine in ENGINES
        }
        lab.shutdown()
    write({"agents": agents, "captures": captures})


def _command(engine: str, folder: Path) -> list[str]:
    own = folder / engine
    own.mkdir()
    if engine == "chromium":
        path = shutil.which("chromium") or shutil.which("chromium-browser")
        flags = [*FLAGS, "--headless", f"--user-data-dir={own}"]
        found = [path, *flags] if path else None
    else:
        found = command(engine, own)
    if found is None:
        raise SystemExit(f"{engine} is not installed: see ops/setup/system_packages.txt")
    return found


def _captured(lab: Lab, engine: str, started: list[str], folder: Path, captures: Captures) -> str:
    """Fill in what one engine tells of each variant; its user agent."""
    window = Window(started, f"{lab.address}/shop?{lab.order[0]}", folder)
    agent = ""
    try:
        for _ in lab.order:
            name, results, agent = lab.taken.get(timeout=PATIENCE)
            print(f"{engine}: {name}: {len(results)} mistakes")
            captures[name][engine] = _anywhere(results, lab.address)
    except queue.Empty:
        raise SystemExit(f"{engine} told nothing for {PATIENCE} s: see {folder}") from None
    finally:
        window.close()
    return agent


def _anywhere(results: dict[str, Any], address: str) -> dict[str, Any]:
    """Only what grouping reads, from a site that has a name."""
    chosen = {
        name: {field: report[field] for field in FIELDS if report.get(field) not in (None, [])}
        for name, report in results.items()
    }
    known: dict[str, Any] = json.loads(json.dumps(chosen).replace(address, SITE))
    return known


def write(found: dict[str, Any]) -> None:
    """xz finds what two ways of shipping have in common, which gzip's window is too small for."""
    CAPTURES.parent.mkdir(parents=True, exist_ok=True)
    text = json.dumps(found, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    CAPTURES.write_bytes(
        lzma.compress(text.encode("utf-8", "surrogatepass"), preset=9 | lzma.PRESET_EXTREME)
    )
    print(f"{CAPTURES.relative_to(HERE.parents[1])}: {CAPTURES.stat().st_size / 1e6:.2f} MB")
