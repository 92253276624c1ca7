"""Time-stamp tokens as of RFC 3161: asking an authority for one, and believing its answer only where every word of it holds.

The authority sees the SHA-256 of a signed checkpoint and nothing else. Its token says that the checkpoint existed at that time, whatever
the administrators of the database and of the anchors do later.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import http.client
import secrets
import ssl
from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import urlsplit

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import ExtendedKeyUsageOID

from mes.checkpoints import der

SECONDS = 10
MOST_BYTES = 64 * 1024

SHA256, SIGNED_DATA, TST_INFO = der.oid("2.16.840.1.101.3.4.2.1"), der.oid("1.2.840.113549.1.7.2"), der.oid("1.2.840.113549.1.9.16.1.4")
CONTENT_TYPE, MESSAGE_DIGEST = der.oid("1.2.840.113549.1.9.3"), der.oid("1.2.840.113549.1.9.4")
SIGNING_CERTIFICATE, SIGNING_CERTIFICATE_V2 = der.oid("1.2.840.113549.1.9.16.2.12"), der.oid("1.2.840.113549.1.9.16.2.47")
DIGESTS = {SHA256: hashes.SHA256(), der.oid("2.16.840.1.101.3.4.2.2"): hashes.SHA384(), der.oid("2.16.840.1.101.3.4.2.3"): hashes.SHA512()}


class TimestampRefused(OSError):
    """The authority gave no token, or one that is not to be believed: a sentence."""


@dataclass(frozen=True)
class Request:
    """What was asked: the digest, the number used once, and the bytes sent."""

    digest: bytes
    nonce: int
    content: bytes


@dataclass(frozen=True)
class Token:
    """A token that was believed: its bytes and the time it states."""

    content: bytes
    at: dt.datetime


def request_for(note: bytes) -> Request:
    """A request for a token over a note; the authority's certificate is asked for."""
    digest, nonce = hashlib.sha256(note).digest(), secrets.randbits(63) | 1 << 62
    imprint = der.write(der.SEQUENCE, der.write(der.SEQUENCE, SHA256, der.write(der.NULL)), der.write(der.OCTETS, digest))
    content = der.write(der.SEQUENCE, der.integer(1), imprint, der.integer(nonce), der.write(der.BOOLEAN, b"\xff"))
    return Request(digest, nonce, content)


def fetch(url: str, request: Request) -> bytes:
    """The authority's answer over HTTP (RFC 3161, 3.4). No redirect is followed, no proxy used. Raises TimestampRefused."""
    address = urlsplit(url)
    port = address.port
    if address.scheme == "https":
        line = http.client.HTTPSConnection(address.hostname, port, timeout=SECONDS, context=ssl.create_default_context())
    else:  # the settings let nothing but this machine through without TLS
        line = http.client.HTTPConnection(address.hostname, port, timeout=SECONDS)
    path = (address.path or "/") + (f"?{address.query}" if address.query else "")
    try:
        line.request("POST", path, body=request.content, headers={"Content-Type": "application/timestamp-query"})
        with line.getresponse() as answer:
            content = answer.read(MOST_BYTES + 1)
    except (OSError, http.client.HTTPException) as error:
        raise TimestampRefused(f"The time-stamp authority does not answer: {error}") from error
    finally:
        line.close()
    if answer.status != 200 or len(content) > MOST_BYTES:
        raise TimestampRefused(f"The time-stamp authority answers with status {answer.status} and {len(content)} bytes.")
    return content


APART = dt.timedelta(minutes=1)
"""How far the clocks of database and authority may be apart: both are watched, and a minute is more than either is ever wrong without an alarm."""
LATEST = dt.timedelta(days=1)
"""How old a checkpoint may be that a token is asked for: a night without the authority. A token for an older one would leave a day in which it could
have been rewritten; the next checkpoint, in whose log it stands, is stamped instead. The verifier holds tokens to the same two bounds."""


