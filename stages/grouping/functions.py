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
_NUMBERED = re.compile(r"([A-Za-z_$][\w$]{3,}[A-Za-z])(?:\$[0-9]{1,3}|[2-9]|[1-9][0-9])\Z")
_MEANT = re.compile(r"(?:Int|Float|Uint|base|utf|sha|sha3|md|ES|H|level|step|stage|phase)[0-9]+\Z")
"""Names whose number somebody wrote."""

_GENERATED = re.compile(r"_0x[0-9a-f]{2,}\Z|_?callee[0-9]*\$?\Z|_?_?webpack_\w+\Z|[0-9]+\Z")
"""What tools call functions that have no name, or had one: obfuscators, regenerator, webpack."""

_WORDS = frozenset(
    (
        *("abs", "add", "all", "and", "any", "api", "app", "ask", "bar", "bet", "bid", "bin"),
        *("box", "buy", "cal", "can", "cap", "car", "cat", "cmp", "col", "cut", "day", "dec"),
        *("def", "del", "div", "doc", "dom", "dot", "end", "env", "err", "exp", "fax", "fit"),
        *("fix", "fly", "foo", "for", "fun", "gap", "get", "has", "hex", "hit", "hot", "img"),
        *("inc", "ins", "int", "its", "job", "key", "kit", "lap", "law", "lib", "lit", "log"),
        *("low", "map", "max", "mid", "min", "mix", "mod", "mul", "nav", "net", "new", "nop"),
        *("not", "now", "obj", "off", "one", "opt", "out", "pad", "pan", "pay", "pdf", "pin"),
        *("pop", "pow", "put", "ran", "raw", "red", "ref", "rem", "req", "res", "row", "run"),
        *("ack", "arr", "bfs", "btn", "cfg", "cmd", "cos", "ctx", "dbg", "dev", "dfs", "dst"),
        *("els", "esc", "evt", "fmt", "gcd", "hsl", "idx", "jsx", "len", "lcm", "mat", "mgr"),
        *("msg", "num", "ops", "pos", "ptr", "rgb", "rot", "rpc", "sep", "seq", "src", "ssr"),
        *("str", "svc", "tmp", "usr", "vec", "vue", "yes"),
        *("sub", "sum", "svg", "tab", "tag", "tan", "tap", "tax", "tip", "top", "two", "txt"),
        *("uid", "url", "use", "val", "var", "via", "war", "web", "win", "xhr", "xml", "zip"),
        *("see", "set", "sin", "sit", "sky", "sql", "say", "sad", "try", "old", "own"),
    )
)
"""Names of three letters that people give."""

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

    Minifiers give one to three letters, anew at each build. `ns.util.run` is a function without a
    name that was assigned to a property: V8 and SpiderMonkey make up a name for it, JavaScriptCore
    does not. (`Cart.pay` is a method: V8 writes its class before it. A minified class has a short
    name.)
    """
    name = plain(function)
    if is_minified(name) or _GENERATED.match(name) or _is_inferred(_core(function)):
        return ""
    numbered = _NUMBERED.match(name)
    return numbered[1] if numbered and not _MEANT.search(name) else name


@lru_cache(maxsize=4096)
def is_minified(name: str) -> bool:
    """Whether a minifier gave the name: one or two letters, or three that are no word.

    A large bundle uses up the 3,500 names of one and two letters; of those of three, fewer than 1
    in 1,000 are words.
    """
    if len(name) != 3:
        return len(name) < 3
    usual = name[1:].islower() or name.isupper()  # `run`, `Run`, `RUN`; `rUn` is nobody's
    return not usual or name.lower() not in _WORDS


def _is_inferred(core: str) -> bool:
    """`kqe.render` is none: it is the method of a minified class."""
    name = core.rpartition("/")[2]
    owner, _, method = name.partition(".")
    if is_minified(owner) and method and "." not in method:
        return False
    return bool(_INFERRED.match(name))


_HELPERS = re.compile(
    r"_{0,2}(?:nonIterable(?:Rest|Spread)|iterableToArray(?:Limit)?|toConsumableArray|slicedToArray"
    r"|arrayWithoutHoles|arrayLikeToArray|unsupportedIterableToArray|toArray|maybeArrayLike"
    r"|createForOfIteratorHelper(?:Loose)?|inherits(?:Loose)?|possibleConstructorReturn"
    r"|assertThisInitialized|assertClassBrand|classCallCheck|classPrivate\w{1,40}|checkPrivate\w{1,40}"
    r"|checkInRHS|defineProperty|defineProperties|createClass|objectSpread|objectDestructuringEmpty"
    r"|objectWithoutProperties(?:Loose)?|readOnlyError|tdz|temporalRef|temporalUndefined"
    r"|instanceof|newArrowCheck|initializerDefineProperty|superPropBase|wrapNativeSuper|construct"
    r"|callSuper|toPrimitive|toPropertyKey|asyncToGenerator|asyncGeneratorStep|regenerator\w{0,20}"
    r"|values|read|spread(?:Arrays?)?|await(?:er)?|generator|extends|rest|decorate|privateGet"
    r"|privateSet|privateAdd|privateMethod|accessCheck|spreadValues|spreadProps|async|export"
    r"|makeTemplateObject|classPrivateField(?:Get|Set|In))[0-9]{0,3}\Z"
)

THROWERS = frozenset(
    (
        *("invariant", "assert", "asserts", "assertIsDefined", "warning", "panic", "fail", "raise"),
        *("throwError", "throwIf", "throwOnError", "reject", "ensure", "check", "must", "expect"),
        *("request", "fetchJson", "fetchJSON", "apiFetch", "handleResponse", "handleError"),
        *("checkStatus", "settle", "createError", "createAxiosError", "parseResponse", "unwrap"),
    )
)
"""Functions that many call to throw: the place says little there, the message more."""


@lru_cache(maxsize=2048)
def is_compiled_helper(function: str) -> bool:
    """`_nonIterableSpread2`, `__values`: Babel, TypeScript and esbuild put it between the place and
    what the engine says of it.
    """
    name = plain(function)
    return name.startswith("_") and bool(_HELPERS.match(name))
