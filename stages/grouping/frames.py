"""A frame: one line of a stack, and what kind of code it stands in."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping

MAX_FILE = 2048  # characters of an address
NATIVE = frozenset(
    {"native", "native code", "[native code]", "[wasm code]", "<anonymous>", "unknown", "[unknown]"}
)

EXTENSIONS = (
    "chrome-extension:",
    "moz-extension:",
    "safari-extension:",
    "safari-web-extension:",
    "ms-browser-extension:",
    "webkit-masked-url:",
    "resource://",
    "chrome://",
    "user-script:",
)

# Code that everybody ships and nobody of the project wrote: folders of packages, and files by
# the name that they have on every site. Whole names only: `timezone.js` is not `zone.js`, and what
# stands in `pages/vendors/` is a page.
LIBRARIES = (
    r"(?:^|/)node_modules/",
    r"(?:^|[/:])~/",
    r"(?:^|/)(?:chunk-)?vendors?(?:[.~_-][^/]*)?\.[cm]?js",
    r"/npm/",
    r"(?:^|/)bower_components/",
    r"webpack/(?:runtime|bootstrap)",
    (
        r"(?:^|[/.~_-])(?:react-dom|polyfills?|zone|jquery|lodash|angular|backbone|underscore"
        r"|vue\.runtime|vue\.global)(?:[.~_-][^/]*)?\.[cm]?js"
    ),
    r"(?:^|/)(?:zone\.js|jquery|lodash|react-dom)(?:@[^/]*)?/",
    r"@sentry/",
    r"sentry-cdn\.com",
    r"bugsnag",
    r"googletagmanager\.com",
    r"google-analytics\.com",
    r"connect\.facebook\.net",
    r"internalbytecode",
)

# What ingest serves: the snippet, and its second file, which puts its own functions around the
# page's `fetch`.
_SNIPPET = r"/c/[0-9a-f]{32}(?:\.\w{1,20}){0,2}\.js"
_LIBRARY = re.compile("|".join([*LIBRARIES, _SNIPPET]), re.IGNORECASE)

# The snippet's and the SDKs' own wrappers around handlers.
WRAPPERS = frozenset({"sentryWrapped", "catchwaterWrapped"})


class Frame(NamedTuple):
    """`function` is '' when anonymous.

    Lines and columns count from 1; None when the stack does not say.

    `mapped` is what a source map says besides the place: see stages/grouping/source_frames.py.
    """

    function: str
    file: str
    line: int | None = None
    column: int | None = None
    in_app: bool = True
    evaluated: bool = False
    mapped: Mapping[str, Any] | None = None

    def as_json(self) -> dict[str, Any]:
        return {
            "function": self.function,
            "file": self.file,
            "line": self.line,
            "column": self.column,
            "in_app": self.in_app,
            **(self.mapped or {}),
        }


def is_native(file: str) -> bool:
    """Code of the engine itself, or code that has no file."""
    return not file or file in NATIVE or file.startswith(("node:", "internal/"))


def is_wasm(file: str) -> bool:
    """WebAssembly: its functions have numbers, and no file that stays."""
    return file.startswith("wasm://") or ".wasm" in file


def is_extension(file: str) -> bool:
    """Code that a browser's extension brought onto the page."""
    return file.startswith(EXTENSIONS)


def is_ours(file: str, function: str, *, said: bool = False) -> bool:
    """Whether this is the project's own code, judging by names. `said`: the SDK says so, which
    counts where a name may mean either.
    """
    if function.rpartition(".")[2] in WRAPPERS:
        return False
    return _may_be_ours(file) and (said or "/vendor/" not in file)


@lru_cache(maxsize=2048)
def _may_be_ours(file: str) -> bool:
    return not (is_native(file) or is_extension(file) or _LIBRARY.search(file))


def make(
    function: str, file: str, line: int | None, column: int | None, *, evaluated: bool = False
) -> Frame:
    """A frame with `in_app` decided."""
    return Frame(function, file[:MAX_FILE], line, column, is_ours(file, function), evaluated)
