"""RFC 9421 signatures as UCP profiles them: ES256, raw r||s, Content-Digest over the raw body.

Pure: the caller brings the keys, the headers and the time.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit

from lapel.services.connectors.ucp.keys import Jwk, PrivateKey, PublicKey, UnusableKey
from lapel.services.connectors.ucp.structured import (
    InnerList,
    Item,
    StructuredError,
    parse_dictionary,
    write_bytes,
    write_inner_list,
)
from lapel.services.errors import SignatureRejected
from lapel.services.urls import authority_of

LABEL = "sig1"


@dataclass(frozen=True, slots=True)
class Request:
    """`url` is absolute; for an inbound message the URL that we published, whatever Host says."""

    method: str
    url: str
    headers: Mapping[str, str]
    body: bytes = b""


@dataclass(frozen=True, slots=True)
class Response:
    status: int
    headers: Mapping[str, str]
    body: bytes = b""


@dataclass(frozen=True, slots=True)
class Verified:
    """`base_hash` names what was signed: the same message has the same, however it was signed."""

    keyid: str
    created: int | None
    covered: frozenset[str]
    base_hash: str


def content_digest(body: bytes) -> str:
    """The value of Content-Digest (RFC 9530)."""
    return f"sha-256={write_bytes(hashlib.sha256(body).digest())}"


def sign(message: Request | Response, key: PrivateKey, created: int) -> dict[str, str]:
    """The headers to add. `message.headers` must already hold what is to be covered."""
    headers = _lower(message.headers)
    added: dict[str, str] = {}
    if message.body:
        added["Content-Digest"] = content_digest(message.body)
        headers["content-digest"] = added["Content-Digest"]
    names = _required(message, headers)
    params = InnerList(
        tuple(Item(name) for name in names), (("created", created), ("keyid", key.kid))
    )
    base = signature_base(message, headers, params)
    added["Signature-Input"] = f"{LABEL}={write_inner_list(params)}"
    added["Signature"] = f"{LABEL}={write_bytes(key.sign(base))}"
    return added


def verify(
    message: Request | Response,
    keys: Iterable[Jwk],
    *,
    optional: frozenset[str] = frozenset(),
    now_s: float | None = None,
) -> Verified:
    """Check digest and signature; SignatureRejected says what is wrong.

    Every component that UCP's table demands must be covered, except those in `optional`. With
    `now_s` a signature that its signer has let expire counts no more.
    """
    headers = _lower(message.headers)
    label, params, signature = _parse(headers)
    details = dict(params.parameters)
    keyid, created = details.get("keyid"), details.get("created")
    if not isinstance(keyid, str):
        raise SignatureRejected(f"the signature {label!r} names no keyid", code="key_not_found")
    if created is not None and type(created) is not int:
        raise SignatureRejected(f"created is {created!r}; it must be an integer")
    expires = details.get("expires")
    if expires is not None and type(expires) is not int:
        raise SignatureRejected(f"expires is {expires!r}; it must be an integer")
    if now_s is not None and expires is not None and expires <= now_s:
        raise SignatureRejected(f"the signature expired {now_s - expires:.0f} s ago")
    covered = _covered(params)
    missing = [x for x in _required(message, headers) if x not in covered and x not in optional]
    if missing:
        raise SignatureRejected(f"the signature does not cover {', '.join(missing)}")
    _check_digest(message.body, headers, covered)
    base = signature_base(message, headers, params)
    if not _key(keys, keyid).verify(base, signature):
        raise SignatureRejected(f"the signature by key {keyid!r} does not fit the message")
    return Verified(keyid, created, covered, hashlib.sha256(base).hexdigest())


def signature_base(
    message: Request | Response, headers: Mapping[str, str], params: InnerList
) -> bytes:
    """The bytes that are signed (RFC 9421, 2.5). `headers` have names in lower case."""
    lines = [
        f'"{item.value}": {_component(message, headers, str(item.value))}' for item in params.items
    ]
    lines.append(f'"@signature-params": {write_inner_list(params)}')
    return "\n".join(lines).encode()


def is_signed(headers: Mapping[str, str]) -> bool:
    lower = _lower(headers)
    return "signature" in lower or "signature-input" in lower


def _required(message: Request | Response, headers: Mapping[str, str]) -> list[str]:
    """UCP's table of signed components, in its order."""
    names: list[str]
    if isinstance(message, Response):
        names = ["@status"]
    else:
        names = ["@method", "@authority", "@path"]
        names += ["@query"] if urlsplit(message.url).query else []
        names += ["ucp-agent"] if "ucp-agent" in headers else []
        names += ["idempotency-key"] if "idempotency-key" in headers else []
    if message.body:
        names += ["content-digest", "content-type"]
    return names


