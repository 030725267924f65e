"""The pure parts, with whatever anybody may send: they answer, or raise their own error, and
nothing else.
"""

from __future__ import annotations

import json
from contextlib import suppress

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from catchwater import surrogates
from catchwater.event import Event, encode
from ingest import auth, decompression, envelope, reports, responses
from ingest.client_reports import discarded_by_client, discarded_by_page
from ingest.rates import DEBT_S, Bucket
from ingest.spool import Spool
from ingest.spool_rows import PAGE_BYTES

SENDER = reports.Sender("1", "Firefox", "https://a.b", "127.0.0.1", 200_000)
OWN = (envelope.MalformedEnvelopeError, reports.InvalidReportError, reports.EventTooLargeError)
LINES = st.one_of(
    st.binary(max_size=40),
    st.sampled_from(
        [b"{}", b"[]", b"\n", b'{"type":"event"}', b'{"type":"event","length":3}', b'{"length":-1}']
    ),
    st.builds(lambda n: b'{"type":"attachment","length":%d}' % n, st.integers(0, 60)),
    st.recursive(
        st.none() | st.text(), lambda one: st.lists(one) | st.dictionaries(st.text(), one)
    ).map(lambda found: json.dumps(found).encode()),
)


@given(st.lists(LINES, max_size=12).map(b"\n".join))
def test_whatever_comes_as_an_envelope_is_read_or_refused(sent):
    try:
        post = reports.from_envelope(SENDER, envelope.parse(sent))
    except OWN:
        return
    assert all(isinstance(event.json, dict) and encode(event) for event in post.events)


@given(LINES, st.sampled_from([reports.from_store, reports.from_snippet, reports.from_reporting]))
def test_whatever_comes_as_a_report_is_read_or_refused(sent, read):
    try:
        post = read(SENDER, sent)
    except OWN:
        return
    assert all(isinstance(event.json, dict) for event in post.events)


@given(st.lists(st.binary(max_size=60), max_size=6))
def test_payloads_with_a_length_come_out_as_they_went_in(payloads):
    sent = b"{}\n" + b"".join(
        b'{"type":"x","length":%d}\n%b\n' % (len(one), one) for one in payloads
    )
    assert [item.payload for item in envelope.parse(sent).items] == payloads


@given(
    st.binary(max_size=200),
    st.sampled_from(["gzip", "deflate", "br", "zstd", "gzip, br", "", "identity"]),
)
def test_whatever_comes_packed_is_unpacked_or_refused(sent, encoding):
    with suppress(decompression.BodyTooLargeError, decompression.ContentEncodingError):
        assert len(b"".join(decompression.unpacked(sent, encoding, 1000))) <= 1000


@pytest.mark.parametrize(
    ("origin", "pattern", "allowed"),
    [
        ("https://shop.example", "https://*", True),
        ("http://shop.example", "https://*", False),
        ("https://shop.example", "*", True),
        ("file://", "file://", True),
        ("https://shop.example", "file://", False),
        ("https://shop.example", "https://shop.example/", True),
        ("https://shop.example:8443", "https://shop.example", False),
        ("https://shop.example:8443", "shop.example", True),
        ("https://www.shop.example", "https://*.shop.example", True),
        ("https://shop.example", "https://*.shop.example", False),
        ("http://localhost:3000", "localhost:3000", True),
        ("http://localhost:3001", "localhost:3000", False),
        ("http://[::1]:3000", "[::1]", True),
        ("http://[::1]:3000", "http://[::1]", False),
        ("https://a.shop.example:8443", "*.shop.example", True),
        ("https://a.shop.example:8443", "https://*.shop.example", False),
        ("https://shop.example:8443", "https://*", True),
        ("null", "null", True),
        ("null", "https://*", False),
        ("null", "file://", False),
    ],
)
def test_an_origin_is_allowed_by_the_pattern_that_means_it(origin, pattern, allowed):
    assert auth.origin_allowed(origin, [pattern]) is allowed


@given(st.text(max_size=60))
def test_whatever_comes_as_a_dsn_or_a_header_is_read(text):
    assert all(isinstance(part, str) for part in auth.dsn_key(text))
    assert isinstance(auth.sentry_key({}, {"X-Sentry-Auth": "Sentry " + text}), str)
    assert isinstance(auth.origin_allowed(text, ["https://*.a.b"]), bool)


@given(st.text(st.characters(exclude_categories=[]), max_size=60))
def test_whatever_stands_in_an_error_or_a_header_can_be_sent_on(text):
    sent = responses.problem(400, surrogates.replaced(text)).headers["X-Sentry-Error"]
    assert sent.isascii()
    assert not sent or sent.isprintable()
    assert orjson.dumps(surrogates.replaced(text))


def test_a_page_that_hammers_gets_its_rate_all_the_same():
    bucket, taken = Bucket(), 0
    for moment in range(1000):
        wait_s, _ = bucket.take("1", 2, 1, moment / 100)
        taken += wait_s == 0
    assert 20 <= taken <= 22


def test_an_array_costs_as_much_as_its_reports_and_what_is_owed_is_bounded():
    bucket = Bucket()
    assert bucket.take("1", 2, 100, 0.0) == (0.0, 0.0)
    assert bucket.take("1", 2, 1, 0.0) == (DEBT_S + 0.5, DEBT_S + 0.5)
    assert bucket.take("1", 2, 100, DEBT_S + 0.5) == (0.5, 0.0)
    assert bucket.take("1", 2, 1, DEBT_S + 0.5) == (0.0, 0.0)


def test_large_events_are_drained_a_few_at_a_time(tmp_path):
    spool = Spool(tmp_path, 100_000_000)
    spool.put(
        [Event(f"{n:032x}", "1", 1, "snippet", b'"' + b"x" * 1_000_000 + b'"') for n in range(12)]
    )
    sizes = []
    while page := spool.page():
        sizes.append(sum(len(event.body) for event in page.events))
        spool.mark_added(page)
    spool.close()
    assert len(sizes) == 3
    assert max(sizes) < PAGE_BYTES + 1_048_576


@pytest.mark.parametrize("read", [reports.from_snippet, reports.from_reporting])
@pytest.mark.parametrize("depth", [300, 900, 10_000])
def test_an_array_of_a_report_that_is_too_deep_to_be_written_is_refused(read, depth):
    with pytest.raises(reports.InvalidReportError):
        read(SENDER, b"[" + b'{"a":' * depth + b"1" + b"}" * depth + b"]")


@pytest.mark.parametrize("n", [True, False, -1, 0, 1.5, "7", None, [3], {"a": 1}])
def test_only_a_whole_number_above_zero_is_how_many_errors_were_left_out(n):
    """`true` went on as a number, and ended the commit of a whole batch."""
    assert discarded_by_page({"dropped": "cap", "n": n}) == {"cap": 0}
    told = {"discarded_events": [{"category": "error", "reason": "sample_rate", "quantity": n}]}
    assert discarded_by_client(orjson.dumps(told)) == [("sample_rate", 0)]
