"""A message without what differs from visit to visit, and in one wording for all engines."""

from __future__ import annotations

import re
from functools import cache, lru_cache
from typing import NamedTuple

from stages.grouping.engine_messages import Where
from stages.grouping.matching import Match, Matcher
from stages.grouping.parameters import parametrised

MAX = 1024  # characters that take part in grouping

_PREFIX = re.compile(
    r"(?:uncaught exception: |Uncaught (?:\(in promise\) ?)?|Unhandled (?:promise )?rejection:? |"
    r"Non-Error promise rejection captured with value: |Non-Error exception captured with value: )",
    re.IGNORECASE,
)
# Versions of Sentry's SDK before 7.50 said it so.
_KEYS = re.compile(r"Non-Error (exception|promise rejection) captured with keys: ")
WRAPPED = re.compile(r"(?:Error: )?Uncaught \(in promise\): ")
"""zone.js up to 0.13 puts the whole error, with its stack, into the message of another one."""

_KEYS_OF = re.compile(r"(with keys: )([\w$, -]{1,400})\Z")
_TYPE = re.compile(r"((?:[A-Za-z_$][\w$.]{0,80})?(?:Error|Exception|Violation|Warning))(?::[ ]|\Z)")
# Blink puts `Failed to execute 'appendChild' on 'Node': ` before a message, Gecko
# `Node.appendChild: `; properties and constructors have forms of their own.
_DOM = re.compile(
    r"(?:Failed to [a-z]{1,20}(?: an?| the)?(?: [a-z]{1,20}){0,2} '([^'\n]{1,80})'(?: property)?"
    r"(?: (?:on|from) '[^'\n]{1,80}')?"
    r"|([A-Z]\w{0,60})(?:\.(\w{1,60}))?( constructor| setter| getter)?): "
)
_SEQUENCE = re.compile(r"\(0 ?, ?([\w$.#]{1,80})\)")
"""`(0, lib.pay)(order)` calls what an object holds, but not as its method: bundlers write it so."""
_DOM_TYPES = frozenset(
    (
        *("AbortError", "ConstraintError", "DataCloneError", "DataError", "EncodingError"),
        *("HierarchyRequestError", "InUseAttributeError", "IndexSizeError", "InvalidAccessError"),
        *("InvalidCharacterError", "InvalidModificationError", "InvalidNodeTypeError"),
        *("InvalidStateError", "NamespaceError", "NetworkError", "NoModificationAllowedError"),
        *("NotAllowedError", "NotFoundError", "NotReadableError", "NotSupportedError"),
        *("OperationError", "OverconstrainedError", "QuotaExceededError", "ReadOnlyError"),
        *("SecurityError", "TimeoutError", "TransactionInactiveError", "URLMismatchError"),
        *("TypeMismatchError", "UnknownError", "VersionError", "WrongDocumentError"),
    )
)
"""Names of DOMExceptions. Blink words each cause; WebKit, and often Gecko, has one sentence for a
name (WebKit's dom/DOMException.cpp), so the name is all that engines have in common.
"""

DOM_TEXT = "a DOMException: its type says what"
_ARGUMENT = re.compile(
    r"Argument [0-9]{1,3} \('[^'\n]{1,80}'\) to (?:the )?(?:\w{1,60}\.)?(\w{1,60}) "
)
"""WebKit's form of it."""

_OF_CALLS = frozenset({"TypeError", "RangeError"})
"""What a wrong call of a web API throws, besides DOMExceptions."""

_GECKO_NAMES = frozenset({"add", "define", "evaluate", "measure", "toggle"})
"""APIs that Gecko names in a SyntaxError. Of most others it only says what the type says: its dom/
throws a bare NS_ERROR_DOM_SYNTAX_ERR.
"""

_ANY_CALL = frozenset({"", "an argument of another kind than expected"})
"""Mistakes in the call of a web API: which one was called says more than what was wrong with it.
(Which had too few arguments, WebKit says only in the stack.)
"""

# WebKit's sentences for what other engines tell apart. The native function on top of its stack
# tells which mistake it is.
_TYPE_ERROR, _PATTERN = "Type error", "The string did not match the expected pattern."
_ILLEGAL = "An invalid or illegal string was specified"  # Gecko's sentence for the same
_OF_LISTS = frozenset({"", "Set", "Map", "WeakSet", "WeakMap"})
_OF_JSON = frozenset({"", "json", "parse"})

_OF_PROMISES = frozenset({"all", "allSettled", "any", "race"})
_OF_ITERABLES = _OF_PROMISES | {"fromEntries", "groupBy", "Map", "Set", "WeakMap", "WeakSet"}
"""What takes something iterable: JavaScriptCore says that undefined, its iterator, is no function.
"""
_EVALUATED = re.compile(r"(?:undefined|null) is not an object \(evaluating '")
_NOTHING_ITERABLE = re.compile(r"(?:object )?(?:undefined|null) is not iterable")
_NOTHING = "undefined is not an object"

_CALLED_ON = re.compile(
    r"(?!Array\.)(?:Method )?(?:[gs]et (?!method))?(?:[\w.]{0,80}\.)?(\w{1,60})(?: method)? "
    r"called on (?:incompatible|null or undefined)"
)
"""Of methods of arrays, Gecko does not say which it was."""
_OTHER_KIND = "called on an object of another kind"
_INTERNAL = re.compile(r"this\w+Value\Z|Call\w+IfWrapped\Z")
"""What SpiderMonkey calls functions of its own, where others name the one that was called."""