def check_time(token: Token, taken: dt.datetime, now: dt.datetime) -> Token:
    """The token, where its time (genTime) is not before the checkpoint was taken nor after now, by the wall clock. Raises TimestampRefused."""
    if not taken - APART <= token.at <= now + APART:
        raise TimestampRefused(
            f"The token says {token.at:%Y-%m-%d %H:%M:%S} UTC; the checkpoint was taken at {taken:%Y-%m-%d %H:%M:%S} UTC and it is "
            f"{now:%Y-%m-%d %H:%M:%S} UTC. Compare the clocks of the database and of the authority."
        )
    return token


def check(answer: bytes, request: Request, trusted: Sequence[x509.Certificate]) -> Token:
    """The token of an answer: granted, over this digest, with this nonce, signed for time-stamping by who is trusted. Raises TimestampRefused."""
    try:
        status, *token = der.read(answer).inner(der.SEQUENCE)
        code = status.inner(der.INTEGER)[0].number()
        if code not in (0, 1) or len(token) != 1:
            raise TimestampRefused(f"The time-stamp authority refused: status {code}.")
        return check_token(token[0].raw, request.digest, request.nonce, trusted)
    except TimestampRefused:
        raise
    except Exception as error:  # a stranger's bytes: whatever any reader of certificates finds wrong with them refuses them
        raise TimestampRefused(f"The time-stamp authority's answer cannot be read: {error}") from error


def check_token(content: bytes, digest: bytes, nonce: int | None, trusted: Sequence[x509.Certificate]) -> Token:
    """A token against a digest, and a nonce where it is known. Raises TimestampRefused, or ValueError for what cannot be read."""
    kind, wrapped = der.read(content).inner(der.OID, 0xA0)
    if kind.raw != SIGNED_DATA:
        raise TimestampRefused("The token is no signed data.")
    parts = wrapped.inner(der.SEQUENCE)[0].inner(der.INTEGER, der.SET, der.SEQUENCE)
    what, inside = parts[2].inner(der.OID, 0xA0)
    if what.raw != TST_INFO:
        raise TimestampRefused("The token holds something else than a time-stamp.")
    info = inside.inner(der.OCTETS)[0].content
    at = _stated(info, digest, nonce)
    included = [x509.load_der_x509_certificate(each.raw) for part in parts[3:] if part.tag == 0xA0 for each in part.items() if each.tag == der.SEQUENCE]
    signers = parts[-1].inner(der.SEQUENCE)
    if parts[-1].tag != der.SET or len(signers) != 1:
        raise TimestampRefused("The token is not signed by exactly one.")
    signer = _signer(signers[0], info, [*included, *trusted])
    _check_trusted(signer, included, trusted, at)
    return Token(content, at)


def _stated(info: bytes, digest: bytes, nonce: int | None) -> dt.datetime:
    """The time that the token states, once it is about this digest and answers this request."""
    _, _, imprint, _, time, *rest = der.read(info).inner(der.INTEGER, der.OID, der.SEQUENCE, der.INTEGER, der.TIME)
    algorithm, stamped = imprint.inner(der.SEQUENCE, der.OCTETS)
    if algorithm.inner(der.OID)[0].raw != SHA256 or stamped.content != digest:
        raise TimestampRefused("The token is about something else than this checkpoint.")
    if nonce is not None and [each.number() for each in rest if each.tag == der.INTEGER] != [nonce]:
        raise TimestampRefused("The token answers another request: its nonce is not ours.")
    text = time.content.decode("ascii")
    pattern = "%Y%m%d%H%M%S.%fZ" if "." in text else "%Y%m%d%H%M%SZ"
    return dt.datetime.strptime(text, pattern).replace(tzinfo=dt.UTC)


