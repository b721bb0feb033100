"""AWS Signature Version 4 in the `Authorization` header, verified on the raw request: what the client wrote, not what WSGI decoded.

AWS's SDKs sign every `x-amz-*` header, the host, and the body's SHA-256; the region may be any (theirs must be set to something), the
service is `lambda`.
"""

import hashlib
import hmac
import posixpath
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from urllib.parse import quote, unquote

ALGORITHM = "AWS4-HMAC-SHA256"
SERVICE = "lambda"
UNSIGNED = "UNSIGNED-PAYLOAD"
MAX_SKEW = timedelta(minutes=5)
_PARTS = re.compile(r"\s*Credential=([^,\s]+)\s*,\s*SignedHeaders=([a-z0-9;_.-]+)\s*,\s*Signature=([0-9a-f]{64})\s*")
_SCOPE = re.compile(
    r"(?P<key>[A-Za-z0-9_]{1,128})/(?P<scope>(?P<day>[0-9]{8})/(?P<region>[A-Za-z0-9-]{1,64})/(?P<service>[a-z0-9-]+)/aws4_request)"
)
_BLANKS = re.compile(r"\s+")


class SignatureError(Exception):
    """The message says what is wrong and never what would be right."""


class IncompleteSignatureError(SignatureError):
    """The header is not one of this algorithm, or lacks a part."""


@dataclass(frozen=True, slots=True)
class Credential:
    """What the `Authorization` header says."""

    access_key_id: str
    scope: str
    day: str
    region: str
    signed_headers: tuple[str, ...]
    signature: str


@dataclass(frozen=True, slots=True)
class SignedRequest:
    """`target` is the raw request target, path and query as they came; header names are lower case; `body` is whole."""

    method: str
    target: str
    headers: Mapping[str, str]
    body: bytes


def read_credential(authorization: str) -> Credential:
    """Raises IncompleteSignatureError, SignatureError for another service."""
    scheme, _, rest = authorization.partition(" ")
    found = _PARTS.fullmatch(rest)
    scope = None if found is None else _SCOPE.fullmatch(found[1])
    if scheme != ALGORITHM or found is None or scope is None:
        raise IncompleteSignatureError(f"Authorization must be {ALGORITHM} with Credential, SignedHeaders and Signature.")
    if scope["service"] != SERVICE:
        raise SignatureError(f"Credential should be scoped to service {SERVICE!r}.")
    return Credential(scope["key"], scope["scope"], scope["day"], scope["region"], tuple(found[2].split(";")), found[3])


def verify(credential: Credential, secret: str, request: SignedRequest, now: datetime) -> None:
    """Raises SignatureError. Compares in constant time; does not remember signatures: whoever can replay one within
    `MAX_SKEW` could read the answer as well, and commands with a name or client token are idempotent."""
    moment = _moment(request.headers)
    if moment.strftime("%Y%m%d") != credential.day:
        raise SignatureError("The date of the credential is not that of the request.")
    if abs(now - moment) > MAX_SKEW:
        raise SignatureError(f"Signature not yet current or expired: the request is of {moment:%Y-%m-%dT%H:%M:%SZ}.")
    unsigned = sorted(name for name in request.headers if name.startswith("x-amz-") and name not in credential.signed_headers)
    if "host" not in credential.signed_headers or unsigned:
        raise SignatureError(f"These headers must be signed: {', '.join(unsigned or ['host'])}.")
    canonical = canonical_request(request, credential.signed_headers, _payload_hash(request))
    stamp = moment.strftime("%Y%m%dT%H%M%SZ")
    to_sign = "\n".join([ALGORITHM, stamp, credential.scope, hashlib.sha256(canonical.encode()).hexdigest()])
    key = _signing_key(secret, credential.day, credential.region)
    expected = hmac.new(key, to_sign.encode(), hashlib.sha256).hexdigest()
    if not hmac.compare_digest(expected, credential.signature):
        raise SignatureError("The request signature we calculated does not match the signature you provided.")


def canonical_request(request: SignedRequest, signed_headers: tuple[str, ...], payload_hash: str) -> str:
    path, _, query = request.target.partition("?")
    if missing := [name for name in signed_headers if name not in request.headers]:
        raise SignatureError(f"The signed header {missing[0]} is missing.")
    headers = "".join(f"{name}:{_BLANKS.sub(' ', request.headers[name]).strip()}\n" for name in signed_headers)
    parts = [request.method, _canonical_path(path), _canonical_query(query), headers, ";".join(signed_headers), payload_hash]
    return "\n".join(parts)


def _canonical_path(raw: str) -> str:
    """Encoded once more than on the wire, as for every service but S3: `%3A` becomes `%253A`."""
    normal = posixpath.normpath(raw or "/")
    normal = "/" + normal.lstrip("/") + ("/" if raw.endswith("/") and normal.strip("/") else "")
    return quote(normal, safe="/~")


def _canonical_query(raw: str) -> str:
    pairs = [part.partition("=") for part in raw.split("&") if part]
    return "&".join("=".join(pair) for pair in sorted((_encoded(name), _encoded(value)) for name, _, value in pairs))


def _encoded(text: str) -> str:
    return quote(unquote(text, errors="surrogateescape"), safe="-_.~", errors="surrogateescape")


def _payload_hash(request: SignedRequest) -> str:
    stated = request.headers.get("x-amz-content-sha256")
    if stated is not None and stated.startswith("STREAMING-"):
        raise SignatureError(f"{stated[:60]} is not taken here: send the body whole, with its SHA-256 or as {UNSIGNED}.")
    if stated == UNSIGNED:
        return UNSIGNED
    found = hashlib.sha256(request.body).hexdigest()
    if stated is not None and stated != found:
        raise SignatureError("The provided x-amz-content-sha256 header does not match what was computed.")
    return found


def _moment(headers: Mapping[str, str]) -> datetime:
    try:
        return datetime.strptime(headers.get("x-amz-date", ""), "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
    except ValueError:
        raise IncompleteSignatureError("X-Amz-Date must be a moment like 20260131T235959Z.") from None


def _signing_key(secret: str, day: str, region: str) -> bytes:
    key = f"AWS4{secret}".encode()
    for part in (day, region, SERVICE, "aws4_request"):
        key = hmac.new(key, part.encode(), hashlib.sha256).digest()
    return key
