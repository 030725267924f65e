"""Which coding a client wants, what an address names, and which addresses may be ingest's."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from catchwater.config.projects import public_url
from ingest import content_negotiation, snippet

ACCEPTED = {
    None: "identity",
    "": "identity",
    "gzip, deflate, br, zstd": "br",
    "gzip, deflate": "gzip",
    "GZIP": "gzip",
    "x-gzip": "gzip",
    "deflate": "identity",
    "identity": "identity",
    "*": "br",
    "br;q=0.5, gzip": "gzip",
    "br;q=0.5, gzip;q=0.5": "br",
    "gzip;q=0.001": "gzip",
    "identity, gzip;q=0.5": "identity",
    "identity;q=0.5, gzip;q=0.5": "gzip",
    "br;q=0, *": "gzip",
    "gzip;q=0, br;q=0": "identity",
    "gzip, *;q=0": "gzip",
    "identity;q=0": None,
    "*;q=0": None,
    "*;q=0, identity": "identity",
    "br ; q=0.8 ,\tgzip ; Q=1.000": "gzip",
    "br;q=2, gzip;q=abc, identity;q=": None,
    "br;q=1e3": "identity",
    ",,;q=1,": "identity",
}


@pytest.mark.parametrize(("accepted", "coding"), ACCEPTED.items(), ids=map(str, ACCEPTED))
def test_the_coding_is_the_one_the_client_likes_best(accepted, coding):
    assert content_negotiation.chosen(accepted) == coding


@given(st.text())
def test_any_header_has_an_answer(accepted):
    assert content_negotiation.chosen(accepted) in {*content_negotiation.OURS, None}


def test_a_header_of_megabytes_is_read_in_no_time():
    started = time.process_time()
    for nasty in (
        "gzip;q=" + "0" * 3_000_000,
        ";" * 3_000_000,
        "a," * 1_000_000,
        "br; " + " " * 3_000_000 + "x",
    ):
        content_negotiation.chosen(nasty)
    assert time.process_time() - started < 3


@pytest.mark.parametrize("parts", [("k",), ("k", "", "0123456789abcdef")])
def test_an_address_reads_back_as_it_was_made(parts):
    name = snippet.path(*parts).removeprefix("/c/").removesuffix(".js")
    assert snippet.named(name) == (*parts, "", "")[:3]


def test_a_second_file_is_one_line(monkeypatch, tmp_path):
    (tmp_path / "crumbs.js").write_text('crumbs("__CATCHWATER_ENDPOINT__")')
    monkeypatch.setitem(snippet.FILES, "crumbs", tmp_path / "crumbs.js")
    assert snippet.path("k", "crumbs", "0" * 16) == f"/c/k.crumbs.{'0' * 16}.js"
    assert snippet.named(f"k.crumbs.{'0' * 16}") == ("k", "crumbs", "0" * 16)
    assert snippet.named("k.crumbs") == ("k", "crumbs", "")
    assert snippet.script("crumbs", "http://x/e/k").bodies["identity"] == b'crumbs("http://x/e/k")'


@pytest.mark.parametrize(
    "address",
    [
        "https://e.example",
        "http://127.0.0.1:8080",
        "http://[::1]:1",
        "https://shop.example/assets/cw",
        "",
    ],
)
def test_an_address_of_ingest_is_taken_without_the_slash_at_its_end(address):
    assert public_url(address) == public_url(address and f"{address}/") == address


@pytest.mark.parametrize(
    "address",
    [
        "e.example",
        "//e",
        "ftp://e",
        "https://",
        "https://e?q",
        "https://e#f",
        "https://e/'",
        'https://e/"><script>',
        "https://e f",
        "https://bücher.example",
        "https://e\n",
        "javascript:alert(1)",
        "https://u@e",
        "x" * 10_000,
    ],
)
def test_what_is_no_address_of_ingest_is_told(address):
    with pytest.raises(ValueError, match="is no address of ingest"):
        public_url(address)


def test_made_up_hosts_do_not_fill_the_memory():
    for i in range(300):
        snippet.script("", f"http://{i}/e/k", snippet.QUICK)
    assert snippet.made.cache_info().currsize <= 256
