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

# Code that everybody ships and nobody of the project wrote. A piece of a path, so that a copy
# counts too.
LIBRARIES = (
    "/node_modules/",
    "~/",
    "/vendor/",
    "/vendors",
    "vendor.",
    "/npm/",
    "bower_components",
    "webpack/runtime/",
    "webpack/bootstrap",
    "react-dom",
    "polyfill",
    "zone.js",
    "zone.min.js",
    "jquery",
    "lodash",
    "angular.min",
    "vue.runtime",
    "vue.global",
    "backbone",
    "underscore-min",
    "@sentry/",
    "sentry-cdn.com",
    "bugsnag",
    "googletagmanager.com",
    "google-analytics.com",
    "connect.facebook.net",
    "internalbytecode",
)

# What ingest serves: the snippet, and its second file, which puts its own functions around the
# page's `fetch`.
_SNIPPET = r"/c/[0-9a-f]{32}(?:\.\w{1,20}){0,2}\.js"
_LIBRARY = re.compile("|".join([*map(re.escape, LIBRARIES), _SNIPPET]), re.IGNORECASE)

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


def is_ours(file: str, function: str) -> bool:
    """Whether this is the project's own code, judging by names."""
    return function.rpartition(".")[2] not in WRAPPERS and _may_be_ours(file)


@lru_cache(maxsize=2048)
def _may_be_ours(file: str) -> bool:
    return not (is_native(file) or is_extension(file) or _LIBRARY.search(file))


def make(
    function: str, file: str, line: int | None, column: int | None, *, evaluated: bool = False
) -> Frame:
    """A frame with `in_app` decided."""
    return Frame(function, file[:MAX_FILE], line, column, is_ours(file, function), evaluated)