def _parse(headers: Mapping[str, str]) -> tuple[str, InnerList, bytes]:
    for name in ("signature-input", "signature"):
        if not headers.get(name):
            raise SignatureRejected(f"there is no {name} header", code="signature_missing")
    try:
        inputs = parse_dictionary(headers["signature-input"])
        signatures = parse_dictionary(headers["signature"])
    except StructuredError as error:
        raise SignatureRejected(f"the signature headers cannot be read: {error}") from error
    for label, params in inputs.items():
        signature = signatures.get(label)
        if isinstance(params, InnerList) and isinstance(signature, Item):
            if not isinstance(signature.value, bytes):
                raise SignatureRejected(f"the signature {label!r} is not a byte sequence")
            return label, params, signature.value
    raise SignatureRejected(
        "no label is in both signature-input and signature", code="signature_missing"
    )


def _covered(params: InnerList) -> frozenset[str]:
    names: set[str] = set()
    for item in params.items:
        if not isinstance(item.value, str) or item.parameters:
            raise SignatureRejected(
                f"the component {item.value!r} is not one that UCP uses",
                code="algorithm_unsupported",
            )
        if item.value in names:
            raise SignatureRejected(f"the component {item.value!r} is covered twice")
        names.add(item.value)
    return frozenset(names)


def _check_digest(body: bytes, headers: Mapping[str, str], covered: frozenset[str]) -> None:
    if "content-digest" not in covered:
        return
    try:
        digest = parse_dictionary(headers.get("content-digest", "")).get("sha-256")
    except StructuredError as error:
        raise SignatureRejected(
            f"content-digest cannot be read: {error}", code="digest_mismatch"
        ) from error
    if not isinstance(digest, Item) or digest.value != hashlib.sha256(body).digest():
        raise SignatureRejected("content-digest is not the body's", code="digest_mismatch")


def _key(keys: Iterable[Jwk], keyid: str) -> PublicKey:
    for jwk in keys:
        if jwk.kid == keyid:
            try:
                return PublicKey.of(jwk)
            except UnusableKey as error:
                raise SignatureRejected(str(error), code="algorithm_unsupported") from error
    raise SignatureRejected(f"the signer publishes no key {keyid!r}", code="key_not_found")


def _component(message: Request | Response, headers: Mapping[str, str], name: str) -> str:
    if name.startswith("@"):
        derived = _derived(message)
        if name not in derived:
            raise SignatureRejected(
                f"the component {name!r} is not one that UCP uses", code="algorithm_unsupported"
            )
        return derived[name]
    if name not in headers:
        raise SignatureRejected(f"the signature covers {name!r}, which was not sent")
    return headers[name]


def _derived(message: Request | Response) -> dict[str, str]:
    if isinstance(message, Response):
        return {"@status": str(message.status)}
    parts = urlsplit(message.url)
    return {
        "@method": message.method.upper(),
        "@authority": authority_of(message.url),
        "@scheme": parts.scheme,
        "@target-uri": message.url,
        "@path": parts.path or "/",
        "@query": f"?{parts.query}",
    }


def _lower(headers: Mapping[str, str]) -> dict[str, str]:
    return {name.lower(): value.strip() for name, value in headers.items()}
