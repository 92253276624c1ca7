"""The signatures of a lot's steps: which are there, whether each still covers what it signed. 21 CFR 11.70; SIG-06."""

from __future__ import annotations

from dataclasses import dataclass

from batches.dossier.queries.steps import before_release
from batches.execution.models import StepRun
from batches.execution.queries.content import signed_by
from batches.execution.queries.runs import recipe_of
from batches.lots.models import Lot
from mes.signatures.models import Signature


@dataclass(frozen=True, slots=True)
class StepSignature:
    """One signature of a step; `covers` is False when what stands there now is not what was signed."""

    run: StepRun
    signature: Signature
    covers: bool


@dataclass(frozen=True, slots=True)
class SignatureCheck:
    """All signatures of a lot's steps up to release, and the signatures that a complete step lacks."""

    signatures: tuple[StepSignature, ...]
    missing: tuple[str, ...]

    @property
    def broken(self) -> list[StepSignature]:
        return [each for each in self.signatures if not each.covers]

    @property
    def is_sound(self) -> bool:
        return not self.broken and not self.missing


def check_signatures(lot: Lot) -> SignatureCheck:
    """Check every signature of the steps that release waits for. A few queries a step."""
    recipe, found, missing = recipe_of(lot), [], []
    for run in before_release(lot, recipe):
        if run.state not in {"performed", "complete"}:
            continue
        run.lot = lot
        here = [StepSignature(run, each["signature"], each["covers"]) for each in signed_by(run)]
        found += here
        wanted = [(run.performed_by_id, "performed")]
        if run.state == "complete" and recipe.step(run.step_key).second_person != "none":
            wanted.append((run.second_by_id, "checked"))
        signers = {each.signature.signer_id for each in here}
        missing += [f"{run.key} {what}" for person, what in wanted if person not in signers]
    return SignatureCheck(tuple(found), tuple(missing))