def _signer(signer: der.Value, info: bytes, known: Sequence[x509.Certificate]) -> x509.Certificate:
    """The certificate whose key signed the token, its signature and its signed attributes checked (RFC 5652, 5.4)."""
    _, who, algorithm, attributes, _, signature, *_ = signer.inner(der.INTEGER, der.SEQUENCE, der.SEQUENCE, 0xA0, der.SEQUENCE, der.OCTETS)
    issuer, serial = who.inner(der.SEQUENCE, der.INTEGER)
    certificate = next((each for each in known if (each.issuer.public_bytes(), each.serial_number) == (issuer.raw, serial.number())), None)
    if certificate is None:
        raise TimestampRefused("The token does not bring the certificate it is signed with.")
    digest = DIGESTS.get(algorithm.inner(der.OID)[0].raw)
    if digest is None:
        raise TimestampRefused("The token is signed with a digest that is not accepted.")
    said = {each.inner(der.OID, der.SET)[0].raw: each.items()[1].items()[0] for each in attributes.items()}
    if said[CONTENT_TYPE].raw != TST_INFO or said[MESSAGE_DIGEST].content != _hash(digest, info):
        raise TimestampRefused("The token was changed after it was signed.")
    _check_named(said, certificate)
    signed = der.write(der.SET, attributes.content)
    key = certificate.public_key()
    try:
        if isinstance(key, rsa.RSAPublicKey):
            key.verify(signature.content, signed, padding.PKCS1v15(), digest)
        elif isinstance(key, ec.EllipticCurvePublicKey):
            key.verify(signature.content, signed, ec.ECDSA(digest))
        else:
            raise TimestampRefused("The token is signed with a kind of key that is not accepted.")
    except InvalidSignature:
        raise TimestampRefused("The token's signature does not hold.") from None
    return certificate


def _check_named(said: dict[bytes, der.Value], certificate: x509.Certificate) -> None:
    """The signed attributes must name this very certificate by its digest (RFC 3161, 2.4.2; RFC 5816)."""
    whole = certificate.public_bytes(Encoding.DER)
    if SIGNING_CERTIFICATE_V2 in said:
        name = said[SIGNING_CERTIFICATE_V2].inner(der.SEQUENCE)[0].inner(der.SEQUENCE)[0].items()
        digest = DIGESTS[name[0].inner(der.OID)[0].raw] if name[0].tag == der.SEQUENCE else hashes.SHA256()
        named = [each.content for each in name if each.tag == der.OCTETS] == [_hash(digest, whole)]
    else:
        name = said[SIGNING_CERTIFICATE].inner(der.SEQUENCE)[0].inner(der.SEQUENCE)[0].inner(der.OCTETS)
        named = name[0].content == hashlib.sha1(whole, usedforsecurity=False).digest()  # the older attribute knows no other digest
    if not named:
        raise TimestampRefused("The token names another certificate than the one it is signed with.")


def _hash(digest: hashes.HashAlgorithm, content: bytes) -> bytes:
    made = hashes.Hash(digest)
    made.update(content)
    return made.finalize()


def _check_trusted(signer: x509.Certificate, included: Sequence[x509.Certificate], trusted: Sequence[x509.Certificate], at: dt.datetime) -> None:
    """The signer is for time-stamping only, was valid at that time, and leads to a certificate of the settings."""
    try:
        use = signer.extensions.get_extension_for_class(x509.ExtendedKeyUsage)
        for_stamps = use.critical and list(use.value) == [ExtendedKeyUsageOID.TIME_STAMPING]
    except x509.ExtensionNotFound:
        for_stamps = False
    if not for_stamps:
        raise TimestampRefused("The token's certificate is not made for time-stamps alone.")
    here = signer
    for _ in range(5):
        if not here.not_valid_before_utc <= at <= here.not_valid_after_utc:
            raise TimestampRefused("A certificate of the token was not valid at its time.")
        if here in trusted:
            return
        issuers = [each for each in [*trusted, *included] if _issued(here, each)]
        if not issuers:
            break
        here = issuers[0]
    raise TimestampRefused("The token's certificate does not lead to one of the settings.")


def _issued(certificate: x509.Certificate, issuer: x509.Certificate) -> bool:
    try:
        certificate.verify_directly_issued_by(issuer)
        return issuer.extensions.get_extension_for_class(x509.BasicConstraints).value.ca
    except (ValueError, TypeError, InvalidSignature, x509.ExtensionNotFound):
        return False
