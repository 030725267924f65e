"""A file's name without what changes from build to build, host to host and visit to visit."""

from __future__ import annotations

import re
from functools import lru_cache
from urllib.parse import unquote

from stages.grouping.frames import is_extension
from stages.grouping.random_names import is_hex, is_random, is_words

_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]{0,40}:/{0,3}")
_BUNDLER = re.compile(
    r"(?:webpack|webpack-internal|ng|app|turbopack|vite|rollup|parcel|metro):/{0,3}", re.IGNORECASE
)
_UUID = re.compile(r"[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}")
_RELEASE = re.compile(
    r"(?:v|r|b|version|build|release|rev|rel|deploy|dpl)[-_.]?[0-9]{1,15}(?:[-_.][0-9]{1,6}){0,4}\Z",
    re.IGNORECASE,
)
_DEPLOYMENT = re.compile(r"(?:dpl|deploy|build|release|rev)[-_][0-9A-Za-z]{8,40}\Z")
_DAY = re.compile(r"[0-9]{4}-[0-9]{2}(?:-[0-9]{2})?\Z")
_VERSION_AT_END = re.compile(r"[-_.@]v?[0-9]{1,4}(?:[._][0-9]{1,6}){1,3}\Z")
_PACKAGE = re.compile(
    r".{0,400}/(?:app\.asar(?:\.unpacked)?|resources/app|Resources/app|Contents/Resources)/"
)
"""Where a desktop app is installed: it is another folder on each system and machine."""

_HOME = re.compile(r"\A/{0,3}(?:[A-Za-z]:)?/{0,2}(?:(?:Users|home)/[^/]{1,100}/)?")
_VERSION = re.compile(r"[vr]?[0-9]{1,6}(?:[._][0-9]{1,9}){1,4}(?:[-+.][0-9A-Za-z.]{1,30})?\Z")
_NUMBER = re.compile(r"v?[0-9]{4,20}\Z|v[0-9]{1,9}\Z")
_PARTS = re.compile(r"([.~_-])")
_NOISE = frozenset({"min", "prod", "production", "dev", "development"})
_SCRIPT = re.compile(r"[cm]?[jt]sx?\Z|vue\Z|svelte\Z|astro\Z|wasm\Z|map\Z|css\Z")
_LANGUAGE = re.compile(r"[a-z]{2}(?:[-_][A-Za-z]{2})?\Z")
_INDEX = re.compile(r"(?:index|default)\.[a-z]{2,5}\Z", re.IGNORECASE)
_HASH_ONLY = frozenset({"_nuxt", "chunks", "build", "_app", "immutable", "nodes", "entry"})
"""Folders that bundlers write to, in which a hash may be the whole name."""

_BUNDLED = _HASH_ONLY | {"assets", "_astro", "sb-assets", "entries", "workers"}
"""Folders in which each name ends with a hash, unless somebody said no."""

_SHARED = re.compile(r"chunk[-.]")
"""What esbuild, Bun and Angular call a file of several entries: a hash tells them apart."""

_BASE_40 = re.compile(r"(?:\A|[-_])([0-5][0-9a-z_~.-]{12})((?:\._)?)\Z")
"""What Turbopack writes to `chunks`: 64 bits in 13 characters, so the first is a low figure."""

_KIND = re.compile(r"\.(?:lean|min|chunk|bundle|async|legacy|prod)\Z")
"""What says which kind of file it is, behind the hash."""

_LENGTHS = (43, 32, 22, 21, 20, 16, 12, 10, 8, 7, 6)
"""Of hashes with `-` and `_` in them, which stand at the end. A long one may end like a short one.
"""

_SURE = 16
"""A hash of so many characters is recognised in any folder."""


def steady(file: str) -> str:
    """`https://cdn7.x/static/v2.3.1/js/main.3f2a1b.js?v=9` is `static/js/main.js`: what stays
    the same when the same source is built, served or loaded again.
    """
    if file.startswith(("data:", "<data:")):
        return "data:"
    if " > " in file:  # SpiderMonkey: file.js line 51 > Function
        file = file.partition(" line ")[0]
    return _steady(file.partition("#")[0].partition("?")[0].partition(";")[0])


@lru_cache(maxsize=2048)
def _steady(file: str) -> str:
    path = _path(file)
    *folders, name = path.split("/")
    if _is_page(file, name):
        return _page(path)
    parts_left = [
        folder
        for folder in folders
        if folder not in ("", ".", "..", "~", "_N_E") and not _is_volatile(folder)
    ]
    return "/".join(
        [
            *(_VERSION_AT_END.sub("", folder) for folder in parts_left),
            _steady_name(name, folders[-1] if folders else ""),
        ]
    )


def _is_page(file: str, name: str) -> bool:
    """Whether the address is a page's, with a script in its HTML: it names no file of scripts."""
    if not file.startswith(("http://", "https://")):
        return False
    extension = name.rpartition(".")[2] if "." in name else ""
    return not (_SCRIPT.match(extension) or _is_server(extension))


