"""Whose request it is, behind proxies: users are counted by it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from multidict import CIMultiDict

from catchwater.addresses import TrustedProxies, without_port

BROWSER, CDN, NGINX, INVENTED = "203.0.113.7", "198.51.100.1", "10.0.0.2", "192.0.2.99"


@pytest.mark.parametrize(
    ("trusted", "lines", "client"),
    [
        ("0", {"X-Forwarded-For": BROWSER}, NGINX),
        ("1", {}, NGINX),
        ("1", {"X-Forwarded-For": BROWSER}, BROWSER),
        ("1", {"X-Forwarded-For": f"{INVENTED}, {BROWSER}"}, BROWSER),
        ("2", {"X-Forwarded-For": f"{INVENTED}, {BROWSER}, {CDN}"}, BROWSER),
        ("2", {"X-Forwarded-For": BROWSER}, BROWSER),
        ("10.0.0.0/8,198.51.100.0/24", {"X-Forwarded-For": f"{INVENTED},{BROWSER},{CDN}"}, BROWSER),
        ("10.0.0.0/8, 198.51.100.1", {"X-Forwarded-For": f"{BROWSER}, {CDN}, {CDN}"}, BROWSER),
        ("127.0.0.1", {"X-Forwarded-For": BROWSER}, NGINX),
        ("10.0.0.0/8", {"X-Forwarded-For": "10.1.1.1, 10.2.2.2"}, "10.1.1.1"),
        ("1", {"X-Forwarded-For": f"{BROWSER}:50123"}, BROWSER),
        ("1", {"X-Forwarded-For": "[2001:db8::1]:443"}, "2001:db8::1"),
        ("1", {"X-Forwarded-For": "2001:db8::1"}, "2001:db8::1"),
        ("1", {"Forwarded": f'for={INVENTED}, for="{BROWSER}:443";proto=https;by=x'}, BROWSER),
        ("1", {"Forwarded": 'For="[2001:db8::1]:443"'}, "2001:db8::1"),
        ("1", {"X-Real-IP": BROWSER}, BROWSER),
        ("1", {"X-Forwarded-For": BROWSER, "X-Real-IP": CDN}, BROWSER),
        ("1", {"X-Forwarded-For": " , "}, NGINX),
        ("1", {"X-Forwarded-For": "unknown"}, "unknown"),
    ],
)
def test_the_address_behind_the_trusted_proxies_is_the_browsers(trusted, lines, client):
    assert TrustedProxies.parse(trusted).client(CIMultiDict(lines), NGINX) == client


def test_a_proxy_that_adds_a_line_of_its_own_is_believed_and_not_the_line_before():
    lines = CIMultiDict([("X-Forwarded-For", INVENTED), ("x-forwarded-for", BROWSER)])
    assert TrustedProxies.parse("1").client(lines, NGINX) == BROWSER


def test_a_network_knows_its_addresses_in_ipv6_clothes():
    trusted = TrustedProxies.parse("10.0.0.0/8")
    assert trusted.client(CIMultiDict({"X-Forwarded-For": BROWSER}), "::ffff:10.0.0.2") == BROWSER


@pytest.mark.parametrize("text", ["", "-1", "11", "many", "10.0.0.0/33", "10.0.0.1/8", "1.2.3.4,"])
def test_what_is_neither_a_number_nor_networks_is_refused(text):
    with pytest.raises(ValueError, match=r"."):
        TrustedProxies.parse(text)


@given(st.text(), st.text())
def test_whatever_a_header_says_there_is_an_answer(text, remote):
    for trusted in ("1", "3", "10.0.0.0/8"):
        for name in ("X-Forwarded-For", "Forwarded", "X-Real-IP"):
            TrustedProxies.parse(trusted).client(CIMultiDict({name: text}), remote)
    assert len(without_port(text)) <= 64
