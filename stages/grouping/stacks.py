"""Stack text to frames, for every engine and era, in linear time.

Two families: V8's, Chakra's and Hermes's lines begin with "at "; SpiderMonkey's and
JavaScriptCore's are `function@place`. Presto's (Opera before 15) are in `opera`. A line that is
neither is part of the message. No regular expression here has a repetition inside a repetition, so
no text can make it slow.
"""

from __future__ import annotations

import re
from functools import lru_cache

from stages.grouping import opera
from stages.grouping.frames import WRAPPERS, Frame, is_native, make
from stages.grouping.positions import NOWHERE, split, without_quirks

MAX_LINES = 1000  # lines looked at; an engine gives at most 250 frames, the rest is a message
MAX_LINE = 4096  # characters; a data: URL may be longer and says nothing more
MAX_FRAMES = 250
MAX_NAME = 500  # characters of a function's name

# Nine lines of ten; the rest goes the long way to the same result.
_USUAL_AT = re.compile(r"at ([^()@]+) \(([^()\s]+):([0-9]{1,9}):([0-9]{1,9})\)\Z")
_USUAL_GECKO = re.compile(r"([^@\s()>]*)@(https?://[^@\s()]+):([0-9]{1,9}):([0-9]{1,9})\Z")
_ANONYMOUS = frozenset(
    {"?", "<anonymous>", "(anonymous)", "<unknown>", "(null)", "[arguments not available])"}
)
_AT_PLACE = re.compile(r"@(?=[A-Za-z][A-Za-z0-9+.-]{0,60}:|/|\[native code\]|\[wasm code\])")
_SCHEMES = (
    r"(?:https?|file|blob|data|webpack|webpack-internal|turbopack|vite|rollup|metro|ng|app"
    r"|capacitor|ionic|cordova|about|resource|chrome|node|wasm|self-hosted|javascript"
    r"|[a-z-]{3,24}-extension|user-script|webkit-masked-url):"
)
_AT_SCHEME = re.compile(rf"@(?={_SCHEMES})")
"""A name may hold an @ and what looks like a scheme: `on@click:submit@https://...`."""

_OPENING = re.compile(rf" \((?={_SCHEMES})")
"""Before a place whose path may hold parentheses, also one that is never closed."""

_ANNOTATION = re.compile(r"(?<=[)0-9]) \[[^\[\]\n]{1,80}\]\Z")
"""What zone.js puts behind a place: ` [angular]`, ` [<root> => angular]`."""

_FILELESS = re.compile(r"([^@\s:/]{0,200})@([0-9]{1,9}):([0-9]{1,9})\Z")
"""Hermes, of a bundle without a name: `renderCart@1:550772`."""

_ARGUMENTS = re.compile(r"(?<! )\(")
"""Where the arguments of old Firefox and Opera begin: bar(1)@file, but not "a-b (c)@file"."""


def parse(stack: str, message: str = "") -> list[Frame]:
    """The frames in `stack`, innermost first, at most 250.

    `message` is the error's, if known: it may hold text that looks like frames. Never raises.
    """
    texts = _without_message(stack, message).split("\n", MAX_LINES)[:MAX_LINES]
    lines = [line for text in texts if len(line := text.strip()) <= MAX_LINE and line]
    if any(line.endswith("]") for line in lines):
        lines = [_ANNOTATION.sub("", line) for line in lines]
    if (" script " in stack or ", column " in stack) and opera.speaks(lines):
        return opera.parse(lines)[:MAX_FRAMES]
    v8 = any(line.startswith("at ") for line in lines)
    read = _at if v8 else _gecko  # long lines are not remembered: they would fill the memory
    found = (read(line) if len(line) <= 500 else read.__wrapped__(line) for line in lines)
    frames = [frame for frame in found if frame is not None][:MAX_FRAMES]
    return without_wrapper(frames)


def without_wrapper(frames: list[Frame]) -> list[Frame]:
    """Without the outermost frame if it is the SDK's or the snippet's own, around the handler."""
    if len(frames) > 1 and frames[-1].function.rpartition(".")[2] in WRAPPERS:
        frames.pop()
    return frames


def _without_message(stack: str, message: str) -> str:
    """V8 begins a stack with `Type: message`; what is in the message is not a frame."""
    if not message:
        return stack
    at = stack.find(message, 0, len(message) + 200)
    if at < 0:
        return stack
    before, after = stack[:at], stack[at + len(message) :]
    is_header = before.endswith(": ") and "\n" not in before.strip()
    return after if is_header or (not before.strip() and after[:1] in ("", "\n")) else stack


@lru_cache(maxsize=4096)  # a page's frames come again and again
def _at(line: str) -> Frame | None:
    usual = _USUAL_AT.match(line)
    if usual:
        return make(plain_function(usual[1]), usual[2], int(usual[3]), int(usual[4]))
    if not line.startswith("at "):
        return _chunk(line)
    rest = without_quirks(line[3:].strip())
    if "eval at " in rest:
        return _evaluated(rest)
    if _OPENING.search(rest) or (rest.endswith(")") and not rest.startswith("[")):
        return _parenthesised(rest)
    if "@" in rest and _AT_PLACE.search(rest.replace("@ ", "@").replace("@ ", "@")):
        return _gecko(rest.replace(" @ ", "@").replace("@ ", "@"))
    return _located(rest)


