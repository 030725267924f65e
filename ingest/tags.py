"""The HTML that puts the snippet into a page. Pure but for the built files."""

from __future__ import annotations

from dataclasses import dataclass
from html import escape

from ingest import snippet


@dataclass(frozen=True, slots=True)
class Page:
    """The pages of one project, which reach ingest at `address`."""

    address: str
    key: str
    nonce: str = ""
    """What stands in `nonce="..."`; '' for no nonce."""

    def every(self) -> str:
        """Each way with a line that says what it is for."""
        parts = {
            "The current script, whichever it is:": self.plain(),
            (
                "Exactly this script, cached for ever; to be renewed after an upgrade of "
                "Catchwater:"
            ): self.immutable(),
            "The same, and the browser refuses it if a byte differs:": self.checked(),
            (
                "Without waiting for the script; the first tag hears what happens until it is "
                "there:"
            ): self.inline(),
        }
        return "\n\n".join(f"<!-- {why} -->\n{tag}" for why, tag in parts.items())

    def plain(self) -> str:
        return self._tag(self._src())

    def immutable(self) -> str:
        return self._tag(self._src(self.script().digest))

    def checked(self) -> str:
        script = self.script()
        return self._tag(
            self._src(script.digest), f'integrity="{script.integrity}"', 'crossorigin="anonymous"'
        )

    def inline(self) -> str:
        return f"{self._start()}\n{stub()}</script>\n{self._tag('async', self._src())}"

    def script(self) -> snippet.Script:
        """What ingest serves to these pages, if it has the same address and version."""
        return snippet.script("", f"{self.address}/e/{self.key}")

    def _src(self, digest: str = "") -> str:
        return f'src="{escape(self.address + snippet.path(self.key, digest=digest))}"'

    def _tag(self, *attributes: str) -> str:
        return f"{self._start(*attributes)}</script>"

    def _start(self, *attributes: str) -> str:
        nonce = (
            [f'nonce="{self.nonce}"'] if self.nonce else []
        )  # as it is: a template's words, of who runs the site
        return f"<{' '.join(['script', *nonce, *attributes])}>"


def stub() -> str:
    """The part that stands in the page itself."""
    return snippet.STUB_FILE.read_text(encoding="utf-8")
