"""Fingerprints of version 1. Frozen once released: what is wrong here is put right in a version 2.

An error is named by its type and by the file and function of the innermost frame of the project's own code: a
message holds ids and is worded differently by each engine, callers vary, lines and columns move with each build.
Where no function tells the place (anonymous, or named by a minifier), the message in its canonical form helps;
where there is no file either, type and message are all there is. Causes count in the same way.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

from catchwater.renaming import filled
from stages.naming import messages, ruled
from stages.naming.files import steady
from stages.naming.frames import is_native
from stages.naming.functions import plain, telling
from stages.naming.name import Name

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from catchwater.renaming import Rule
    from stages.naming.frames import Frame
    from stages.naming.told import Details, Thrown

_UNTYPED = frozenset({"", "UnhandledRejection", "Unhandled", "Uncaught"})


def name(details: Details, rules: Sequence[Rule] = ()) -> Name:
    """The name of the issue that `details` belongs to, in a project with these rules."""
    named = Name()
    parts = _default(details, named)
    if found := ruled.first(rules, details, named.top):
        parts = _ruled(found, details, parts, named)
    elif details.asked:
        parts = _asked(details.asked, parts, named)
    named.fingerprint = hashlib.blake2b("\0".join(parts).encode("utf-8", "replace"), digest_size=16).hexdigest()
    return named


def _ruled(found: tuple[int, Rule], details: Details, default: list[str], named: Name) -> list[str]:
    """A rule of the project wins over the client's own fingerprint and over all else."""
    number, rule = found
    known = ruled.values(details, named.top)
    named.title = filled(rule.title, {**known, "default": ""}).strip()
    if details.asked:
        named.ignore("fingerprint of the client", "a rule of the project comes first")
    if not any("default" in part for part in rule.name):
        named.ignored += [{"part": part, "why": "a rule of the project names this issue"} for part in named.used]
        named.used = []
    named.used.append(ruled.said(number, rule))
    if all(part in ruled.DEFAULTS for part in rule.name):
        return default
    return ["asked", *ruled.parts(rule.name, default, known)]


def _asked(asked: Sequence[str], default: list[str], named: Name) -> list[str]:
    """The client's own fingerprint wins; `{{ default }}` in it stands for what it would have been."""
    if all(part in ruled.DEFAULTS for part in asked):
        return default
    if not any(part in ruled.DEFAULTS for part in asked):
        named.ignored = [{"part": part, "why": "the client gave its own fingerprint"} for part in named.used]
        named.used = []
    named.used.append(f"fingerprint of the client: {', '.join(asked)}")
    return ["asked", *(one for part in asked for one in (default if part in ruled.DEFAULTS else [f"={part}"]))]


def _default(details: Details, named: Name) -> list[str]:
    named.top = _top(details.thrown.frames, details.thrown.type)
    if details.shape == "message":
        return _message(details.thrown, named)
    if details.parts:
        return _reported(details, named)
    parts = _error(details, named)
    for cause in sorted({_cause(one) for one in details.chain}):
        named.used.append(f"cause: {cause}")
        parts.append(f"cause {cause}")
    return parts


def _message(thrown: Thrown, named: Name) -> list[str]:
    text = thrown.template or messages.told("", thrown.message).text
    named.used.append(f"message: {text}")
    if thrown.frames:
        named.ignore("stack", "it shows where the message was captured, not an error")
    return ["message", text]


def _reported(details: Details, named: Name) -> list[str]:
    named.used += [f"kind: {details.shape}", *(f"what: {part}" for part in details.parts if part)]
    named.ignore("message", f"a {details.shape} report is told by what it is about")
    parts = [steady(part) if details.shape == "resource" else part for part in details.parts]
    return [details.shape, *parts]


