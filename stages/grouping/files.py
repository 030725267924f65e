"""A file's name without what changes from build to build, host to host and visit to visit."""

from __future__ import annotations

import re
from functools import lru_cache
from urllib.parse import unquote

from stages.grouping.frames import is_extension

_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]{0,40}:/{0,3}")
_BUNDLER = re.compile(
    r"(?:webpack|webpack-internal|ng|app|turbopack|vite|rollup|parcel|metro):/{0,3}", re.IGNORECASE
)
_UUID = re.compile(r"[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}")
_RELEASE = re.compile(r"(?:v|r|version|build|release|rev)[-_.]?[0-9]{1,15}\Z", re.IGNORECASE)
_VERSION_AT_END = re.compile(r"[-_.@]v?[0-9]{1,4}(?:\.[0-9]{1,6}){1,3}\Z")
_TIME_AT_END = re.compile(r"_[0-9]{8,17}\Z")
_HOME = re.compile(r"\A/{0,3}(?:[A-Za-z]:)?/{0,2}(?:(?:Users|home)/[^/]{1,100}/)?")
_VERSION = re.compile(r"[vr]?[0-9]{1,6}(?:\.[0-9]{1,9}){1,4}(?:[-+.][0-9A-Za-z.]{1,30})?\Z")
_HEX = re.compile(r"[0-9a-f]{4,64}\Z|[0-9A-F]{4,64}\Z")
_WORD_AND_NUMBER = re.compile(r"[A-Z]?[a-z]+[0-9]{1,4}\Z")
_VITE = re.compile(r"[-.][A-Za-z0-9_-]{8}\Z")
_PARTS = re.compile(r"([.~-])")
_NOISE = frozenset({"min", "prod", "production", "dev", "development"})


def steady(file: str) -> str:
    """`https://cdn7.x/static/v2.3.1/js/main.3f2a1b.js?v=9` is `static/js/main.js`: what stays
    the same when the same source is built, served or loaded again.
    """
    if file.startswith(("data:", "<data:")):
        return "data:"
    if " > " in file:  # SpiderMonkey: file.js line 51 > Function
        file = file.partition(" line ")[0]
    return _steady(file.partition("#")[0].partition("?")[0])


@lru_cache(maxsize=2048)
def _steady(file: str) -> str:
    path = _path(file)
    *folders, name = path.split("/")
    parts_left = [
        folder
        for folder in folders
        if folder not in ("", ".", "..", "~", "_N_E") and not _is_volatile(folder)
    ]
    return "/".join(
        [*(_VERSION_AT_END.sub("", folder) for folder in parts_left), _steady_name(name)]
    )


def template(address: str) -> str:
    """The path of a page with `*` for ids, releases and hashes: few values stand for many
    addresses.
    """
    return _template(address.partition("#")[0].partition("?")[0])


@lru_cache(maxsize=2048)
def _template(address: str) -> str:
    path = _path(address)
    parts = ["*" if _is_volatile(part) else part for part in path.split("/") if part]
    return "/" + "/".join(parts)


def short(file: str) -> str:
    """The last part of `steady`, for people; the page's own script has the page's path, `/` at
    the least.
    """
    return steady(file).rpartition("/")[2] or "/"


def _path(file: str) -> str:
    file = file.replace("\\", "/")
    if file.startswith("blob:"):
        return "blob:"
    if is_extension(file):
        return _UUID.sub("", file)
    bundler = _BUNDLER.match(file)
    if bundler:
        return _module(file[bundler.end() :], named=bundler[0].endswith(":" + "//"))
    scheme = _SCHEME.match(file)
    if file[1:2] == ":" or file[:8].lower() == "file:///":
        return _HOME.sub("", file.removeprefix("file:///"), count=1)
    if scheme is None or "/" not in scheme[0]:  # file.js:12, not an address
        return file
    return file[scheme.end() :].partition("/")[2]


def _module(path: str, *, named: bool) -> str:
    """`webpack://shop/./src/a.js`, `webpack-internal:///(rsc)/./src/a.js`: the module alone.

    `named`: the path begins with the bundle's name.
    """
    _, found, tail = path.partition("/")
    if found and (named or tail.startswith("./")):
        path = tail
    return path.removeprefix("./")


def _is_volatile(folder: str) -> bool:
    """A folder named for a release, a build, a day or an id."""
    return bool(
        _VERSION.match(folder)
        or _RELEASE.match(folder)
        or _UUID.fullmatch(folder)
        or _is_hash(folder)
        or folder.isdecimal()
    )


def _steady_name(name: str) -> str:
    name = _UUID.sub("", unquote(name) if "%" in name else name)
    stem, dot, extension = name.rpartition(".")
    if not dot:
        return "*" if stem and _is_volatile(extension) else name
    vite = _VITE.search(stem)
    if vite and vite.start() > 0 and _is_base64(vite[0][1:]):
        stem = stem[: vite.start()]
    parts = _PARTS.split(stem)
    parts_left = parts[:1] if len(parts) > 1 or not _is_hash(stem) else ["*"]
    for separator, part in zip(parts[1::2], parts[2::2], strict=True):
        if not (_is_hash(part) or part in _NOISE):
            parts_left += [separator, part]
    return f"{_at_version(''.join(parts_left))}.{extension}"


def _at_version(stem: str) -> str:
    """`jquery-3.6.0`, `lib@1.2.3` and `app_1699999999`: the name before the version."""
    return _TIME_AT_END.sub("", _VERSION_AT_END.sub("", stem)) or "*"


def _is_hash(part: str) -> bool:
    """A content hash or a time: hexadecimal with a digit in it, or 8 and more figures."""
    if not _HEX.match(part):
        return _is_base64(part) if len(part) in (8, 16, 20, 21, 22) else False
    digits = sum(char.isdecimal() for char in part)
    if digits == len(part):
        return digits >= 8
    return digits > 0 or len(part) >= 8


def _is_base64(part: str) -> bool:
    """`DkD0nX3s`, as Vite, Rollup and esbuild write hashes; not `Checkout`, `fetchAll` or
    `level100`.
    """
    if "." in part or _WORD_AND_NUMBER.match(part):
        return False
    upper = sum(char.isupper() for char in part)
    lower = sum(char.islower() for char in part)
    digits = sum(char.isdecimal() for char in part)
    if digits:
        return upper > 0 or digits > 1 or part[-1].isalpha()
    return upper >= 3 and (lower > 0 or len(part) == 8)