_WITHOUT_STACK = frozenset({("SyntaxError", "json"), ("NotAllowedError", "play")})
"""What Gecko gives no stack, as no line of the project is at fault: the server's answer was no
JSON, the browser did not want to play.
"""


class NormalizedMessage(NamedTuple):
    """An error's type and message.

    `known` when it is in the table of engine_messages, which also says `where` the fault is.
    """

    type: str
    text: str
    known: bool = False
    where: Where = "frame"


def normalize(type_: str, message: str, native: str = "") -> NormalizedMessage:
    """Type and message in their normalized form. `native`: the function of the engine that threw,
    where the stack shows it.

    Storms repeat themselves, so the last results are cached.
    """
    return _normalized(type_, message[:MAX], native)


@cache
def _matcher() -> Matcher:
    return Matcher(version=1)


@lru_cache(maxsize=2048)
def _normalized(type_: str, message: str, native: str) -> NormalizedMessage:
    found_type, text = split(message)
    type_ = found_type if found_type and type_ in ("", "Error") else type_
    text = _SEQUENCE.sub(r"\1", text.replace("new(0,", "new (0,")) if "(0" in text else text
    match = _match(type_, text, native)
    method, call = _method(text, native, match), _call(text, native)
    if method:
        return NormalizedMessage(type_, f"a wrong call of {method}", known=True)
    if call and _is_wrong_call(type_, call, match):
        return NormalizedMessage(type_, f"a wrong call of {call}", known=True)
    if match and type_ not in _DOM_TYPES:
        type_ = match.row.type or type_
    if type_ in _DOM_TYPES and (match is None or match.row.where == "frame"):
        where: Where = "nowhere" if (type_, native) in _WITHOUT_STACK else "frame"
        return NormalizedMessage(type_, DOM_TEXT, known=True, where=where)
    if match is None:
        return NormalizedMessage(parametrised(type_), parametrised(text))
    where = "nowhere" if (type_, call) in _WITHOUT_STACK else match.row.where
    return NormalizedMessage(type_, match.canonical, known=True, where=where)


def _match(type_: str, text: str, native: str) -> Match | None:
    """The row of the table, if there is one that is not about something else."""
    if type_ == "AggregateError" and not text:  # JavaScriptCore says nothing
        text = "All promises were rejected"
    if text == _TYPE_ERROR and native not in _OF_LISTS:
        return None
    if text == _PATTERN and native not in _OF_JSON:
        return _matcher().find(_ILLEGAL)
    text = _said_by(native, text) if native else text
    prefix = _DOM.match(text)
    match = _matcher().find(text) or (prefix and _matcher().find(text[prefix.end() :]))
    if type_ == "SyntaxError" and prefix and _named(prefix):
        return match if match and match.row.type == type_ else _matcher().find(_ILLEGAL)
    return match


def _said_by(native: str, text: str) -> str:
    """What is meant where a function of the engine's own says it. JavaScriptCore quotes the page's
    line, though no property was read there; Gecko has one sentence for all of `Promise.all(null)`
    and `Object.keys(null)`.
    """
    if native in _OF_ITERABLES and text == "undefined is not a function":
        return "undefined is not iterable"
    quoted = _EVALUATED.match(text)
    of_promise = native in _OF_PROMISES and _NOTHING_ITERABLE.match(text)
    return _NOTHING if quoted or of_promise else text


def _method(text: str, native: str, match: Match | None) -> str:
    """The method of a built-in object that was called on another one: `getTime`, or ''."""
    found = _CALLED_ON.match(text)
    if match is None or not (found or match.canonical == _OTHER_KIND):
        return ""
    name = found[1] if found else native
    return "" if _INTERNAL.match(name) else name


def _is_wrong_call(type_: str, call: str, match: Match | None) -> bool:
    """Whether the API says more than the message. Of DOMExceptions, all engines name it for some
    SyntaxErrors only.
    """
    canonical = match.canonical if match else ""
    if type_ == "SyntaxError":
        return call in _GECKO_NAMES and canonical in {"", DOM_TEXT}
    return type_ in _OF_CALLS and canonical in _ANY_CALL


def _call(text: str, native: str) -> str:
    """The web API that a message is about: `appendChild`, `URL`, or '' if it is about none."""
    prefix, argument = _DOM.match(text), _ARGUMENT.match(text)
    return (_named(prefix) if prefix else argument[1] if argument else "") or native


def _named(prefix: re.Match[str]) -> str:
    """`Cart: ` is no web API, but how somebody begins a message."""
    blink, owner, member, how = prefix.groups()
    return blink or member or (owner if how else "")


def unwrapped(type_: str, message: str) -> tuple[str, str]:
    """Type and message of the error that zone.js wrapped: `Uncaught (in promise): TypeError: x`
    and below it the stack. Of any other, as they are.
    """
    found = WRAPPED.match(message)
    if found is None:
        return type_, message
    inner, _, _ = message[found.end() :].partition("\n")
    inner_type, text = split(inner)
    return (inner_type, text) if inner_type else (type_, inner)


def split(message: str) -> tuple[str, str]:
    """The type and the rest of `Uncaught TypeError: x is null`; '' if there is no type in it."""
    text = message.strip()
    prefix = _PREFIX.match(text)
    if prefix:
        text = text[prefix.end() :]
    keys = _KEYS.match(text)
    if keys:
        text = f"Object captured as {keys[1]} with keys: {text[keys.end() :]}"
    text = _KEYS_OF.sub(lambda found: found[1] + ",".join(sorted(found[2].split(","))), text)
    found = _TYPE.match(text)
    if found is None:
        return "", text
    return found[1], text[found.end() :].strip()