def _is_server(extension: str) -> bool:
    """`item.php`, `Default.aspx`: a page again, but it has a name."""
    return extension in ("php", "aspx", "asp", "jsp", "jspx", "do", "action", "cfm", "cgi")


def _page(path: str) -> str:
    """`/orders/48213/edit` is `orders/*/edit`: one page, whatever it shows.

    Ids, names of people, dates and the slug behind a date are `*`; a language in front is left out.
    """
    parts = [unquote(part) for part in path.split("/") if part]
    if parts and _LANGUAGE.match(parts[0]):
        parts = parts[1:]
    if parts and _INDEX.match(parts[-1]):
        parts = parts[:-1]
    shown: list[str] = []
    for part in parts:
        dated = shown[-2:] == ["*", "*"]
        shown.append("*" if dated or _is_value(part) else part)
    return "/".join(shown)


def _is_value(part: str) -> bool:
    has_value = any(char.isdecimal() or char == "@" for char in part)
    return has_value or (len(part) in (8, 10, 11, 21, 22) and is_random(part))


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
        local = file.removeprefix("file:///")
        return _HOME.sub("", _PACKAGE.sub("", local, count=1), count=1)
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
        or _DEPLOYMENT.match(folder)
        or _DAY.match(folder)
        or _UUID.fullmatch(folder)
        or _is_hash(folder)
        or folder.isdecimal()
    )


def _steady_name(name: str, folder: str) -> str:
    name = _UUID.sub("", unquote(name) if "%" in name else name)
    stem, dot, extension = name.rpartition(".")
    if not dot:
        return "*" if _is_volatile(name) else name
    if folder == "chunks":
        stem = _BASE_40.sub(_without_base_40, stem)
    if _is_whole_hash(stem, folder):
        return f"*.{extension}"
    stem, kind = _without_kind(stem)
    trusted = folder in _BUNDLED or bool(_SHARED.match(stem))
    stem = _VERSION_AT_END.sub("", _without_hash_at_end(stem, trusted=trusted)) + kind
    return f"{_VERSION_AT_END.sub('', _without_hashes(stem)) or '*'}.{extension}"


def _without_base_40(found: re.Match[str]) -> str:
    """What stays of it; all, where it is words and numbers (`4-step-wizard`)."""
    parts = _PARTS.split(found[1])[::2]
    return found[0] if all(part.isdecimal() or is_words(part) for part in parts) else found[2]


def _without_kind(stem: str) -> tuple[str, str]:
    """`index.md.Dk-X3f_s.lean` is `index.md.Dk-X3f_s` and `.lean`."""
    found = _KIND.search(stem)
    return (stem[: found.start()], found[0]) if found else (stem, "")


def _is_whole_hash(stem: str, folder: str) -> bool:
    if not _PARTS.search(stem):
        if _is_hash(stem):
            return True
    elif len(stem) >= 10 and _begins_with_word(stem):
        return False
    return folder in _HASH_ONLY and len(stem) in _LENGTHS and is_random(stem, trusted=True)


def _without_hash_at_end(stem: str, *, trusted: bool) -> str:
    """`checkout-Hujt-bhe` and `checkout.page-DkD0nX3s`: a hash in base 64 has a length, and may
    hold what separates other parts.
    """
    for length in _LENGTHS:
        start = len(stem) - length
        if start > 1 and stem[start - 1] in ".-_":
            tail, sure = stem[start:], trusted and stem[start - 1] != "_"
            if 10 <= length <= 22 and _begins_with_word(tail):  # profile-DkD0nX3s
                continue
            if is_random(tail, trusted=sure) and (sure or length in (7, 8) or length >= _SURE):
                return stem[: start - 1]
    return stem


def _begins_with_word(tail: str) -> bool:
    first, separator, _ = tail.replace("_", "-").partition("-")
    return bool(separator) and is_words(first)


def _without_hashes(stem: str) -> str:
    """`main.3f2a1b`, `1265d293.app`, `src_app_dbeef3ea._` and `app-6322` without hash and number;
    the first part of a name stays if it is a number.
    """
    parts = _PARTS.split(stem)
    left = [] if len(parts) > 2 and len(parts[0]) >= 8 and is_hex(parts[0]) else parts[:1]
    for separator, part in zip(parts[1::2], parts[2::2], strict=True):
        hashed = _is_hash(part) or _NUMBER.match(part) or part in _NOISE
        if not hashed:
            left += [separator, part] if left else [part]
    return "".join(left)


def _is_hash(part: str) -> bool:
    """A content hash, a time or a number that a build counts."""
    if is_hex(part):
        return not part.isdecimal() or len(part) >= 8
    return len(part) in (8, 10, 16, 20, 21, 22) and is_random(part)
