"""Serves the demo page: the files beside this one, with the addresses of this machine filled in."""

from __future__ import annotations

import html
from http.server import SimpleHTTPRequestHandler
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

PAGES = Path(__file__).parent / "pages"


class DemoHandler(SimpleHTTPRequestHandler):
    """The files of the demo, with the addresses of this machine filled in."""

    timeout = 5
    """Seconds a client may take for its request."""

    def __init__(self, words: Mapping[str, str], *arguments: Any, **named: Any) -> None:
        self._words = words
        super().__init__(*arguments, directory=str(PAGES), **named)

    def do_GET(self) -> None:
        if self.path not in ("/", "/index.html"):
            super().do_GET()
            return
        page = (PAGES / "index.html").read_text(encoding="utf-8")
        for word, value in self._words.items():
            page = page.replace(word, html.escape(value))
        self.send_response(200)
        self.send_header("Content-Type", "text/html; charset=utf-8")
        self.end_headers()
        self.wfile.write(page.encode())

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the name it has in the standard library
        """Say nothing."""
