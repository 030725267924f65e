"""Unpacking in bounded steps: whole bodies come out as they went in, bombs cost next to nothing."""

from __future__ import annotations

import gzip
import random
import zlib

import brotli
import pytest
import zstandard

from catchwater.errors import BodyTooLargeError, ContentEncodingError
from ingest import decompression
from ingest.decompression import FOLD_FREE, MOST_FOLD, PIECE

LIMIT = 20_000_000


def raw_deflate(body):
    packer = zlib.compressobj(wbits=-zlib.MAX_WBITS)
    return packer.compress(body) + packer.flush()


PACK = {
    "gzip": ("gzip", gzip.compress),
    "x-gzip": ("x-gzip", gzip.compress),
    "deflate": ("deflate", zlib.compress),
    "raw deflate": ("deflate", raw_deflate),
    "br": ("br", lambda body: brotli.compress(body, quality=3)),
    "zstd": ("zstd", zstandard.compress),
}
packings = pytest.mark.parametrize(("encoding", "pack"), PACK.values(), ids=PACK)


def unpack(body, encoding, limit=LIMIT):
    return b"".join(decompression.unpacked(body, encoding, limit))


def text_of(size):
    """As compressible as reports are."""
    words = random.Random(1)
    return "".join(f"{words.randrange(10**6)}, " for _ in range(size // 8)).encode()


@packings
@pytest.mark.parametrize("size", [0, 10, PIECE - 1, PIECE, PIECE + 1, 3_000_000])
def test_a_body_comes_out_as_it_went_in(encoding, pack, size):
    body = text_of(size)
    pieces = list(decompression.unpacked(pack(body), encoding, LIMIT))
    assert b"".join(pieces) == body
    assert max(map(len, pieces), default=0) <= 2 * PIECE  # brotli's package ends with a block


@pytest.mark.parametrize("name", [name for name in PACK if name != "zstd"])
def test_half_a_body_is_refused(name):
    """The package for zstd takes what came of it instead; no JSON is whole then."""
    encoding, pack = PACK[name]
    packed = pack(text_of(100_000))
    with pytest.raises(ContentEncodingError):
        unpack(packed[: len(packed) // 2], encoding)


@packings
@pytest.mark.parametrize("byte", [b" ", b"[],"], ids=["spaces", "lists"])
def test_a_bomb_is_given_up_at_a_multiple_of_its_size(encoding, pack, byte):
    packed, got = pack(byte * 15_000_000), []
    with pytest.raises(BodyTooLargeError, match="more than"):
        got.extend(map(len, decompression.unpacked(packed, encoding, LIMIT)))
    assert sum(got) <= max(FOLD_FREE, MOST_FOLD * len(packed))


@pytest.mark.parametrize(
    "encoding", ["gzip,gzip", "gzip, br", "br,gzip", ",".join(["gzip"] * 1000), "gzip,identity,br"]
)
def test_several_codings_are_refused_before_one_is_undone(encoding):
    with pytest.raises(ContentEncodingError, match="more than one"):
        next(decompression.unpacked(b"", encoding, LIMIT))


@pytest.mark.parametrize("encoding", ["", "identity", " , identity"])
def test_no_coding_leaves_the_body_as_it_is(encoding):
    assert unpack(b"{}", encoding) == b"{}"


@packings
def test_the_beginning_of_a_body_of_which_more_is_to_come(encoding, pack):
    packed = pack(b'{"dsn":"x"}\n' + text_of(300_000))
    assert decompression.beginning(packed[:60_000], encoding, 100).startswith(b'{"dsn":"x"}\n')
    assert decompression.beginning(b"", encoding, 100) == b""
