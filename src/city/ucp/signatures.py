"""RFC 9421 signatures as UCP profiles them: ES256 with raw r||s, Content-Digest over the raw bytes.

No sockets and no clock here. Component parameters and algorithms other than ES256 are refused.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NoReturn

import msgspec
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import (
    decode_dss_signature,
    encode_dss_signature,
)

from city.errors import ProtocolError

_HALF = 32
_INPUT = re.compile(
    r'([a-z*][a-z0-9_.*-]*)=(\(((?:"[^"\\]*" ?)*)\)((?:;[a-z]+=(?:"[^"\\]*"|\d+))*))'
)


class Jwk(msgspec.Struct, frozen=True):
    """A public key as profiles publish it."""

    kid: str
    kty: str
    crv: str = ""
    x: str = ""
    y: str = ""
    use: str = "sig"
    alg: str = "ES256"


@dataclass(frozen=True, slots=True)
class SigningKey:
    kid: str
    private: ec.EllipticCurvePrivateKey

    @classmethod
    def load(cls, kid: str, pem: str) -> SigningKey:
        key = serialization.load_pem_private_key(pem.encode(), None)
        if not isinstance(key, ec.EllipticCurvePrivateKey):
            raise TypeError(f"key {kid!r} is not an elliptic curve key")
        return cls(kid, key)

    def jwk(self) -> Jwk:
        numbers = self.private.public_key().public_numbers()
        x, y = (base64url(n.to_bytes(_HALF)) for n in (numbers.x, numbers.y))
        return Jwk(self.kid, "EC", "P-256", x, y)


def new_pem() -> str:
    """A fresh P-256 private key, unencrypted PKCS 8."""
    key = ec.generate_private_key(ec.SECP256R1())
    return key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    ).decode()


@dataclass(frozen=True, slots=True)
class Message:
    """What a signature covers: the derived components and the headers (lower-case names)."""

    derived: Mapping[str, str]
    headers: Mapping[str, str]


def request_message(
    method: str, authority: str, path: str, query: str, headers: Mapping[str, str]
) -> Message:
    derived = {"@method": method, "@authority": authority.lower(), "@path": path or "/"}
    if query:
        derived["@query"] = f"?{query}"
    return Message(derived, headers)


def content_digest(body: bytes) -> str:
    return f"sha-256=:{base64.b64encode(hashlib.sha256(body).digest()).decode()}:"


def sign(
    message: Message, components: Sequence[str], key: SigningKey, created_s: int
) -> tuple[tuple[str, str], ...]:
    """The two headers that carry the signature."""
    covered = " ".join(f'"{name}"' for name in components)
    parameters = f'({covered});created={created_s};keyid="{key.kid}"'
    base = _base(message, components, parameters)
    raw = base64.b64encode(raw_signature(base, key)).decode()
    return (("Signature-Input", f"sig1={parameters}"), ("Signature", f"sig1=:{raw}:"))


def sign_response(
    status: int, body: bytes, key: SigningKey, created_s: int
) -> tuple[tuple[str, str], ...]:
    """Content-Digest and signature headers of a JSON answer."""
    digest = content_digest(body)
    headers = {"content-digest": digest, "content-type": "application/json"}
    message = Message({"@status": str(status)}, headers)
    signed = sign(message, ("@status", "content-digest", "content-type"), key, created_s)
    return (("Content-Digest", digest), *signed)


def key_id(headers: Mapping[str, str]) -> str:
    """The `keyid` that a signed message names."""
    return _parsed(headers).keyid


def verify_request(message: Message, body: bytes, keys: Sequence[Jwk]) -> None:
    """Raises ProtocolError unless the request is signed, whole, by one of the keys."""
    parsed = _parsed(message.headers)
    needed = {
        name for name in ("@method", "@authority", "@path", "@query") if name in message.derived
    }
    needed |= {name for name in ("ucp-agent", "idempotency-key") if name in message.headers}
    if body:
        needed |= {"content-digest", "content-type"}
        if message.headers.get("content-digest") != content_digest(body):
            _deny("Content-Digest is not the body's SHA-256", "digest_mismatch", 400)
    if missing := sorted(needed - set(parsed.components)):
        _deny(f"the signature does not cover {missing}", "signature_invalid", 401)
    key = next((k for k in keys if k.kid == parsed.keyid), None)
    if key is None:
        _deny(f"the profile has no key {parsed.keyid!r}", "key_not_found", 401)
    base = _base(message, parsed.components, parsed.parameters)
    check_signature(base, _raw(parsed.label, message.headers["signature"]), key)


@dataclass(frozen=True, slots=True)
class _Parsed:
    label: str
    components: tuple[str, ...]
    parameters: str
    keyid: str


def _parsed(headers: Mapping[str, str]) -> _Parsed:
    if "signature-input" not in headers or "signature" not in headers:
        _deny("Signature-Input and Signature are required", "signature_missing", 401)
    match = _INPUT.fullmatch(headers["signature-input"].strip())
    if match is None:
        _deny("Signature-Input is not one plain signature", "signature_invalid", 401)
    label, parameters, covered, rest = match.groups()
    components = tuple(re.findall(r'"([^"]*)"', covered))
    if len(set(components)) != len(components):
        _deny("a component is listed twice", "signature_invalid", 401)
    keyid = re.search(r';keyid="([^"]*)"', rest)
    algorithm = re.search(r';alg="([^"]*)"', rest)
    if algorithm is not None and algorithm[1] != "ecdsa-p256-sha256":
        _deny(f"algorithm {algorithm[1]!r} is not supported", "algorithm_unsupported", 400)
    if keyid is None:
        _deny("the signature names no keyid", "signature_invalid", 401)
    return _Parsed(label, components, parameters, keyid[1])


def _base(message: Message, components: Sequence[str], parameters: str) -> bytes:
    lines: list[str] = []
    for name in components:
        source = message.derived if name.startswith("@") else message.headers
        if name not in source:
            _deny(f"covered component {name!r} is not in the message", "signature_invalid", 401)
        lines.append(f'"{name}": {source[name].strip()}')
    lines.append(f'"@signature-params": {parameters}')
    return "\n".join(lines).encode()


def _raw(label: str, header: str) -> bytes:
    match = re.search(rf"(?:^|,\s*){re.escape(label)}=:([A-Za-z0-9+/=]+):", header)
    try:
        raw = base64.b64decode(match[1], validate=True) if match else b""
    except binascii.Error:
        raw = b""
    if len(raw) != 2 * _HALF:
        _deny("Signature is not 64 bytes of r||s in base64", "signature_invalid", 401)
    return raw


def check_signature(base: bytes, raw: bytes, key: Jwk) -> None:
    """Raises ProtocolError unless `raw` is that key's signature of `base` in ES256."""
    if key.kty != "EC" or key.crv != "P-256":
        _deny(f"key {key.kid!r} is not EC P-256", "algorithm_unsupported", 400)
    r, s = int.from_bytes(raw[:_HALF]), int.from_bytes(raw[_HALF:])
    try:
        numbers = ec.EllipticCurvePublicNumbers(_number(key.x), _number(key.y), ec.SECP256R1())
        numbers.public_key().verify(encode_dss_signature(r, s), base, ec.ECDSA(hashes.SHA256()))
    except (InvalidSignature, ValueError):
        _deny(f"the signature does not verify with key {key.kid!r}", "signature_invalid", 401)


