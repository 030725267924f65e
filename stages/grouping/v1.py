"""Fingerprints of version 1.

Frozen once released: what is wrong here is put right in a version 2.

An error is grouped by its type and by the file and function of the innermost frame of the project's
own code: a message holds ids and is worded differently by each engine, callers vary, lines and
columns move with each build. Where no function tells the place (anonymous, or named by a minifier),
the message in its canonical form helps; where there is no file either, type and message are all
there is. Causes count in the same way.
"""

from __future__ import annotations

import hashlib
import re
from itertools import takewhile
from typing import TYPE_CHECKING

from catchwater.config.grouping_rules import filled
from stages.grouping import messages, project_rules
from stages.grouping.files import steady
from stages.grouping.frames import is_native, is_wasm
from stages.grouping.functions import (
    THROWERS,
    is_compiled_helper,
    is_minified,
    plain,
    telling,
)
from stages.grouping.result import GroupingResult

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from catchwater.config.grouping_rules import Rule
    from stages.grouping.frames import Frame
    from stages.grouping.parsed_event import ExceptionInfo, ParsedEvent

_ERROR_CLASSES = (
    *("Error", "Exception", "Problem", "Failure", "Fault", "Violation", "Rejection", "Warning"),
    *("Denied", "Timeout", "Aborted", "Cancelled", "Unavailable", "Exceeded"),
)
_FILE_OF_ERRORS = re.compile(
    r"/(?:errors?|exceptions?|problems?|failures?)\b[^/]*\Z", re.IGNORECASE
)
_COMPILES = re.compile(r"(?:new )?(?:eval|Function)\Z").match
"""What parses a text: then the script that called it is at fault, not one that was loaded."""

_COMPONENT_STACK = "React ErrorBoundary "
"""The type of a cause that Sentry's SDK makes of the components above the place: callers."""

_MINIFIED = 1000
"""A column that only minified code has."""
_SHORT = 3  # letters of a name that a minifier gives in a bundle of a megabyte
_FEW_LINES = 3  # that such a bundle has

_UNTYPED = frozenset({"", "UnhandledRejection", "Unhandled", "Uncaught"})


def group(details: ParsedEvent, rules: Sequence[Rule] = ()) -> GroupingResult:
    """The issue that an event belongs to, in a project with these rules."""
    return _Grouping(details, rules).result


