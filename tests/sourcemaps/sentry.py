"""`catchwater sourcemaps serve` as a process, an unmodified sentry-cli, and requests that it
would never make.
"""

from __future__ import annotations

import hashlib
import io
import json
import os
import subprocess
import sys
import zipfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

import orjson

from tests.browser.toolchain import modules
from tests.waiting import wait_until

TOKEN = "0123456789abcdef" * 4
PROJECTS = "projects:\n" + "".join(
    f'- {{id: "{n}", name: {name}, key: "{str(n) * 32}"}}\n'
    for n, name in ((1, "shop"), (2, "office"))
)
API = "/api/0/organizations/any"
UPLOAD, ASSEMBLE = f"{API}/chunk-upload/", f"{API}/artifactbundle/assemble/"
_BOUNDARY = "boundary-of-a-form"


@dataclass
class Server:
    port: int
    folder: Path
    client: Mapping[str, str] = field(default_factory=dict)
    """Of the environment of whoever uploads."""

    def cli(self, *arguments: object, token: str = TOKEN) -> subprocess.CompletedProcess[str]:
        """Run sentry-cli against this server."""
        own = {"SENTRY_URL": f"http://127.0.0.1:{self.port}", "SENTRY_AUTH_TOKEN": token}
        return self._run([modules() / ".bin" / "sentry-cli", *arguments], own)

    def _run(
        self, command: list[object], settings: dict[str, str]
    ) -> subprocess.CompletedProcess[str]:
        """With nothing of the developer's settings."""
        kept = {name: text for name, text in os.environ.items() if not name.startswith("SENTRY_")}
        return subprocess.run(
            list(map(str, command)),
            env=kept | settings | {"HOME": str(self.folder), **self.client},
            cwd=self.folder,
            capture_output=True,
            text=True,
            timeout=100,
            check=False,
        )

    def upload(
        self, folder: Path, *more: object, token: str = TOKEN
    ) -> subprocess.CompletedProcess[str]:
        options = ("--org", "catchwater", "--project", "1", *more)
        return self.cli("sourcemaps", "upload", *options, folder, token=token)

    def plugin(self, folder: Path, release: str) -> subprocess.CompletedProcess[str]:
        """Upload as the plugins of bundlers do since their versions 11: by the package `sentry`."""
        options = {"url": f"http://127.0.0.1:{self.port}/", "token": TOKEN}
        script = (
            "const { createSentrySDK } = require('sentry');"
            f"const sdk = createSentrySDK({{...{json.dumps(options)}, org: 'any', project: '1'}});"
            f"sdk.sourcemap.upload({json.dumps({'directory': str(folder), 'release': release})})"
            ".catch((error) => { console.error(error); process.exitCode = 1; });"
        )
        return self._run(["node", "-e", script], {"NODE_PATH": str(modules())})

    def ask(self, method: str, path: str, body: bytes = b"", **headers: str) -> tuple[int, Any]:
        """The status and the JSON that any one request is answered with."""
        connection = HTTPConnection("127.0.0.1", self.port, timeout=60)
        given = {
            name.replace("_", "-"): value
            for name, value in ({"Authorization": f"Bearer {TOKEN}"} | headers).items()
        }
        try:
            connection.request(method, path, body, given)
            answer = connection.getresponse()
            return answer.status, orjson.loads(answer.read())
        finally:
            connection.close()

    def send(self, *files: tuple[str, str, bytes]) -> tuple[int, Any]:
        """Chunks, each as (field, name, bytes)."""
        head = '--{}\r\nContent-Disposition: form-data; name="{}"; filename="{}"\r\n\r\n'
        parts = [
            head.format(_BOUNDARY, field, name).encode() + raw + b"\r\n"
            for field, name, raw in files
        ]
        body = b"".join(parts) + f"--{_BOUNDARY}--\r\n".encode()
        return self.ask(
            "POST", UPLOAD, body, Content_Type=f"multipart/form-data; boundary={_BOUNDARY}"
        )

    def assemble(self, raw: bytes, **given: Any) -> tuple[int, Any]:
        """Ask for a bundle of one chunk, which was sent before."""
        name = sha1(raw)
        told = {"checksum": name, "chunks": [name], "projects": ["1"], "version": "r"} | given
        return self.ask("POST", ASSEMBLE, orjson.dumps(told))

    def bundle(self, raw: bytes, **given: Any) -> tuple[int, Any]:
        """Send a bundle, and ask for it."""
        assert self.send(("file", sha1(raw), raw)) == (200, {})
        return self.assemble(raw, **given)

    @property
    def log(self) -> str:
        return (self.folder / "log").read_text()


def sha1(raw: bytes) -> str:
    return hashlib.sha1(raw, usedforsecurity=False).hexdigest()


def zipped(files: dict[str, bytes], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", method) as archive:
        for name, raw in files.items():
            archive.writestr(name, raw)
    return packed.getvalue()


def manifest(**files: dict[str, Any]) -> bytes:
    return orjson.dumps({"files": {name.replace("__", "."): told for name, told in files.items()}})


@contextmanager
def served(mongo: str, folder: Path, **settings: str) -> Iterator[Server]:
    (folder / "projects.yaml").write_text(PROJECTS)
    own = {
        "MAPS_PORT": "0",
        "MAPS_TOKEN": TOKEN,
        "MONGO_URL": mongo,
        "LOG_LEVEL": "INFO",
    } | settings
    environment = (
        os.environ
        | {f"CATCHWATER_{name}": value for name, value in own.items()}
        | {
            "PYTHONPATH": str(Path(__file__).parents[2]),
            "TMPDIR": str(folder),
        }
    )
    command = [sys.executable, "-m", "catchwater.commands.cli", "sourcemaps", "serve"]
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(command, env=environment, cwd=folder, stderr=log)
    try:
        port = wait_until(
            lambda: port_of(folder / "log") or process.poll() is not None, "the server is open"
        )
        assert process.poll() is None, (folder / "log").read_text()
        yield Server(port, folder)
    finally:
        process.terminate()
        assert process.wait(30) == 0, (folder / "log").read_text()


def port_of(log: Path) -> int:
    """Where `sourcemaps serve` listens, as its log says; 0 as long as it does not."""
    lines = [orjson.loads(line) for line in log.read_bytes().splitlines() if line.startswith(b"{")]
    return next((line["port"] for line in lines if line["event"] == "sentry-cli may upload"), 0)