def _error(details: Details, named: Name) -> list[str]:
    thrown = details.thrown
    told = messages.told(thrown.type, thrown.template or thrown.message)
    type_ = _type(told.type)
    named.used.append(f"type: {type_}")
    if told.where == "nowhere":
        named.ignore("stack", "this says nothing about a line of the project")
        return ["error", type_, _said(told, named)]
    if told.where == "source":
        return ["error", type_, _unparsed(details, named), _said(told, named)]
    if thrown.synthetic:
        named.ignore("stack", "it belongs to whoever caught what was thrown, which was no Error and has none")
        return ["error", type_, _said(told, named)]
    frame = _recurring(thrown.frames) if told.text == "too much recursion" else named.top
    if frame is None or is_native(frame.file):
        return ["error", type_, _said(told, named)]
    return ["error", type_, *_located(frame, told, named)]


def _unparsed(details: Details, named: Name) -> str:
    """The file that could not be parsed."""
    named.ignore("stack", "it belongs to whoever loaded the script, which could not be parsed")
    frame = details.source or named.top
    file = steady(frame.file) if frame else ""
    named.used.append(f"file: {file or 'the page'}")
    return file


def _located(frame: Frame, told: messages.Told, named: Name) -> list[str]:
    file, function = steady(frame.file), telling(frame.function)
    named.used.append(f"file: {file or 'the page'}")
    if file != frame.file:
        named.ignore(f"rest of the address {frame.file}", "host, query, release and hashes differ from load to load")
    named.ignore("line and column", "they move with each build and differ from engine to engine")
    named.ignore("callers", "one fault may be reached in many ways, and engines leave some out")
    if function:
        named.used.append(f"function: {function}")
        named.ignore("message", "the place tells the issue; messages hold ids and differ from engine to engine")
        return [file, function]
    named.ignore(f"function {frame.function or '(anonymous)'}", "it has no name, or one that differs from load to load")
    return [file, "", _said(told, named)]


def _said(told: messages.Told, named: Name) -> str:
    named.used.append(f"message: {told.text}" + (" (one form for all engines)" if told.known else ""))
    return told.text


def _type(type_: str) -> str:
    """Not every engine and SDK names what is no Error; a minifier's name of a class changes at each build."""
    return "Error" if type_ in _UNTYPED or len(type_) <= 2 else type_


def _cause(thrown: Thrown) -> str:
    told = messages.told(thrown.type, thrown.template or thrown.message)
    frame = _top(thrown.frames, thrown.type)
    function = telling(frame.function) if frame else ""
    if frame is None or told.where == "nowhere" or not function:
        return f"{_type(told.type)}: {told.text}"
    return f"{_type(told.type)} in {function} ({steady(frame.file)})"


def _top(frames: Sequence[Frame], type_: str) -> Frame | None:
    """The innermost frame of the project's own code; without one, the innermost that has a file at all."""
    placed = [frame for frame in frames if not is_native(frame.file)]
    ours = [frame for frame in placed if frame.in_app] or placed
    usable = [frame for frame in ours if not frame.evaluated] or ours
    return next((frame for frame in _past_constructor(usable, type_)), None)


def _past_constructor(frames: Sequence[Frame], type_: str) -> Iterable[Frame]:
    """SpiderMonkey shows the constructor of an error's own class on top; V8 does not."""
    for at, frame in enumerate(frames):
        function = plain(frame.function)
        is_constructor = function == type_ or function.endswith(("Error", "Exception"))
        if at >= 3 or not is_constructor or at + 1 == len(frames) or function[:1].islower():
            return frames[at:]
    return frames


def _recurring(frames: Sequence[Frame]) -> Frame | None:
    """Where a recursion breaks off is chance: of the functions in it, the first by name stands for all."""
    ours = [frame for frame in frames if frame.in_app] or [frame for frame in frames if not is_native(frame.file)]
    known = {(steady(frame.file), telling(frame.function)): frame for frame in reversed(ours[:20])}
    named = [key for key in known if key[1]]
    return known[min(named or known)] if known else None
