"""Debian's Firefox and WebKitGTK's MiniBrowser, as people have them: no driver, a window that
opens an address.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
from pathlib import Path

QUIET = {
    "browser.aboutwelcome.enabled": "false",
    "browser.shell.checkDefaultBrowser": "false",
    "browser.startup.homepage_override.mstone": '"ignore"',
    "datareporting.policy.dataSubmissionEnabled": "false",
    "toolkit.telemetry.reportingpolicy.firstRun": "false",
    "app.normandy.enabled": "false",
    "app.update.enabled": "false",
    "extensions.update.enabled": "false",
    "network.captive-portal-service.enabled": "false",
    "network.connectivity-service.enabled": "false",
}
"""Settings of a profile that only shows what it is told to show."""

MINI_BROWSERS = "/usr/lib/*/webkit2gtk-4.*/MiniBrowser"


def command(engine: str, folder: Path) -> list[str] | None:
    """What opens an address that is added to it; None where the engine is not installed."""
    if engine == "firefox":
        program = shutil.which("firefox-esr") or shutil.which("firefox")
        prefs = "".join(f'user_pref("{name}", {value});\n' for name, value in QUIET.items())
        (folder / "user.js").write_text(prefs)
        return [program, "--headless", "--no-remote", "--profile", str(folder)] if program else None
    found = sorted(Path("/").glob(MINI_BROWSERS.lstrip("/")))
    xvfb = shutil.which("xvfb-run")
    return [xvfb, "--auto-servernum", str(found[0])] if found and xvfb else None


class Window:
    """A browser at work in a folder of its own, until `close`."""

    def __init__(self, started: list[str], address: str, folder: Path) -> None:
        own = {
            "HOME": str(folder),
            "XDG_RUNTIME_DIR": str(folder),
            "LIBGL_ALWAYS_SOFTWARE": "1",
            "GDK_BACKEND": "x11",
        }
        with (folder / "browser.log").open("wb") as log:
            self._process = subprocess.Popen(
                [*started, address],
                env={**os.environ, **own},
                stdout=log,
                stderr=log,
                start_new_session=True,
            )

    def close(self) -> None:
        os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait(20)