class _Grouping:
    """The grouping of one event. Each method adds to the result what it used and ignored."""

    def __init__(self, details: ParsedEvent, rules: Sequence[Rule]) -> None:
        self._details = details
        self.result = GroupingResult(top=_top(details.thrown.frames, details.thrown.type))
        parts = self._default_parts()
        if match := project_rules.first(rules, details, self.result.top):
            parts = self._parts_of_rule(*match, parts)
        elif details.client_fingerprint:
            parts = self._parts_of_client(parts)
        text = "\0".join(parts).encode("utf-8", "replace")
        self.result.fingerprint = hashlib.blake2b(text, digest_size=16).hexdigest()

    def _parts_of_rule(self, number: int, rule: Rule, default: list[str]) -> list[str]:
        """A rule of the project wins over the client's own fingerprint and over all else."""
        values = project_rules.values(self._details, self.result.top)
        self.result.title = filled(rule.title, {**values, "default": ""}).strip()
        if self._details.client_fingerprint:
            self.result.ignore("fingerprint of the client", "a rule of the project comes first")
        if not any("default" in part for part in rule.name):
            self.result.ignore_all_used("a rule of the project names this issue")
        self.result.used.append(project_rules.said(number, rule))
        if all(part in project_rules.DEFAULTS for part in rule.name):
            return default
        return ["asked", *project_rules.parts(rule.name, default, values)]

    def _parts_of_client(self, default: list[str]) -> list[str]:
        """The client's own fingerprint wins.

        `{{ default }}` in it stands for what it would have been.
        """
        wanted = self._details.client_fingerprint
        is_default = [part in project_rules.DEFAULTS for part in wanted]
        if all(is_default):
            return default
        if not any(is_default):
            self.result.ignored = []
            self.result.ignore_all_used("the client gave its own fingerprint")
        self.result.used.append(f"fingerprint of the client: {', '.join(wanted)}")
        parts = ["asked"]
        for part, default_here in zip(wanted, is_default, strict=True):
            parts += default if default_here else [f"={part}"]
        return parts

    def _default_parts(self) -> list[str]:
        if self._details.shape == "message":
            return self._message_parts()
        if self._details.parts:
            return self._report_parts()
        parts = self._error_parts()
        causes = [one for one in self._details.chain if not one.type.startswith(_COMPONENT_STACK)]
        for cause in sorted(set(map(_cause, causes))):
            self.result.used.append(f"cause: {cause}")
            parts.append(f"cause {cause}")
        return parts

    def _message_parts(self) -> list[str]:
        thrown = self._details.thrown
        text = thrown.template or messages.normalize("", thrown.message).text
        self.result.used.append(f"message: {text}")
        if thrown.frames:
            self.result.ignore("stack", "it shows where the message was captured, not an error")
        return ["message", text]

    def _report_parts(self) -> list[str]:
        shape, parts = self._details.shape, self._details.parts
        self.result.used += [f"kind: {shape}", *(f"what: {part}" for part in parts if part)]
        self.result.ignore("message", f"a {shape} report is told by what it is about")
        return [shape, *(steady(part) if shape == "resource" else part for part in parts)]

    def _error_parts(self) -> list[str]:
        thrown = self._details.thrown
        message = _normalized(thrown)
        type_ = _type(message.type)
        self.result.used.append(f"type: {type_}")
        return ["error", type_, *self._place_parts(message)]

    def _place_parts(self, message: messages.NormalizedMessage) -> list[str]:
        """Where the error is, and the message where that does not tell."""
        thrown = self._details.thrown
        if message.where == "nowhere":
            self.result.ignore("stack", "this says nothing about a line of the project")
            return [self._text(message)]
        if message.where == "source":
            return [self._unparsed_file(), self._text(message)]
        if thrown.synthetic:
            self.result.ignore(
                "stack",
                "it belongs to whoever caught what was thrown, which was no Error and has none",
            )
            return [self._text(message)]
        recurring = message.text == "too much recursion"
        frame = _recurring(thrown.frames) if recurring else self.result.top
        if frame is None or is_native(frame.file):
            return [self._text(message)]
        return self._frame_parts(frame, message)

    def _unparsed_file(self) -> str:
        """The file that could not be parsed."""
        self.result.ignore(
            "stack", "it belongs to whoever loaded the script, which could not be parsed"
        )
        frames = self._details.thrown.frames
        compiled = bool(frames) and is_native(frames[0].file) and _COMPILES(frames[0].function)
        frame = self.result.top if compiled else self._details.source or self.result.top
        file = steady(frame.file) if frame else ""
        self.result.used.append(f"file: {file or 'the page'}")
        return file

    def _frame_parts(self, frame: Frame, message: messages.NormalizedMessage) -> list[str]:
        file, function = steady(frame.file), _telling(frame)
        self.result.used.append(f"file: {file or 'the page'}")
        if file != frame.file:
            self.result.ignore(
                f"rest of the address {frame.file}",
                "host, query, release and hashes differ from load to load",
            )
        self.result.ignore(
            "line and column", "they move with each build and differ from engine to engine"
        )
        self.result.ignore(
            "callers", "one fault may be reached in many ways, and engines leave some out"
        )
        if function in THROWERS:
            self.result.used.append(f"function: {function}")
            return [file, function, self._text(message)]
        if function:
            return [file, self._telling_function(function)]
        self.result.ignore(
            f"function {frame.function or '(anonymous)'}",
            "it has no name, or one that differs from load to load",
        )
        return [file, "", self._text(message)]

    def _telling_function(self, function: str) -> str:
        self.result.used.append(f"function: {function}")
        self.result.ignore(
            "message",
            "the place tells the issue; messages hold ids and differ from engine to engine",
        )
        return function

    def _text(self, message: messages.NormalizedMessage) -> str:
        suffix = " (one form for all engines)" if message.known else ""
        self.result.used.append(f"message: {message.text}{suffix}")
        return message.text


def _type(type_: str) -> str:
    """Not every engine and SDK names what is no Error; a minifier's name of a class changes at
    each build.
    """
    return "Error" if type_ in _UNTYPED or is_minified(type_) else type_


