"""A function's name as every engine would say it."""

from __future__ import annotations

import re
from functools import lru_cache

_AS = re.compile(r" \[as [^\]]{0,200}\]\Z")
_ANONYMOUS = frozenset({
    "", "?", "<anonymous>", "anonymous", "(anonymous)", "(anonymous function)", "anonymous function", "eval",
    "eval code",
    "global code",
    "module code", "global", "(program)", "<global>", "<unknown>", "null", "undefined", "<", "default",
})  # fmt: skip
_WORD = re.compile(r"[\w$#<>-]+")


@lru_cache(maxsize=4096)
def plain(function: str) -> str:
    """`async Object.foo`, `new foo`, `a.b.foo [as bar]`, `outer/x.foo` are all `foo`; '' when anonymous."""
    name = _AS.sub("", function.strip())
    name = name.rpartition("*")[2]  # SpiderMonkey: promise callback*foo
    for word in ("async ", "new ", "get ", "set ", "bound ", "static "):
        name = name.removeprefix(word)
    if name.endswith(("<", "/")):  # SpiderMonkey: foo/< is an anonymous function inside foo
        return ""
    if name.endswith(")") and name.find("(") > 0 and "(anonymous" not in name:
        name = name[: name.find("(")]
    name = name.rpartition("/")[2].rpartition("::")[2].rpartition(".")[2].strip()
    return "" if name.lower() in _ANONYMOUS else name.removeprefix("#")


def is_telling(name: str) -> bool:
    """Whether a plain name says which function it is: minifiers give one or two letters, anew at each build."""
    return len(name) > 2
