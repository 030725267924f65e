"""A real Prometheus that scrapes all services."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any, Self
from urllib.error import HTTPError
from urllib.parse import urlencode
from urllib.request import urlopen

import yaml

from catchwater.local.servers import free_port
from tests.missing import program
from tests.ops.tool import OPS
from tests.waiting import wait_until


class Prometheus:
    """Scrapes `targets` (service: ops ports) each second, with the rules that ship.

    To be used as a context.
    """

    def __init__(self, folder: Path, targets: dict[str, list[int]]) -> None:
        self.port = free_port()
        folder.mkdir()
        self._program = program("prometheus")
        self._folder = folder
        self._config = folder / "prometheus.yml"
        self._config.write_text(yaml.safe_dump(_configuration(targets)))

    def __enter__(self) -> Self:
        with (self._folder / "log").open("wb") as log:
            self._process = subprocess.Popen(
                [
                    self._program,
                    f"--config.file={self._config}",
                    f"--storage.tsdb.path={self._folder / 'data'}",
                    f"--web.listen-address=127.0.0.1:{self.port}",
                ],
                stdout=log,
                stderr=log,
            )
        try:
            wait_until(self._ready, f"Prometheus is ready; see {self._folder / 'log'}")
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self._process.kill()
        self._process.wait()

    def _ready(self) -> bool:
        try:
            with urlopen(f"http://127.0.0.1:{self.port}/-/ready", timeout=2) as answer:
                return bool(answer.status == 200)
        except OSError:
            return False

    def query(self, expression: str) -> list[dict[str, Any]]:
        """The samples it answers at this moment."""
        url = f"http://127.0.0.1:{self.port}/api/v1/query?{urlencode({'query': expression})}"
        try:
            with urlopen(url, timeout=5) as answer:
                found: list[dict[str, Any]] = json.load(answer)["data"]["result"]
        except HTTPError as error:
            raise AssertionError(f"{expression}: {error.read().decode()}") from error
        return found


def _configuration(targets: dict[str, list[int]]) -> dict[str, Any]:
    scraped = [
        {"targets": [f"127.0.0.1:{port}" for port in ports], "labels": {"service": service}}
        for service, ports in targets.items()
    ]
    return {
        "global": {"scrape_interval": "1s", "evaluation_interval": "1s"},
        "rule_files": [str(OPS / "prometheus/rules.yml")],
        "scrape_configs": [{"job_name": "catchwater", "static_configs": scraped}],
    }
