"""Draws what was signed: the background's part of a certificate. Running it twice draws once."""

from __future__ import annotations

import datetime as dt

from batches.dossier.rendering import render_batch_record
from mes.clock import record_now
from mes.errors import RuleBroken
from mes.records.actors import Actor
from mes.records.context import site_context
from mes.signatures.shown import check_whole
from quality.release.models import Certificate, ReleaseDecision
from quality.release.paper import Signed, certificate_pdf
from quality.release.queries import MEANINGS
from quality.release.services import keep_certificate


def signed_of(decision: ReleaseDecision) -> Signed:
    """The stored signature of a decision with its bytes: all that a certificate is drawn from."""
    made = check_whole(decision.signature)
    return Signed(
        made.full_name, made.username, made.role, made.meaning_text, made.recorded_at, made.site_time_zone, bytes(made.payload_digest).hex(),
        bytes(made.payload.content), made.auth_methods[-1],
    )  # fmt: skip


def render_certificate(by: Actor, decision_id) -> Certificate | None:
    """Draw and keep the certificate of a decision; None when it is there already or the decision gives none."""
    with site_context(by.site_id):
        decision = ReleaseDecision.objects.select_related("signature__payload").one(pk=decision_id)
        if decision.kind not in MEANINGS or Certificate.objects.filter(decision=decision).exists():
            return None
        signed = signed_of(decision)
    pdf, entries = certificate_pdf(signed)
    try:
        return keep_certificate(by=by, decision_id=decision_id, pdf=pdf, entries=entries)
    except RuleBroken as refused:
        if refused.code == "rendered_before":
            return None  # another worker was faster
        raise


def render_record(by: Actor, decision_id) -> None:
    """Draw the batch record of the lot that a decision certified."""
    with site_context(by.site_id):
        lot_id = ReleaseDecision.objects.one(pk=decision_id).lot_id
    render_batch_record(by, lot_id)


PATIENCE = dt.timedelta(minutes=2)
"""How long the message after a certification has before the sweep draws in its place."""


def undrawn_certificates(by: Actor) -> int:
    """Certifications without a certificate: what a lost message left."""
    before = record_now() - PATIENCE
    with site_context(by.site_id):
        found = ReleaseDecision.objects.filter(site_id=by.site_id, kind__in=MEANINGS, certificate=None, recorded_at__lte=before)
        waiting = list(found.values_list("pk", flat=True))
    for decision_id in waiting:
        render_certificate(by, decision_id)
    return len(waiting)
