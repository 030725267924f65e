"""Somebody's own web server that hands a path on to ingest: nginx and Caddy with the files that
ship, and one of aiohttp.
"""

from __future__ import annotations

import asyncio
import os
import re
import subprocess
import threading
import urllib.request
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from aiohttp import ClientSession, DummyCookieJar, web

from tests.missing import program
from tests.waiting import wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator

SHIPPED = Path(__file__).parents[2] / "ops/nginx/first-party.conf"
CADDY_SHIPPED = Path(__file__).parents[2] / "ops/caddy/first-party.caddy"
CADDY = """
{{
  admin off
  auto_https off
}}
http://:{port} {{
  bind 127.0.0.1
  respond /healthz 200
  import {folder}/first-party.caddy
}}
"""
NGINX = """
daemon off; pid {folder}/pid; error_log stderr; worker_processes 1; {user}
events {{ worker_connections 64; }}
http {{
  access_log off; {temporary}
  server {{ listen 127.0.0.1:{port}; location = /healthz {{ return 200; }} include {folder}/shipped.conf; }}
}}
"""  # noqa: E501 - one piece of text, as it is sent or run


@contextmanager
def by_nginx(
    port: int,
    behind: int | dict[int, int],
    folder: Path,
    shipped: Path = SHIPPED,
    more: str = "",
) -> Iterator[None]:
    """A real nginx on `port`, with a shipped file; only the port of what is behind is another, or
    those by the ports that the file names. `more` is for all servers.
    """
    binary = program("nginx")

    def address(shipped: re.Match[str]) -> str:
        return f"127.0.0.1:{behind if isinstance(behind, int) else behind[int(shipped[1])]}"

    text = re.sub(r"127\.0\.0\.1:(\d+)", address, shipped.read_text())
    (folder / "shipped.conf").write_text(text)
    kinds = ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    temporary = " ".join(f"{kind}_temp_path {folder}/{kind};" for kind in kinds) + more
    user = "user root;" if os.geteuid() == 0 else ""
    (folder / "nginx.conf").write_text(
        NGINX.format(folder=folder, port=port, temporary=temporary, user=user)
    )
    command = [binary, "-e", "stderr", "-p", str(folder), "-c", str(folder / "nginx.conf")]
    with _running(command, port, folder):
        yield


@contextmanager
def by_caddy(port: int, ingest: int, folder: Path) -> Iterator[None]:
    """A real Caddy on `port`, in the same way."""
    binary = program("caddy")
    (folder / "first-party.caddy").write_text(
        CADDY_SHIPPED.read_text().replace("127.0.0.1:8080", f"127.0.0.1:{ingest}")
    )
    (folder / "Caddyfile").write_text(CADDY.format(folder=folder, port=port))
    with _running([binary, "run", "--config", str(folder / "Caddyfile")], port, folder):
        yield


@contextmanager
def _running(command: list[str], port: int, folder: Path) -> Iterator[None]:
    homes = {"XDG_CONFIG_HOME": str(folder), "XDG_DATA_HOME": str(folder)}
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(command, stderr=log, env=os.environ | homes)
    try:
        wait_until(lambda: _answers(port) or process.poll() is not None, f"{command[0]} answers")
        assert process.poll() is None, (folder / "log").read_text()
        yield
    finally:
        process.terminate()
        process.wait(10)


def _answers(port: int) -> bool:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/healthz", timeout=2) as answer:
            return bool(answer.status == 200)
    except OSError:
        return False


@contextmanager
def by_aiohttp(port: int, ingest: int, _folder: Path) -> Iterator[None]:
    """A server that hands on what comes below /assets/cw as it is, path and host included."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()
    runner = asyncio.run_coroutine_threadsafe(_start(port, ingest), loop).result(10)
    try:
        yield
    finally:
        asyncio.run_coroutine_threadsafe(runner.cleanup(), loop).result(10)
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()


async def _start(port: int, ingest: int) -> web.AppRunner:
    async def handed_on(request: web.Request) -> web.Response:
        headers = {
            name: value
            for name, value in request.headers.items()
            if name not in {"Connection", "Cookie"}
        }
        async with (
            ClientSession(auto_decompress=False, cookie_jar=DummyCookieJar()) as session,
            session.request(
                request.method,
                f"http://127.0.0.1:{ingest}{request.raw_path}",
                headers=headers,
                data=await request.read(),
            ) as answer,
        ):
            kept = {
                name: value
                for name, value in answer.headers.items()
                if name not in {"Date", "Server"}
            }
            return web.Response(status=answer.status, body=await answer.read(), headers=kept)

    app = web.Application()
    app.router.add_route("*", "/assets/cw/{path:.*}", handed_on)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", port).start()
    return runner
