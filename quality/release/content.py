"""Everything a certificate says, as text: what is shown, what is signed and what is printed are this one thing. REL-08.

No patient identity and no floats; times as RFC 3339 UTC with the site's zone named once. The PDF is drawn from the stored bytes of this
content and of its signature alone, never from tables.
"""

from __future__ import annotations

import hashlib

from django.db.models import Q

from batches.dossier import queries as dossier
from batches.dossier.queries import Item
from batches.execution.models import Entry
from batches.execution.queries.runs import is_after_release, runs_of
from batches.lots.models import Container, Donation, Lot
from batches.recipes.document.schema import Recipe
from mes.audit.chain import canonical_json, instant
from mes.signatures.models import Signature
from mes.signatures.shown import check_whole
from quality.deviations import queries as deviations
from quality.release.expiry import expiry_of
from quality.release.gate import Ground, lines_of
from quality.release.models import ReleaseDecision
from quality.samples import queries as samples
from quality.specifications import queries as specifications

TITLES = {"stage_1": "Certificate of release, stage 1", "final": "Certificate of release"}


def stamp_of(stage: str, pending: list[str]) -> str:
    """What stands on every page: "STAGE 1: Sterility pending" or "FINAL"."""
    return f"STAGE 1: {', '.join(pending)} pending" if stage == "stage_1" else "FINAL"


def number_of(lot: Lot, stage: str) -> str:
    """The number of the certificate that this decision gives: counted within the lot."""
    before = ReleaseDecision.objects.filter(lot=lot, kind__in=["stage_1", "final"]).exclude(kind=stage).count()
    return f"CERT-{lot.number}-{before + 1}"


def certificate_content(ground: Ground) -> dict:
    """The whole certificate of a lot in a stage, as of the trail entries that `ground` was read with."""
    lot, recipe = ground.lot, ground.recipe
    results = samples.summary(lot)
    pending = [row["test"] for row in results if row["standing"] == "pending_after_release"]
    items = dossier.annex(lot, ground.shown.total)
    specification = specifications.of_lot(lot)
    ends = expiry_of(lot)
    supersedes = ReleaseDecision.objects.filter(lot=lot, kind="stage_1").select_related("signature").first() if ground.is_final else None
    lines = annex_lines(items)
    return {
        "certificate": number_of(lot, ground.stage),
        "title": TITLES[ground.stage],
        "stage": ground.stage,
        "stamp": stamp_of(ground.stage, pending),
        "supersedes": number_of(lot, "stage_1") if supersedes else "",
        "demo": "yes" if lot.demo else "no",
        "site": {"code": lot.site.code, "name": lot.site.name, "time_zone": lot.site.time_zone, "jurisdiction": lot.site.jurisdiction},
        "lot": lot.number,
        "check_code": lot.check_code,
        "coi": lot.therapy_event.coi,
        "subject": lot.therapy_event.patient.pseudonym,
        "donations": [each.din for each in Donation.objects.filter(lot_donations__lot=lot).order_by("lot_donations__recorded_at")],
        "treatment_centre": lot.therapy_event.treatment_centre,
        "physician": lot.therapy_event.physician_name,
        "product": {"code": lot.product, "name": recipe.name, "market": lot.market, "cohort": lot.cohort},
        "recipe": {"code": recipe.code, "version": lot.recipe_version.label, "sha256": lot.recipe_version.digest},
        "specification": {
            "name": specification.specification.name, "code": specification.specification.code, "version": specification.label, "sha256": specification.digest,
        },
        "collected_at": _collected(lot),
        "started_at": instant(lot.started_at) if lot.started_at else "",
        "expires_at": instant(ends) if ends else "",
        "storage": recipe.shelf_life.storage,
        "product_values": _values(lot, recipe),
        "containers": [
            {"identifier": each.identifier, "title": each.title, "volume": each.volume_text}
            for each in Container.objects.filter(lot=lot, kind="final_bag").order_by("serial")
        ],
        "results": results,
        "pending": pending,
        "deviations": deviations.summary(lot.pk),
        "review": _review(ground),
        "gate": [line.plain() for line in lines_of(ground)],
        "signatures": _signatures(lot, recipe),
        "audit": {
            "stream": dossier.stream_of(lot.pk), "entries": str(len(items)), "hash": dossier.hash_at(lot.pk, len(items)),
            "lines_sha256": lines_digest(lines), "lines": lines,
        },
    }  # fmt: skip


