"""All of Catchwater with two processes of each kind, of which the first is never killed: what it
leaks shows.
"""

from __future__ import annotations

from pathlib import Path

from tests.chaos.servers import ChosenServers
from tests.chaos.system import ChaosSystem
from tests.up_process import UpProcess

ROOT = Path(__file__).parents[2]


class SoakSystem(ChaosSystem):
    def __init__(self, folder: Path, redis_url: str, mongo_url: str) -> None:
        super().__init__(folder, ROOT, ChosenServers(folder, frozenset()))
        self._command += ["--redis", redis_url, "--mongo", mongo_url, "--scale", "ingest=2"]

    def pids(self) -> dict[str, int]:
        """Those that may be killed."""
        return {name: pid for name, pid in super().pids().items() if not name.endswith("-1")}

    def all_pids(self) -> dict[str, int]:
        return UpProcess.pids(self)
