"""Draws the batch record of a lot: the background's part."""

from __future__ import annotations

from zoneinfo import ZoneInfo

from django.template.loader import render_to_string

from batches.dossier.models import BatchRecordPaper
from batches.dossier.queries.papers import lot_by_number
from batches.dossier.queries.record import digest_of, record_of
from batches.dossier.queries.shown import shown
from batches.dossier.services import keep_record
from batches.lots.models import Lot
from mes.audit.chain import canonical_json
from mes.clock import moment_words, record_now
from mes.records.actors import Actor
from mes.records.context import site_context
from mes.web.pdf import Attached, render_paper

TEMPLATE = "batches/dossier/record.pdf.html"


def record_pdf(record: dict) -> bytes:
    """The batch record as PDF, with the record itself as JSON inside. The same record gives the same bytes."""
    digest = digest_of(record)
    drawn = shown(record)
    context = {
        "r": drawn,
        "site_zone": ZoneInfo(record["site"]["time_zone"]),
        "doc_title": "Batch record",
        "lot": {"check": record["check_code"], "number": record["lot"], "product": record["product"]["name"].partition(",")[0], "coi": record["coi"]},
        "stamp": "Demo data" if record["demo"] else "",
        "digest": digest,
        "foot": f"{moment_words(drawn['read_at'], record['site']['time_zone'])}, entry {record['trail']['entries']}, content SHA-256 {digest[:12]} … {digest[-6:]}",
    }
    html = render_to_string(TEMPLATE, context)
    data = Attached(f"{record['lot']}-record.json", canonical_json(record).encode(), "The batch record as data", "Source")
    return render_paper(html, title=f"Batch record {record['lot']}", at=drawn["read_at"], attached=[data])


def render_batch_record(by: Actor, lot_id) -> BatchRecordPaper:
    """Draw and keep the batch record of a lot as it stands now."""
    now = record_now()
    with site_context(by.site_id):
        number = Lot.objects.values_list("number", flat=True).get(pk=lot_id)
        record = record_of(lot_by_number(number), now)
    pdf = record_pdf(record)
    return keep_record(by=by, lot_id=lot_id, pdf=pdf, content_digest=digest_of(record), entries=record["trail"]["entries"])