def _parenthesised(rest: str) -> Frame | None:
    """`function (place)`. A line that was cut off has no `)`; without its line number it is no
    place.
    """
    opening = _OPENING.search(rest)
    if opening is None:
        function, place = _parted(rest)
    else:
        function, place = rest[: opening.start()], rest[opening.end() :].removesuffix(")")
    frame = _frame(function, place, bare=False)
    return frame if rest.endswith(")") or (frame and frame.line is not None) else None


def _located(rest: str) -> Frame | None:
    """`at http://x/a.js:1:2`, `at async http://x/a.js:1:2`, `at (anonymous) @ VM60:1`."""
    function, at, place = rest.partition(" @ ")
    if not at:
        function, place = "", rest
    if place in ("<anonymous>", ""):
        return None
    return _frame(function, place, bare=True)


def _chunk(line: str) -> Frame | None:
    """`(error: https://x/chunk.js)`: webpack names the chunk that it could not load between the
    frames.
    """
    if line.startswith("(error: ") and line.endswith(")"):
        return make("", line[8:-1], None, None)
    return None


def _parted(rest: str) -> tuple[str, str]:
    """`function (place)`, by the parenthesis that the last one closes: function names and paths
    hold some too.
    """
    depth = 0
    for at in range(len(rest) - 1, -1, -1):
        char = rest[at]
        if char == ")":
            depth += 1
        elif char == "(":
            depth -= 1
            if depth == 0:
                return rest[:at].rstrip(), rest[at + 1 : -1]
    opening = rest.find(" (")
    return (rest[:opening], rest[opening + 2 : -1]) if opening >= 0 else ("", rest[:-1])


def _evaluated(rest: str) -> Frame | None:
    """`f (eval at g (http://x/a.js:3:5), <anonymous>:1:9)`: the place is where eval was called."""
    outer = rest.find("eval at ")
    function = rest[:outer].rstrip("( ").removesuffix("(at").rstrip("( ")
    opening = rest.find("(", rest.rfind("eval at "))
    if opening < 0:
        return None
    place = rest[opening + 1 : _closing(rest, opening)]
    return _frame(function, place, bare=False, evaluated=True)


def _closing(text: str, opening: int) -> int:
    depth = 0
    for at in range(opening, len(text)):
        if text[at] == "(":
            depth += 1
        elif text[at] == ")":
            depth -= 1
            if depth == 0:
                return at
    return len(text)


def _frame(function: str, place: str, *, bare: bool, evaluated: bool = False) -> Frame | None:
    place = place.strip()
    if place.startswith("error: (") and place.endswith(")"):
        place = place[8:-1]
    for prefix in ("async ", "address at "):
        place = place.removeprefix(prefix)
    file, line, column = split(place)
    if (
        line is None
        and not evaluated
        and not is_native(file)
        and (" " in file or (bare and "/" not in file))
    ):
        return None  # a piece of a message
    return make(plain_function(function), file, line, column, evaluated=evaluated)


def plain_function(name: str) -> str:
    name = name.strip()
    return "" if name in _ANONYMOUS else name[:MAX_NAME]


@lru_cache(maxsize=4096)
def _gecko(line: str) -> Frame | None:
    usual = _USUAL_GECKO.match(line)
    if usual:
        return make(plain_function(usual[1]), usual[2], int(usual[3]), int(usual[4]))
    if line.startswith("Error created at "):  # Opera 10 says the outermost frame twice
        return None
    if fileless := _FILELESS.match(line):
        return make(plain_function(fileless[1]), "", int(fileless[2]), int(fileless[3]))
    line = without_quirks(line)
    found = _place_in(line)
    if found:
        function, place = line[: found.start()], line[found.end() :]
    elif "@" in line and "://" not in line.partition("@")[0]:
        function, _, place = line.partition("@")
    else:
        function, place = "", line
        if " " in place and place not in NOWHERE:
            return None
    return _placed(function, place.strip())


def _place_in(line: str) -> re.Match[str] | None:
    """The @ before the place: the last one before a scheme that is known, else the first one."""
    known = None
    for known in _AT_SCHEME.finditer(line):  # noqa: B007 - the last one is wanted
        pass
    return known or _AT_PLACE.search(line)


def _placed(function: str, place: str) -> Frame | None:
    if "://" in function:  # a bare address with an @ in its path, as /@scope/name
        function, place = "", f"{function}@{place}"
    file, line, column = split(place)
    if line is None and file not in NOWHERE and ".wasm" not in file:
        return None
    if function.endswith(")"):
        opened = _ARGUMENTS.search(function, function.rfind("\n") + 1)
        function = function[: opened.start()] if opened else function
    return make(
        plain_function(opera.unwrapped(function)), file, line, column, evaluated=" > " in place
    )
