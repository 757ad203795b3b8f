import base64

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from hypothesis import given
from hypothesis import strategies as st

from lapel.services import SignatureRejected
from lapel.services.connectors.ucp import signatures
from lapel.services.connectors.ucp.keys import Jwk, PrivateKey, PublicKey
from lapel.services.connectors.ucp.signatures import Request, Response
from lapel.services.connectors.ucp.structured import InnerList, parse_dictionary

pytestmark = pytest.mark.unit

KEY = PrivateKey.make()
URL = "https://Shop.example:443/checkout-sessions/chk%201/complete?x=1"
HEADERS = {
    "Content-Type": "application/json",
    "UCP-Agent": 'profile="https://lapel.example/.well-known/ucp"',
    "Idempotency-Key": "550e8400-e29b-41d4-a716-446655440000",
}

# RFC 9421, B.1.3 and B.2.4: the RFC's own key, message and signature.
RFC_KEY = Jwk(
    kid="test-key-ecc-p256",
    kty="EC",
    crv="P-256",
    x="qIVYZVLCrPZHGHjP17CTW0_-D9Lfw0EkjqF7xB4FivA",
    y="Mc4nN9LTDOBhfoUeg8Ye9WedFRhnZXZJA12Qp0zZ6F0",
)
RFC_HEADERS = {
    "content-type": "application/json",
    "content-digest": "sha-512=:mEWXIS7MaLRuGgxOBdODa3xqM1XdEvxoYhvlCFJ41QJgJc4GTsPp29l5oGX69wWd"
    "XymyU0rjJuahq4l5aGgfLQ==:",
    "content-length": "23",
}
RFC_INPUT = (
    'sig-b24=("@status" "content-type" "content-digest" "content-length");created=1618884473'
    ';keyid="test-key-ecc-p256"'
)
RFC_SIGNATURE = (
    "wNmSUAhwb5LxtOtOpNa6W5xj067m5hFrj0XQ4fvpaCLx0NKocgPquLgyahnzDnDAUy5eCdlYUEkLIj+32oiasw=="
)

# Signed by the PyPI package http-message-signatures 2.x, not by this code.
FOREIGN_KEY = Jwk(
    "lapel-xI95ym4V0ckxK2TQ",
    "EC",
    "P-256",
    "rT_5Ldbj3pEwvuSuaCDQ1q1Q2ShtbkO0Spyww9FAE6s",
    "8Y3aV7Q4JzfaLf2BgVj2HZBMRkFVr0MfxMS3Emg2rmU",
)
FOREIGN_HEADERS = {
    "Content-Type": "application/json",
    "UCP-Agent": 'profile="https://p.example/.well-known/ucp"',
    "Webhook-Id": "w1",
    "Content-Digest": "sha-256=:CrGm05TNMBlfBkK2euEYDDdf+t9d1/OcOQZotf222pM=:",
    "Signature-Input": 'sig1=("@method" "@authority" "@path" "content-digest" "content-type" "ucp-agent" "webhook-id");created=1795500762;keyid="lapel-xI95ym4V0ckxK2TQ"',
    "Signature": "sig1=:+zNS0d6BdZlmi/plrprcTAlDuXO7e78IkQ+P2xnWHtLYeBgoe8GCKOGI9oFFyTxcJyOTe+odyDJCSieeibSxEA==:",
}
FOREIGN_BODY = b'{"b":2}'


def signed(body: bytes = b'{"a":1}', method: str = "POST") -> Request:
    bare = Request(method, URL, HEADERS, body)
    return Request(method, URL, HEADERS | signatures.sign(bare, KEY, 1700000000), body)


def test_the_rfc_s_own_example():
    params = parse_dictionary(RFC_INPUT)["sig-b24"]
    assert isinstance(params, InnerList)
    message = Response(200, RFC_HEADERS, b'{"message": "good dog"}')
    base = signatures.signature_base(message, RFC_HEADERS, params)
    public = PublicKey.of(RFC_KEY)
    assert public.verify(base, base64.b64decode(RFC_SIGNATURE))
    assert not public.verify(base + b" ", base64.b64decode(RFC_SIGNATURE))


def test_a_signature_by_another_implementation():
    request = Request("POST", "https://lapel.example/webhooks/ucp", FOREIGN_HEADERS, FOREIGN_BODY)
    verified = signatures.verify(request, [FOREIGN_KEY])
    assert verified.covered >= {"@method", "@authority", "@path", "content-digest", "webhook-id"}


def test_what_is_signed_is_what_ucp_lists():
    request = signed()
    assert request.headers["Signature-Input"] == (
        'sig1=("@method" "@authority" "@path" "@query" "ucp-agent" "idempotency-key"'
        ' "content-digest" "content-type");created=1700000000;keyid="' + KEY.kid + '"'
    )
    verified = signatures.verify(request, [KEY.jwk()])
    assert (verified.keyid, verified.created) == (KEY.kid, 1700000000)


