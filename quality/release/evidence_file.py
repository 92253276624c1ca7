"""The evidence file of a lot: the lot's whole stream with recipe and specification as they were written. AUD-07; REC-01; AUD-10."""

from __future__ import annotations

from batches.dossier.queries import check_signatures, stream_of
from mes.errors import Missing
from mes.evidence.making import About, make
from mes.evidence.models import EvidenceFile
from mes.records.actors import Actor
from quality.release import queries
from quality.specifications import queries as specifications


def about(number: str) -> About:
    """What a lot's evidence file says of the lot. Pseudonym and chain-of-identity code, no identity. Raises Missing."""
    lot = queries.lot_by_number(number)
    recipe = lot.recipe_version
    texts = {"texts/recipe.yaml": recipe.text.encode()}
    said = {
        "lot": {"number": lot.number, "check_code": lot.check_code, "coi": lot.therapy_event.coi, "product": lot.product, "state": lot.state, "demo": lot.demo},
        "recipe": {"code": recipe.master.code, "version": recipe.label, "sha256": recipe.digest},
        "signatures_that_no_longer_cover": sorted(str(each.signature.pk) for each in check_signatures(lot).broken),
    }
    try:
        specification = specifications.of_lot(lot)
    except Missing:
        pass  # ordered before the product had one: the file says what there is
    else:
        texts["texts/specification.yaml"] = specification.text.encode()
        said["specification"] = {"code": specification.specification.code, "version": specification.label, "sha256": specification.digest}
    return About(stream_of(lot.pk), lot.site_id, lot.pk, lot.number, said, texts)


def evidence_file(by: Actor, number: str) -> tuple[EvidenceFile, bytes]:
    """Make the evidence file of a lot; returns what the trail says of it, and its bytes. Raises Missing, NotAllowed, RuleBroken."""
    return make(by, lambda: about(number))


def made_of(lot) -> list[EvidenceFile]:
    """Evidence files that were made of a lot, newest first."""
    return list(EvidenceFile.objects.filter(lot_id=lot.pk).select_related("by").order_by("-recorded_at"))


def file_name(fact: EvidenceFile) -> str:
    return f"evidence-{fact.subject}-{fact.entries}.zip"
