"""A named event without what is private in it."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

from stages.scrubbing import cleaner

if TYPE_CHECKING:
    from stages.scrubbing.cleaner import Cleaner

_TEXTS = ("culprit", "page", "referrer", "environment")
_TREES = ("user", "tags", "extra", "used")


def scrub(event: dict[str, Any], by: Cleaner = cleaner.DEFAULT) -> None:
    """Clean a named body in place.

    `scrubbed` then says what was taken out, and how often, if anything was.

    Ids, fingerprints, functions' names, releases and lines of the project's own source stay as they
    are.
    """
    found: Counter[str] = Counter()
    for name in _TEXTS:
        event[name] = by.clean(event[name], found)
    for name in _TREES:
        if event[name]:
            event[name] = _tree(event[name], by, found)
    for crumb in event["breadcrumbs"]:
        _crumb(crumb, by, found)
    for one in event["ignored"]:  # each with a reason of ours
        one["part"] = by.clean(one["part"], found)
    for error in (event, *event["chain"]):
        error["type"] = by.clean(error["type"], found)
        error["message"] = by.clean(error["message"], found)
        _places(error["frames"], by, found)
    if found:
        event["scrubbed"] = dict(found)


def scrubbed(value: Any, by: Cleaner) -> Any:
    """Any JSON value without what is private in it; its depth was bounded before."""
    return _tree(value, by, Counter())


def _crumb(crumb: dict[str, Any], by: Cleaner, found: Counter[str]) -> None:
    """A breadcrumb has few fields, all ours: only what is in them is anybody's."""
    for name, value in crumb.items():
        if value and type(value) is not int:
            crumb[name] = _tree(value, by, found)


def _places(frames: list[dict[str, Any]], by: Cleaner, found: Counter[str]) -> None:
    """The scripts of a stack, which are mostly one."""
    last = cleaned = ""
    for frame in frames:
        if frame["file"] != last:
            last = frame["file"]
            cleaned = by.clean(last, found)
        frame["file"] = cleaned
        if generated := frame.get("generated"):
            generated["file"] = by.clean(generated["file"], found)


def _tree(value: Any, by: Cleaner, found: Counter[str]) -> Any:
    """Any JSON value, whose depth was bounded before."""
    if type(value) is str:
        return by.clean(value, found)
    if type(value) is list:
        return [_tree(one, by, found) for one in value]
    if type(value) is dict:
        return {by.clean(name, found): _field(name, one, by, found) for name, one in value.items()}
    return value


def _field(name: str, value: Any, by: Cleaner, found: Counter[str]) -> Any:
    if value and by.is_secret(name) and not isinstance(value, bool):
        if value != "[secret]":
            found["secret"] += 1
        return "[secret]"
    return _tree(value, by, found)