def test_the_base_is_the_one_of_the_rfc():
    request = signed()
    params = parse_dictionary(request.headers["Signature-Input"])["sig1"]
    assert isinstance(params, InnerList)
    lower = {name.lower(): value for name, value in request.headers.items()}
    assert signatures.signature_base(request, lower, params).decode().splitlines()[:5] == [
        '"@method": POST',
        '"@authority": shop.example',
        '"@path": /checkout-sessions/chk%201/complete',
        '"@query": ?x=1',
        '"ucp-agent": profile="https://lapel.example/.well-known/ucp"',
    ]


def test_the_signature_is_raw_and_64_bytes():
    found = signed().headers["Signature"].removeprefix("sig1=:").removesuffix(":")
    assert len(base64.b64decode(found)) == 64


def test_a_get_has_neither_body_nor_key():
    bare = Request("GET", "https://shop.example/orders/1", {})
    headers = signatures.sign(bare, KEY, 1)
    assert "Content-Digest" not in headers
    assert '("@method" "@authority" "@path");' in headers["Signature-Input"]
    signatures.verify(Request("GET", bare.url, headers), [KEY.jwk()])


def test_a_response_is_signed_by_its_status():
    headers = {"Content-Type": "application/json"}
    body = b"{}"
    headers |= signatures.sign(Response(201, headers, body), KEY, 1)
    signatures.verify(Response(201, headers, body), [KEY.jwk()])
    with pytest.raises(SignatureRejected):
        signatures.verify(Response(200, headers, body), [KEY.jwk()])


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"url": URL.replace("chk%201", "chk%202")}, "signature_invalid"),
        ({"url": URL.replace("Shop", "other")}, "signature_invalid"),
        ({"url": URL.replace("x=1", "x=2")}, "signature_invalid"),
        ({"method": "PUT"}, "signature_invalid"),
        ({"body": b'{"a":2}'}, "digest_mismatch"),
        ({"headers": {"Idempotency-Key": "another-key"}}, "signature_invalid"),
        ({"headers": {"UCP-Agent": 'profile="https://evil.example/"'}}, "signature_invalid"),
        ({"headers": {"Content-Digest": signatures.content_digest(b"x")}}, "digest_mismatch"),
        ({"headers": {"Content-Digest": "md5=:AAAA:"}}, "digest_mismatch"),
        ({"headers": {"Signature": "sig1=:AAAA:"}}, "signature_invalid"),
        ({"headers": {"Signature": "sig2=:AAAA:"}}, "signature_missing"),
        ({"headers": {"Signature": ""}}, "signature_missing"),
        ({"headers": {"Signature-Input": "sig1=(((("}}, "signature_invalid"),
    ],
)
def test_every_change_is_noticed(change: dict, code: str):
    request = signed()
    changed = Request(
        change.get("method", request.method),
        change.get("url", request.url),
        {**request.headers, **change.get("headers", {})},
        change.get("body", request.body),
    )
    with pytest.raises(SignatureRejected) as refused:
        signatures.verify(changed, [KEY.jwk()])
    assert refused.value.code == code


def test_an_unknown_key_is_named_so():
    with pytest.raises(SignatureRejected) as refused:
        signatures.verify(signed(), [PrivateKey.make().jwk()])
    assert refused.value.code == "key_not_found"


def test_a_signature_that_covers_too_little_is_refused():
    bare = Request("POST", URL, {"Content-Type": "text/plain"}, b"")
    headers = signatures.sign(bare, KEY, 1)
    late = Request("POST", URL, {**HEADERS, **headers}, b'{"pay":"me"}')
    with pytest.raises(SignatureRejected) as refused:
        signatures.verify(late, [KEY.jwk()])
    assert "idempotency-key" in refused.value.text


@pytest.mark.parametrize(
    "change",
    [
        {"alg": "RS256"},
        {"crv": "P-521"},
        {"kty": "RSA"},
        {"use": "enc"},
        {"x": KEY.jwk().y},
        {"y": ""},
    ],
)
def test_only_sound_keys_verify(change: dict):
    fields = {x: getattr(KEY.jwk(), x) for x in ("kid", "kty", "crv", "x", "y", "use", "alg")}
    with pytest.raises(SignatureRejected) as refused:
        signatures.verify(signed(), [Jwk(**(fields | change))])
    assert refused.value.code == "algorithm_unsupported"


def test_es384_is_verified_too():
    private = ec.generate_private_key(ec.SECP384R1())
    numbers = private.public_key().public_numbers()
    x, y = (
        base64.urlsafe_b64encode(n.to_bytes(48, "big")).rstrip(b"=").decode()
        for n in (numbers.x, numbers.y)
    )
    public = PublicKey.of(Jwk("k", "EC", "P-384", x, y))
    from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature

    r, s = decode_dss_signature(private.sign(b"words", ec.ECDSA(hashes.SHA384())))
    assert public.verify(b"words", r.to_bytes(48, "big") + s.to_bytes(48, "big"))
    assert not public.verify(b"others", r.to_bytes(48, "big") + s.to_bytes(48, "big"))


@given(st.binary(min_size=1, max_size=200), st.integers(0, 199), st.integers(1, 255))
def test_no_flipped_byte_passes(body: bytes, at: int, flip: int):
    request = signed(body)
    damaged = bytearray(body)
    damaged[at % len(body)] ^= flip
    with pytest.raises(SignatureRejected):
        signatures.verify(Request("POST", URL, request.headers, bytes(damaged)), [KEY.jwk()])