def _telling(frame: Frame) -> str:
    """The function's name if it tells the place.

    Where a whole bundle stands in a line or two, three letters are a minifier's, word or not.
    """
    function = telling(frame.function)
    if len(function) > _SHORT or (frame.line or 0) > _FEW_LINES:
        return function
    return "" if (frame.column or 0) >= _MINIFIED else function


def _normalized(thrown: ExceptionInfo) -> messages.NormalizedMessage:
    native = _called_native(thrown.frames)
    return messages.normalize(thrown.type, thrown.template or thrown.message, native)


def _called_native(frames: Sequence[Frame]) -> str:
    """The engine's function that threw, as the page called it: JavaScriptCore says
    `appendChild@[native code]`, and which functions of its own that one called; V8 says
    `Promise.all (<anonymous>)`.
    """
    native = list(takewhile(_is_engines, frames))
    if not native:
        return ""
    return plain(native[-1 if len(native) < len(frames) else 0].function)


def _is_engines(frame: Frame) -> bool:
    return frame.file == "[native code]" or (frame.file == "<anonymous>" and frame.line is None)


def _cause(thrown: ExceptionInfo) -> str:
    message = _normalized(thrown)
    frame = _top(thrown.frames, thrown.type)
    function = telling(frame.function) if frame else ""
    if frame is None or message.where == "nowhere" or not function:
        return f"{_type(message.type)}: {message.text}"
    return f"{_type(message.type)} in {function} ({steady(frame.file)})"


def _top(frames: Sequence[Frame], type_: str) -> Frame | None:
    """The innermost frame of the project's own code; without one, the innermost that has a file
    at all.
    """
    placed = [frame for frame in frames if not is_native(frame.file)]
    placed = [frame for frame in placed if not is_wasm(frame.file)] or placed
    ours = [frame for frame in placed if frame.in_app] or placed
    ours = _without_helpers(ours) or ours
    usable = [frame for frame in ours if not frame.evaluated] or ours
    found = next((frame for frame in _past_constructor(usable, type_)), None)
    return _async_arrow(found, frames) if found and not found.function else found


def _async_arrow(body: Frame, frames: Sequence[Frame]) -> Frame:
    """JavaScriptCore runs an async arrow function in one without a name that the arrow calls: the
    arrow is the next frame, on the same line. (In minified code all is on one line.)
    """
    arrow = next(iter(frames[frames.index(body) + 1 :]), body)
    same = body.line is not None and (arrow.file, arrow.line) == (body.file, body.line)
    return arrow if same and (arrow.column or 0) < _MINIFIED and telling(arrow.function) else body


def _without_helpers(frames: Sequence[Frame]) -> list[Frame]:
    """Without what compilers add. `Wrapper` is Babel's where its `_construct` is on top of it, and
    a usual name everywhere else.
    """
    inner = (None, *frames)
    return [
        frame
        for before, frame in zip(inner, frames, strict=False)
        if not is_compiled_helper(frame.function)
        and not (before and frame.function == "Wrapper" and is_compiled_helper(before.function))
    ]


def _past_constructor(frames: Sequence[Frame], type_: str) -> Iterable[Frame]:
    """SpiderMonkey shows the constructor of an error's own class on top; V8 does not."""
    for at, frame in enumerate(frames):
        if at >= 3 or at + 1 == len(frames) or not _is_constructor(frame, type_):
            return frames[at:]
    return frames


def _is_constructor(frame: Frame, type_: str) -> bool:
    function = plain(frame.function)
    if is_minified(function):
        return bool(_FILE_OF_ERRORS.search(frame.file))
    if function[:1].islower():
        return False
    if function == type_ or function.endswith(_ERROR_CLASSES):
        return True
    return "_" in type_ and function.lower() == type_.replace("_", "").lower()


def _recurring(frames: Sequence[Frame]) -> Frame | None:
    """Where a recursion breaks off is chance: of the functions in it, the first by name stands
    for all.
    """
    ours = [frame for frame in frames if frame.in_app] or [
        frame for frame in frames if not is_native(frame.file)
    ]
    known = {(steady(frame.file), telling(frame.function)): frame for frame in reversed(ours[:20])}
    with_name = [key for key in known if key[1]]
    return known[min(with_name or known)] if known else None
