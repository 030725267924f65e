"""Chromium's tabs as people have them: shown, hidden, frozen.

Playwright keeps every page visible and awake, so this speaks the DevTools protocol itself:
https://chromedevtools.github.io/devtools-protocol/
"""

from __future__ import annotations

import asyncio
import re
import signal
import subprocess
import threading
from itertools import count
from pathlib import Path
from typing import Any, Self

import aiohttp

from tests.waiting import wait_until


class Tabs:
    """A browser of its own, its files in `folder`, with as many tabs in one window as are
    opened.
    """

    def __init__(self, program: str, folder: Path) -> None:
        self._log = folder / "chromium.log"
        self._command = [program, "--headless=new", "--no-sandbox", "--remote-debugging-port=0"]
        self._command += [f"--user-data-dir={folder}", "about:blank"]
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._numbers = count(1)

    def __enter__(self) -> Self:
        with self._log.open("wb") as log:
            self._process = subprocess.Popen(self._command, stderr=log, start_new_session=True)
        self._thread.start()
        found = wait_until(
            lambda: re.search(r"listening on (ws://\S+)", self._log.read_text()), "Chromium listens"
        )
        self._run(self._connect(found[1]))
        return self

    def __exit__(self, *_: object) -> None:
        self._run(self._session.close())
        self._process.send_signal(signal.SIGKILL)
        self._process.wait(20)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def open(self, address: str) -> Tab:
        """A new tab, in front of those that were there, which are hidden from then on."""
        target = self.call("Target.createTarget", url=address)["targetId"]
        self.call("Target.activateTarget", targetId=target)
        return Tab(
            self,
            target,
            self.call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"],
        )

    def call(self, method: str, session: str = "", **params: Any) -> Any:
        return self._run(self._called(method, session, params))

    async def _connect(self, address: str) -> None:
        self._session = aiohttp.ClientSession()
        self._socket = await self._session.ws_connect(address)

    def tell(self, method: str, session: str) -> None:
        """As `call`, where no answer is to be expected."""
        self._run(self._told(method, session, {}))

    async def _told(self, method: str, session: str, params: dict[str, Any]) -> int:
        number = next(self._numbers)
        told = {"id": number, "method": method, "params": params}
        await self._socket.send_json(told | ({"sessionId": session} if session else {}))
        return number

    async def _called(self, method: str, session: str, params: dict[str, Any]) -> Any:
        number = await self._told(method, session, params)
        while True:
            heard = await self._socket.receive_json()
            if heard.get("id") == number:
                return heard["result"]

    def _run(self, work: Any) -> Any:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(timeout=30)


class Tab:
    """One of them."""

    def __init__(self, tabs: Tabs, target: str, session: str) -> None:
        self._tabs, self._target, self._session = tabs, target, session

    def evaluate(self, expression: str) -> Any:
        """What an expression of the page comes to."""
        found = self._tabs.call(
            "Runtime.evaluate", self._session, expression=expression, returnByValue=True
        )
        return found["result"].get("value")

    def freeze(self) -> None:
        """As the browser does with a tab that was hidden for some minutes: no timer runs in it
        any more.
        """
        self._tabs.call("Page.setWebLifecycleState", self._session, state="frozen")

    def show(self) -> None:
        self._tabs.call("Target.activateTarget", targetId=self._target)
        self._tabs.call("Page.setWebLifecycleState", self._session, state="active")

    def discard(self) -> None:
        """Its process is gone, without a further event: as a frozen tab goes when memory is
        short.
        """
        self._tabs.tell("Page.crash", self._session)
