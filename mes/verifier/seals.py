"""The signatures in a database: the bytes that were signed, the record they were made of, and the site's seal."""

from __future__ import annotations

from . import passkeys, signatures
from .canon import converter
from .database import Snapshot
from .findings import Finding, Report
from .keys import Keys

NAMES = (*signatures.SEALED, "auth_methods", "stream_name")

SELECT = (
    f"SELECT {', '.join(f's.{name}' for name in NAMES)}, t.code, p.content, k.key_name, k.seal, r.seq, w.user_id, w.public_key,"  # noqa: S608 - fixed names
    f" {', '.join(f'q.{name}' for name in passkeys.COLUMNS)} FROM mes_signature s LEFT JOIN mes_signatureassertion q ON q.signature_id = s.id"
    " LEFT JOIN mes_passkey w ON w.id = q.passkey_id"
    " LEFT JOIN mes_site t ON t.id = s.site_id"
    " LEFT JOIN mes_signaturepayload p ON p.signature_id = s.id LEFT JOIN mes_signatureseal k ON k.signature_id = s.id"
    " LEFT JOIN LATERAL (SELECT e.seq FROM mes_auditrow a JOIN mes_auditentry e ON e.id = a.entry_id"
    " WHERE a.row_id = s.id AND a.\"table\" = 'mes_signature' LIMIT 1) r ON true"
)
"""The entry's number comes along so that the first break of a stream is the earliest."""


def check(snapshot: Snapshot, report: Report, keys: Keys | None, stream: str | None, site: str | None = None) -> None:
    """Every signature, or those of one stream or one site. Without keys seals are looked for and not checked, and the verdict says so."""
    where, values = (" WHERE s.stream_name = %s", [stream]) if stream else (" WHERE s.site_id = %s", [site]) if site else ("", [])
    with snapshot.connection.cursor(name="seals") as cursor:
        cursor.execute(f"{SELECT}{where} ORDER BY s.stream_name, s.id", values or None)
        turn = None
        for row in cursor:
            turn = turn or [converter(column.type_code) for column in cursor.description]
            _one(report, keys, [None if text is None else change(text) for text, change in zip(row, turn, strict=True)])
    if keys is None and report.signatures:
        report.unchecked.append(f"the seals of {report.signatures} signature{'s' if report.signatures > 1 else ''} (--key)")


def _one(report: Report, keys: Keys | None, values: list) -> None:
    report.signatures += 1
    said = dict(zip(NAMES, values, strict=False))
    site, content, key_name, seal, seq, owner, enrolled, *proof = values[len(NAMES) :]
    assertion = dict(zip(passkeys.COLUMNS, proof, strict=True)) if proof[0] is not None else None
    payload = None if content is None else bytes.fromhex(content)
    sealed = None if seal is None else {"key_name": key_name, "seal": seal}
    found = list(signatures.check(said, payload, sealed, site, keys, assertion))
    if assertion is not None and not _is_enrolled(owner, enrolled, said, assertion):
        found.append(("unproven", "the passkey's key is not the one that the signer enrolled"))
    for kind, sentence in found:
        place = {"table": "mes_signature", "row_id": said["id"], "version": 1}
        report.findings.add(Finding(kind, said["stream_name"], sentence, seq=None if seq is None else int(seq), **place))


def _is_enrolled(owner: str | None, enrolled: str | None, said: dict, assertion: dict) -> bool:
    """Whoever holds the server and its seal key can make a key of their own; not one that its owner enrolled before a second person."""
    return (owner, enrolled) == (said["signer_id"], assertion["public_key"])
