"""A stage that hangs: its process ends itself, and the event becomes a dead letter alone."""

from __future__ import annotations

import os
import subprocess
import sys
from contextlib import contextmanager
from urllib.error import HTTPError
from urllib.request import urlopen

import pytest

from catchwater.local.servers import free_port
from catchwater.streams import keys
from tests.pipelines import PIPELINE
from tests.waiting import wait_until

STAGE = '''
import re
import threading
from catchwater import Emit

def sleeps(event):
    if event.id == "{culprit}":
        threading.Event().wait()
    return Emit(event)

def searches(event):
    """A regular expression that takes years, and holds the interpreter's lock meanwhile."""
    if event.id == "{culprit}":
        re.match("(a+)+$", "a" * 60 + "b")
    return Emit(event)
'''
CULPRIT = 7


class StageProcess:
    def __init__(self, folder, redis_url, function):
        (folder / "hanging.py").write_text(STAGE.format(culprit=f"{CULPRIT:032x}"))
        definition = PIPELINE.replace(
            "stages.dedupe:dedupe, reads: raw", f"hanging:{function}, reads: raw"
        )
        definition = definition.replace("tries: 3", "tries: 3, hang_after: 1s")
        (folder / "streamdefs.yaml").write_text(definition)
        (folder / "projects.yaml").write_text("projects: []\n")
        self.port = free_port()
        settings = {
            "CATCHWATER_REDIS_URL": redis_url,
            "CATCHWATER_STREAMDEFS": str(folder / "streamdefs.yaml"),
            "CATCHWATER_PROJECTS": str(folder / "projects.yaml"),
            "CATCHWATER_OPS_PORT": str(self.port),
            "PYTHONPATH": str(folder),
        }
        self._environment = os.environ | settings
        self.exit_codes = []
        self.log = folder / "stage.log"
        self._process = None

    def run(self):
        """Start it, or start it again where it has ended: as a supervisor would."""
        if self._process is None or self._process.poll() is not None:
            if self._process is not None:
                self.exit_codes.append(self._process.returncode)
            command = [sys.executable, "-m", "catchwater", "stage", "name", "--consumer", "name-1"]
            with self.log.open("ab") as log:
                self._process = subprocess.Popen(
                    command, env=self._environment, stdout=log, stderr=log
                )
        return True

    def not_ready_reason(self):
        try:
            with urlopen(f"http://127.0.0.1:{self.port}/readyz", timeout=1):
                return ""
        except HTTPError as error:
            return error.read().decode()
        except OSError:
            return "does not answer"

    def kill(self):
        if self._process:
            self._process.kill()
            self._process.wait()


@contextmanager
def stage_process(*arguments):
    process = StageProcess(*arguments)
    try:
        yield process
    finally:
        process.kill()


@pytest.mark.chaos
@pytest.mark.parametrize("function", ["sleeps", "searches"])
def test_an_event_that_hangs_a_stage_is_isolated(tmp_path, redis_url, pipeline, event, function):
    """Both processes of a stage hung for ever, and /readyz said "ready" all the time."""
    pipeline.add("raw", *[event(n) for n in range(1, 21)])

    def dead_letters():
        return sum(pipeline.connection.call("XLEN", keys.dead(tag)) for tag in pipeline.defs.tags)

    with stage_process(tmp_path, redis_url, function) as process:
        if function == "sleeps":
            wait_until(
                lambda: process.run() and "has worked on one batch" in process.not_ready_reason(),
                "it says so in /readyz",
            )
        wait_until(lambda: process.run() and dead_letters() == 1, "it is a dead letter", timeout=60)
        wait_until(lambda: len(pipeline.inside("named")) == 19, "all others went on")
    assert process.exit_codes == [1] * pipeline.defs.stages["name"].tries
    assert "Timeout" in process.log.read_text()
    assert event(CULPRIT).id not in pipeline.ids("named")
