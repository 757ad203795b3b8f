from __future__ import annotations

import pytest

from city.errors import ProtocolError
from city.ucp.platforms import is_safe_url, profile_url
from city.ucp.signatures import (
    Jwk,
    SigningKey,
    content_digest,
    new_pem,
    request_message,
    sign,
    verify_request,
)

pytestmark = pytest.mark.unit

KEY = SigningKey.load("k1", new_pem())
BODY = b'{"a": 1}'
COVERED = (
    "@method",
    "@authority",
    "@path",
    "@query",
    "ucp-agent",
    "content-digest",
    "content-type",
)


def _message(**changes: str):
    headers = {
        "ucp-agent": 'profile="https://p.example/x"',
        "content-digest": content_digest(BODY),
        "content-type": "application/json",
        **changes,
    }
    return request_message("POST", "Shop.example:8443", "/orders", "a=1", headers)


def _signed(covered=COVERED, **changes: str):
    message = _message(**changes)
    made = {k.lower(): v for k, v in sign(message, covered, KEY, 1)}
    return request_message(
        "POST", "Shop.example:8443", "/orders", "a=1", {**message.headers, **made}
    )


def test_what_is_signed_verifies():
    verify_request(_signed(), BODY, [Jwk("other", "EC"), KEY.jwk()])


@pytest.mark.parametrize("covered", [COVERED[:i] + COVERED[i + 1 :] for i in range(len(COVERED))])
def test_every_required_component_is_required(covered):
    with pytest.raises(ProtocolError) as refusal:
        verify_request(_signed(covered), BODY, [KEY.jwk()])
    assert refusal.value.code == "signature_invalid"


def test_tampering_is_seen():
    signed = _signed()
    cases = {
        "digest_mismatch": (signed, b'{"a": 2}', KEY.jwk()),
        "signature_invalid": (
            request_message("PUT", "Shop.example:8443", "/orders", "a=1", signed.headers),
            BODY,
            KEY.jwk(),
        ),
        "key_not_found": (signed, BODY, Jwk("k2", "EC")),
        "algorithm_unsupported": (signed, BODY, Jwk("k1", "RSA")),
    }
    for code, (message, body, key) in cases.items():
        with pytest.raises(ProtocolError) as refusal:
            verify_request(message, body, [key])
        assert refusal.value.code == code
    stranger = SigningKey.load("k1", new_pem())
    with pytest.raises(ProtocolError, match="does not verify"):
        verify_request(signed, BODY, [stranger.jwk()])


@pytest.mark.parametrize(
    ("header", "value", "code"),
    [
        ("signature-input", None, "signature_missing"),
        ("signature", None, "signature_missing"),
        ("signature-input", 'sig1=("@method";req);keyid="k1"', "signature_invalid"),
        ("signature-input", 'sig1=("@method" "@method");keyid="k1"', "signature_invalid"),
        ("signature-input", 'sig1=("@method");created=1', "signature_invalid"),
        (
            "signature-input",
            'sig1=("@method");keyid="k1";alg="hmac-sha256"',
            "algorithm_unsupported",
        ),
        ("signature", "sig1=:AAAA:", "signature_invalid"),
        ("signature", "sig1=:!!!:", "signature_invalid"),
        ("signature", "sig2=:" + "A" * 86 + "==:", "signature_invalid"),
        ("signature", "sig1=:" + "A" * 86 + "==:", "signature_invalid"),
    ],
)
def test_broken_headers(header, value, code):
    headers = dict(_signed().headers)
    if value is None:
        del headers[header]
    else:
        headers[header] = value
    with pytest.raises(ProtocolError) as refusal:
        verify_request(
            request_message("POST", "Shop.example:8443", "/orders", "a=1", headers),
            BODY,
            [KEY.jwk()],
        )
    assert refusal.value.code == code


def test_only_https_leaves_the_machine():
    assert is_safe_url("https://platform.example/profile")
    assert is_safe_url("http://127.0.0.1:9/profile")
    for url in (
        "http://platform.example/profile",
        "https://user@platform.example/",
        "http://127.0.0.1:99999/x",
        "ftp://127.0.0.1/x",
        "https:///x",
        "file:///etc/passwd",
        "http://[::1",
    ):
        assert not is_safe_url(url), url


def test_the_agent_header_is_a_dictionary():
    assert profile_url('profile="https://a.example/p"') == "https://a.example/p"
    assert profile_url('version=1, profile="https://a.example/p"') == "https://a.example/p"
    for header in (None, "", "https://a.example/p", 'notprofile="https://a.example/p"'):
        with pytest.raises(ProtocolError):
            profile_url(header)
