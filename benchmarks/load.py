"""Load over HTTP: by wrk where that is installed, which costs little; else by a Python process,
which costs more.
"""

from __future__ import annotations

import asyncio
import itertools
import json
import re
import shutil
import subprocess
import sys
import tempfile
import time

import aiohttp
import uvloop

from benchmarks.stages import ISSUES, PAGE_ID, report

CONNECTIONS = 48

_SCRIPT = """
local bodies, sent = {%s}, 0
function request()
  sent = sent + 1
  local body = bodies[sent %% #bodies + 1]:gsub("%s", tostring(%s + sent))
  return wrk.format("POST", nil, nil, body)
end
function done(summary)
  local errors = summary.errors
  local failed = errors.status + errors.connect + errors.read + errors.write + errors.timeout
  local accepted, seconds = summary.requests - failed, summary.duration / 1e6
  print(string.format('{"accepted": %%d, "seconds": %%f}', accepted, seconds))
end
"""


def run(url: str, seconds: float) -> tuple[float, float]:
    """Accepted posts and seconds, from a process of its own.

    Ids are made by ingest: each post is a new event.
    """
    output = _by_wrk(url, seconds) if shutil.which("wrk") else _by_python(url, seconds)
    found = json.loads(output.strip().splitlines()[-1])
    return found["accepted"], found["seconds"]


def _by_wrk(url: str, seconds: float) -> str:
    with tempfile.NamedTemporaryFile("w", suffix=".lua") as script:
        bodies = ",".join(f"[=[{json.dumps(report(number))}]=]" for number in range(ISSUES))
        bodies = re.sub(rf"{PAGE_ID // 1000}\d\d\d", "PAGE_ID", bodies)
        script.write(_SCRIPT % (bodies, "PAGE_ID", PAGE_ID))
        script.flush()
        command = ["wrk", "-t1", f"-c{CONNECTIONS}", f"-d{round(seconds)}s", "-s", script.name, url]
        return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def _by_python(url: str, seconds: float) -> str:
    command = [sys.executable, "-m", "benchmarks.load", url, str(seconds)]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


async def post(url: str, seconds: float) -> dict[str, float]:
    """Post reports to `url` for that long; how many were answered with 2xx, and in which time."""
    accepted, sent = 0, itertools.count()
    ends = time.perf_counter() + seconds

    async def one(session: aiohttp.ClientSession) -> None:
        nonlocal accepted
        while time.perf_counter() < ends:
            body = json.dumps(report(next(sent))).encode()
            async with session.post(url, data=body) as answer:
                await answer.read()
                accepted += answer.status in (200, 204)

    started = time.perf_counter()
    connector = aiohttp.TCPConnector(limit=CONNECTIONS)
    async with aiohttp.ClientSession(connector=connector) as session, asyncio.TaskGroup() as tasks:
        for _ in range(CONNECTIONS):
            tasks.create_task(one(session))
    return {"accepted": accepted, "seconds": time.perf_counter() - started}


if __name__ == "__main__":
    print(json.dumps(uvloop.run(post(sys.argv[1], float(sys.argv[2])))))
