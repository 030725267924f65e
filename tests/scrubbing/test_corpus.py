"""A corpus of private and harmless strings, each in several surroundings: how many are missed, and
how many are changed for nothing.
"""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path

import pytest

from stages.scrubbing import cleaner
from stages.scrubbing.secret_names import is_secret

CORPUS = json.loads(
    (Path(__file__).parents[1] / "data/scrubbing/corpus.json").read_text(encoding="utf-8")
)
MISSED, CHANGED = 0.02, 0.01
"""The most that may be missed, or changed for nothing."""


def cleaned(text):
    return cleaner.DEFAULT.clean(text, Counter())


def test_the_corpus_is_large_enough_to_mean_something():
    assert len(CORPUS["private"]) >= 400
    assert len(CORPUS["harmless"]) >= 300
    assert len({case["class"] for case in CORPUS["private"]}) >= 50


def test_what_is_private_is_gone():
    missed = [case for case in CORPUS["private"] if case["secret"] in cleaned(case["text"])]
    assert len(missed) <= MISSED * len(CORPUS["private"]), missed


def test_what_is_harmless_stays():
    changed = [(text, cleaned(text)) for text in CORPUS["harmless"] if cleaned(text) != text]
    assert len(changed) <= CHANGED * len(CORPUS["harmless"]), changed


SECRET = """
pass api_token apiToken user_token reset_token github_token csrf connect.sid laravel_session ssh_key
signing_key totp passcode connectionString cvv2 X-Api-Key userPassword session_id sessionId
access_token PASSWORD new_password password_confirmation passwordHash pwd db_pass PHPSESSID
JSESSIONID _shop_session remember_me remember_token XSRF-TOKEN authenticity_token clientSecret
__RequestVerificationToken CLIENT_SECRET Authorization Proxy-Authorization Cookie Set-Cookie
card_number cardNumber cc_number cvc iban ssn jwt id_token refreshToken privateKey AccountKey
aws_secret_access_key secretAccessKey x-amz-security-token X-Amz-Signature auth_code otp pin
verification_code seed_phrase mnemonic webhookSecret encryption_key apikey api-key bearer_token
passwd passphrase kennwort passwort master_key signature sig ASP.NET_SessionId wordpress_logged_in
credit_card accountNumber bank_account_number
"""
HARMLESS = """
author authority tokens token_type tokenizer key keyboard keyCode primary_key publicKey sessions
session_count session_duration cookie_consent cookieBanner passwordless password_visible bypass
passwordStrength password_length passed compass pinned pinterest spin shipping methodSignature
map_pin render_pass first_pass next_page_token nextToken error_code status_code country_code code
zip_code postal_code number phone_number order_number line_number id user_id name secretary
isAuthenticated authors hasToken monkey turkey hotkey foreign_key cache_key sort_key card
partition_key translation_key cardinality design_token discard max_tokens tokens_used
"""


@pytest.mark.parametrize(("names", "expected"), [(SECRET, True), (HARMLESS, False)])
def test_names_of_secrets_are_told_from_those_that_only_sound_like_it(names, expected):
    assert [name for name in names.split() if is_secret(name) is not expected] == []
