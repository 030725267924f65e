"""Requests that would cost far more than they weigh: what each is, its path, body and headers."""

from __future__ import annotations

import gzip
import json
import zlib
from collections.abc import Callable
from functools import cache
from typing import NamedTuple

import brotli
import zstandard

from tests.ingest.conftest import KEY

SNIPPET = f"/e/{KEY}"
ENVELOPE = f"/api/1/envelope/?sentry_key={KEY}"
KEYLESS = "/api/1/envelope/"
STORE = f"/api/1/store/?sentry_key={KEY}"
REPORTS = f"/r/{KEY}"
GZIP = {"Content-Encoding": "gzip"}
HEADER = b'{"dsn":"https://%s@h/1"}\n' % KEY.encode()
ITEM = b'{"type":"event"}\n'


class Bomb(NamedTuple):
    path: str
    make: Callable[[], bytes]
    headers: dict[str, str] = {}  # noqa: RUF012 - a default that nobody changes


def _lists(size: int) -> bytes:
    return b"[" + b"[]," * (size // 3) + b"[]]"


def _stored(body: bytes, layers: int) -> bytes:
    """Packed that often without making it smaller."""
    for _ in range(layers):
        packer = zlib.compressobj(0, wbits=16 + zlib.MAX_WBITS)
        body = packer.compress(body) + packer.flush()
    return body


@cache
def _twice() -> bytes:
    return gzip.compress(gzip.compress(_lists(20_000_000)))


def _event(field: str, value: bytes) -> bytes:
    return b'{"message":"boom","%s":%s}' % (field.encode(), value)


def _million(text: bytes) -> bytes:
    return _event("message", b'"' + text * (1_000_000 // len(text)) + b'"')


def _many_keys() -> bytes:
    return json.dumps({f"{n:x}": 1 for n in range(49_000)}).encode()


BOMBS = {
    "lists, packed twice": Bomb(SNIPPET, _twice, {"Content-Encoding": "gzip,gzip"}),
    "lists, packed twice, no key": Bomb(KEYLESS, _twice, {"Content-Encoding": "gzip,gzip"}),
    "spaces, 200 codings": Bomb(
        KEYLESS,
        lambda: gzip.compress(gzip.compress(_stored(b" " * 1_000_000, 3))),
        {"Content-Encoding": ",".join(["gzip"] * 200)},
    ),
    "lists, gzip": Bomb(SNIPPET, lambda: gzip.compress(_lists(19_000_000)), GZIP),
    "lists, brotli": Bomb(
        SNIPPET,
        lambda: brotli.compress(_lists(19_000_000), quality=3),
        {"Content-Encoding": "br"},
    ),
    "lists, zstd": Bomb(
        SNIPPET, lambda: zstandard.compress(_lists(19_000_000)), {"Content-Encoding": "zstd"}
    ),
    "lists, not packed": Bomb(SNIPPET, lambda: _lists(2_000_000)),
    "lists in one event": Bomb(STORE, lambda: _event("extra", _lists(1_000_000))),
    "lists behind half a pair": Bomb(
        STORE, lambda: _event("extra", b'["\\ud800",' + _lists(1_000_000) + b"]")
    ),
    "half a pair in a large event": Bomb(STORE, lambda: _million(b"\\ud800")),
    "lists in an envelope's header": Bomb(
        KEYLESS, lambda: b'{"a":' + _lists(2_000_000) + b"}\n" + ITEM + b"{}"
    ),
    "lists in an item's header": Bomb(
        ENVELOPE, lambda: b'{}\n{"type":"event","length":' + _lists(2_000_000) + b"}\n{}"
    ),
    "an envelope of newlines": Bomb(ENVELOPE, lambda: b"{}" + b"\n" * 15_000_000),
    "an envelope of newlines, no key": Bomb(KEYLESS, lambda: b"\n" * 15_000_000),
    "a header that never ends, no key": Bomb(KEYLESS, lambda: b'{"a":"' + b"x" * 15_000_000),
    "1 MB events, 19 at a time, packed": Bomb(
        ENVELOPE,
        lambda: gzip.compress(HEADER + (ITEM + _million(b"a") + b"\n") * 19),
        GZIP,
    ),
    "1 MB events, 19 at a time": Bomb(
        ENVELOPE, lambda: HEADER + (ITEM + _million(b"a b c d e f ") + b"\n") * 19
    ),
    "objects with one key": Bomb(STORE, lambda: b'{"a":1,' * 1 + b'"a":1,' * 160_000 + b'"a":1}'),
    "many keys": Bomb(
        STORE, lambda: json.dumps({f"{n:x}": n for n in range(70_000)}).encode()[:-1] + b"}"
    ),
    "19 events of many keys": Bomb(ENVELOPE, lambda: b"{}\n" + (ITEM + _many_keys() + b"\n") * 19),
    "200 small events of lists behind half a pair": Bomb(
        ENVELOPE,
        lambda: (
            b"{}\n" + (ITEM + _event("extra", b'["\\ud800",' + _lists(60_000) + b"]") + b"\n") * 200
        ),
    ),
    "a long number": Bomb(STORE, lambda: _event("extra", b"9" * 1_000_000)),
    "numbers": Bomb(SNIPPET, lambda: b"[" + b"1e9," * 500_000 + b"1]"),
    "a deep list": Bomb(STORE, lambda: _event("extra", b"[" * 500_000)),
    "a client report of lists": Bomb(
        ENVELOPE, lambda: b'{}\n{"type":"client_report"}\n' + _lists(2_000_000)
    ),
    "reports of lists": Bomb(REPORTS, lambda: _lists(2_000_000)),
    "colons and numbers": Bomb(STORE, lambda: _million(b"1:2:3:4 ")),
}