def _values(lot: Lot, recipe) -> list[dict]:
    """What the recipe's certificate prints of the record: dose, volume, bags."""
    named = [
        ("Total CAR+ cells", recipe.certificate.total_car_cells), ("Dose per kg", recipe.certificate.dose_per_kg),
        ("Dose per bag", recipe.certificate.dose_per_bag), ("Volume", recipe.certificate.volume), ("Bags", recipe.certificate.bags),
        ("Body weight", recipe.dose.weight_parameter),
    ]  # fmt: skip
    current = {each.parameter: each for each in Entry.objects.filter(lot=lot, parameter__in=[key for _, key in named if key], superseded_by=None)}
    found = []
    for words, key in named:
        entry = current.get(key or "")
        if entry is not None:
            found.append(
                {
                    "key": key,
                    "name": words,
                    "recorded_as": recipe.parameter(key)[1].name,
                    "value": entry.value_text,
                    "unit": entry.unit,
                    "qualifier": entry.qualifier,
                }
            )
    return found


def _collected(lot: Lot) -> str:
    found = Donation.objects.filter(lot_donations__lot=lot, collected_at__isnull=False).order_by("collected_at").first()
    return instant(found.collected_at) if found else ""


def _review(ground: Ground) -> dict:
    shown = ground.shown
    return {
        "rules": shown.review.rules_version if shown.review else "",
        "by": shown.review.reviewed_by.full_name if shown.review and shown.review.reviewed_by_id else "",
        "exceptions": [
            {"number": str(line.number), "title": line.finding.title, "where": line.where, "risk": line.finding.risk, "decision": line.decision_words,
             "comment": line.disposition.comment if line.disposition else "", "deviation": line.deviation.number if line.deviation else ""}
            for line in shown.lines
        ],
        "entries": str(shown.total),
        "informational": str(shown.informational),
        "significant": str(len(shown.significant)),
    }  # fmt: skip


def _signatures(lot: Lot, recipe: Recipe) -> list[dict]:
    """Every signature in the lot's record, oldest first; `part` tells making, after release and judging apart. 21 CFR 11.50."""
    steps = {run.pk: run.key for run in runs_of(lot)}
    late = {run.pk for run in runs_of(lot) if is_after_release(recipe, run.step_key)}
    donations = list(Donation.objects.filter(lot_donations__lot=lot).values_list("pk", flat=True))
    found = Signature.objects.filter(Q(lot_id=lot.pk) | Q(record_id__in=donations)).order_by("recorded_at", "id")
    return [
        {
            "name": each.full_name, "username": each.username, "role": each.role, "meaning": each.meaning, "meaning_text": each.meaning_text,
            "at": instant(each.recorded_at), "zone": each.site_time_zone,
            "what": f"Step {steps[each.record_id]}" if each.record_id in steps else KINDS.get(each.record_type, ""),
            "part": "after release" if each.record_id in late else "making" if each.record_id in steps else "judging",
            "digest": bytes(each.payload_digest).hex(),
        }
        for each in map(check_whole, found)
    ]  # fmt: skip


KINDS = {
    "batches.lot": "Lot", "batches.donation": "Starting material", "batches.hold": "Hold", "batches.container": "Container",
    "quality.review": "Review of the record", "quality.deviation": "Deviation",
    "quality.result": "Result", "quality.sample": "Results of a sample",
}  # fmt: skip
"""What a signature stands on, in words."""


def annex_lines(items: list[Item]) -> list[dict]:
    """The annex as it is signed and printed: one item per audit entry, in the order of the stream."""
    return [
        {
            "seq": str(item.seq), "at": instant(item.at), "who": item.who, "username": item.username, "role": item.role, "channel": item.channel,
            "event": item.event, "group": item.group, "why": item.why,
            "changes": [{"what": each.what, "old": each.old, "new": each.new} for each in item.changes],
        }
        for item in items
    ]  # fmt: skip


def lines_digest(lines: list[dict]) -> str:
    """SHA-256 (hexadecimal) over the canonical form of the annex lines."""
    return hashlib.sha256(canonical_json(lines).encode()).hexdigest()
