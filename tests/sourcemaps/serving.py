"""`catchwater sourcemaps serve` as a process, and an unmodified sentry-cli."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
from pathlib import Path
from urllib.error import HTTPError
from urllib.request import Request, urlopen

from tests.browser.toolchain import modules
from tests.waiting import wait_until

TOKEN = "a token of some length"
PROJECTS = 'projects:\n  - {id: "1", name: shop, key: 0123456789abcdef0123456789abcdef}\n'


class Server:
    """`catchwater sourcemaps serve`, as a process."""

    def __init__(self, folder: Path, mongo: str) -> None:
        (folder / "projects.yaml").write_text(PROJECTS)
        self.log = folder / "serve.log"
        settings = {"CATCHWATER_MAPS_TOKEN": TOKEN, "CATCHWATER_MONGO_URL": mongo}
        command = [sys.executable, "-m", "catchwater.cli", "sourcemaps", "serve", "--port", "0"]
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(command, cwd=folder, env={**os.environ, **settings}, stderr=log)
        self.url = wait_until(self._opened, "it says where it listens")

    def _opened(self) -> str:
        assert self.process.poll() is None, self.log.read_text()
        found = re.search(r'"url":"(http[^"]+)/"', self.log.read_text())
        return found[1] if found else ""

    def end(self) -> int:
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(20)

    def upload(self, folder: Path, *options: str, token: str = TOKEN) -> subprocess.CompletedProcess[str]:
        return sentry_cli(
            "sourcemaps", "upload", "--org", "any", *options, str(folder),
            SENTRY_URL=self.url, SENTRY_AUTH_TOKEN=token,
        )  # fmt: skip

    def ask(self, path: str, data: bytes | None = None, kind: str = "application/json", token: str = TOKEN):
        headers = {"Authorization": f"Bearer {token}", "Content-Type": kind}
        request = Request(f"{self.url}/api/0/organizations/any/{path}", data, headers)
        try:
            with urlopen(request, timeout=20) as answer:
                return answer.status, json.load(answer)
        except HTTPError as error:
            return error.code, json.load(error)


def sentry_cli(*arguments: str, **settings: str) -> subprocess.CompletedProcess[str]:
    command = [modules() / "@sentry/cli-linux-x64/bin/sentry-cli", *arguments]
    environment = {"PATH": os.environ["PATH"], "HOME": "/nonexistent", **settings}
    return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60, check=False)
