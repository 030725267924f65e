"""A function's name as every engine would say it."""

from __future__ import annotations

import re
from functools import lru_cache

_AS = re.compile(r" \[as [^\]]{0,200}\]\Z")
_ANONYMOUS = frozenset(
    {
        "",
        "?",
        "<anonymous>",
        "anonymous",
        "(anonymous)",
        "(anonymous function)",
        "anonymous function",
        "eval",
        "eval code",
        "global code",
        "module code",
        "global",
        "(program)",
        "<global>",
        "<unknown>",
        "null",
        "undefined",
        "<",
        "default",
    }
)
_INFERRED = re.compile(r"[a-z_$][\w$]{0,80}(?:(?<=..)[\w$]\.[\w$]|\.[\w$<>]{1,80}\.[\w$])")


def _core(function: str) -> str:
    name = _AS.sub("", function.strip())
    name = name.rpartition("*")[2]  # SpiderMonkey: promise callback*foo
    for word in ("async ", "new ", "get ", "set ", "bound ", "static "):
        name = name.removeprefix(word)
    return name


@lru_cache(maxsize=2048)
def plain(function: str) -> str:
    """`async Object.foo`, `new foo`, `a.b.foo [as bar]`, `outer/x.foo` are all `foo`; '' when
    anonymous.
    """
    name = _core(function)
    if name.endswith(("<", "/")):  # SpiderMonkey: foo/< is an anonymous function inside foo
        return ""
    if name.endswith(")") and name.find("(") > 0 and "(anonymous" not in name:
        name = name[: name.find("(")]
    name = name.rpartition("/")[2].rpartition("::")[2].rpartition(".")[2].strip()
    return "" if name.lower() in _ANONYMOUS else name.removeprefix("#")


@lru_cache(maxsize=2048)
def telling(function: str) -> str:
    """The plain name if it says which function it is in every engine and build, else ''.

    Minifiers give one or two letters, anew at each build. `ns.util.run` is a function without a
    name that was assigned to a property: V8 and SpiderMonkey make up a name for it, JavaScriptCore
    does not. (`Cart.pay` is a method: V8 writes its class before it. A minified class has a short
    name.)
    """
    name = plain(function)
    if len(name) <= 2 or _INFERRED.match(_core(function).rpartition("/")[2]):
        return ""
    return name