def raw_signature(message: bytes, key: SigningKey) -> bytes:
    """In ES256: r and s, 32 bytes each."""
    r, s = decode_dss_signature(key.private.sign(message, ec.ECDSA(hashes.SHA256())))
    return r.to_bytes(_HALF) + s.to_bytes(_HALF)


def jws_sign(header: Mapping[str, str], payload: bytes, key: SigningKey) -> str:
    """A compact JWS."""
    signed = f"{base64url(msgspec.json.encode(header))}.{base64url(payload)}"
    return f"{signed}.{base64url(raw_signature(signed.encode(), key))}"


def jws_verify(jws: str, key: Jwk) -> bytes:
    """The payload of a compact JWS in ES256; raises ValueError for anything else."""
    parts = jws.split(".")
    if len(parts) != 3 or (key.kty, key.crv) != ("EC", "P-256"):
        raise ValueError("this is no JWS, or not by a P-256 key")
    try:
        header = msgspec.json.decode(from_base64url(parts[0]), type=_JwsHeader)
    except (msgspec.MsgspecError, RecursionError) as error:
        raise ValueError("the JWS has no header that can be read") from error
    signature = from_base64url(parts[2])
    if header.alg != "ES256" or header.crit is not None or len(signature) != 2 * _HALF:
        raise ValueError("the JWS is not in ES256")
    r, s = int.from_bytes(signature[:_HALF]), int.from_bytes(signature[_HALF:])
    numbers = ec.EllipticCurvePublicNumbers(_number(key.x), _number(key.y), ec.SECP256R1())
    signed = f"{parts[0]}.{parts[1]}".encode()
    try:
        numbers.public_key().verify(encode_dss_signature(r, s), signed, ec.ECDSA(hashes.SHA256()))
    except InvalidSignature as error:
        raise ValueError(f"the signature is not by the key {key.kid!r}") from error
    return from_base64url(parts[1])


class _JwsHeader(msgspec.Struct):
    alg: str
    crit: msgspec.Raw | None = None


def from_base64url(text: str) -> bytes:
    """Without padding and in its one form; else ValueError."""
    raw = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
    if base64url(raw) != text:
        raise ValueError("this is not base64url in its one form")
    return raw


def _number(text: str) -> int:
    return int.from_bytes(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))


def base64url(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")


def _deny(text: str, code: str, status: int) -> NoReturn:
    raise ProtocolError(text, code=code, status=status)
