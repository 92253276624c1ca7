"""A floor with a laboratory: samples born with the lot, analysts and reviewers, a specification with every kind of criterion."""

from __future__ import annotations

import datetime as dt

from batches.lots.models import Lot
from mes.clock import record_now
from mes.people.setup import enrol
from quality.alerts.models import Alert
from quality.deviations.models import Deviation
from quality.samples import queries, services
from quality.samples.models import Result, Sample
from quality.specifications import queries as specification_queries
from quality.specifications import services as specification_services
from quality.specifications.models import SpecificationVersion
from tests.builders import floor
from tests.builders.floor import Floor

SAMPLES = """\
samples:
  - code: REL
    title: Release
    step: A1.2
    day: 0
    specimen: Cells
    tests: [viability, endotoxin, appearance, dose, potency_a, potency_b, subset]
    timing: before_infusion
  - {code: STER, title: Sterility, step: A1.2, day: 0, specimen: Cells, tests: [sterility, vcn], timing: post_release}
"""
# Samples are drawn at a step of their own kind.
RECIPE = floor.RECIPE.replace("samples: []\n", SAMPLES).replace("      - key: A1.2\n", "      - key: A1.2\n        kind: sampling\n")

SPECIFICATION = """\
code: FLOOR-REL
name: Floor product, release specification
product: floor
version: "1.0"
markets: [EU]
demo: true
based_on:
  - {id: S1, title: A source for the tests}
criteria:
  - {code: viability, attribute: viability, name: Viability, method: Cell counter, method_version: "1", type: numeric, unit: "%", min: 70, rounding: {decimals: 1, mode: half_up, evidence: illustrative}, timing: before_infusion, sample: REL, recipe_parameter: viability, evidence: illustrative, timing_evidence: illustrative}
  - {code: endotoxin, attribute: endotoxin, name: Endotoxin, method: LAL, method_version: "1", type: censored_numeric, unit: EU/mL, max: 0.5, rounding: {decimals: 2, mode: half_up, evidence: illustrative}, timing: before_infusion, sample: REL, evidence: illustrative, timing_evidence: illustrative}
  - {code: appearance, attribute: appearance, name: Appearance, method: Visual, method_version: "1", type: categorical, options: [clear, clumps], accept: [clear], timing: before_infusion, sample: REL, evidence: illustrative, timing_evidence: illustrative}
  - {code: dose, attribute: dose, name: Dose, method: Count, method_version: "1", type: numeric, unit: CAR+ cells, target: {expression: dose_target * weight_kg, tolerance_pct: 20}, rounding: {significant: 3, mode: half_up, evidence: illustrative}, timing: before_infusion, sample: REL, evidence: illustrative, timing_evidence: illustrative}
  - {code: potency_a, attribute: potency, name: Potency a, method: Killing, method_version: "1", type: numeric, unit: "%", max_exclusive: 70, rounding: {decimals: 1, mode: half_up, evidence: illustrative}, timing: before_infusion, sample: REL, any_of: potency, evidence: illustrative, timing_evidence: illustrative}
  - {code: potency_b, attribute: potency, name: Potency b, method: Killing, method_version: "1", type: numeric, unit: "%", min_exclusive: 50, rounding: {decimals: 1, mode: half_up, evidence: illustrative}, timing: before_infusion, sample: REL, any_of: potency, evidence: illustrative, timing_evidence: illustrative}
  - {code: subset, attribute: subset, name: CD4 share, method: Flow, method_version: "1", type: report_only, unit: "%", timing: before_infusion, sample: REL, evidence: illustrative, timing_evidence: illustrative}
  - {code: sterility, attribute: sterility, name: Sterility, method: Culture, method_version: "1", type: categorical, options: [sterile, growth], accept: [sterile], timing: post_release, sample: STER, interim: {allowed: true, required: true, accept: [no growth]}, due_days: 14, evidence: illustrative, timing_evidence: illustrative}
  - {code: vcn, attribute: vcn, name: Vector copy number, method: qPCR, method_version: "1", type: numeric, unit: copies/cell, max: 5, rounding: {decimals: 1, mode: half_up, evidence: illustrative}, timing: post_release, sample: STER, due_days: 5, evidence: illustrative, timing_evidence: illustrative}
"""  # noqa: E501

MEETS = {
    "viability": ("88.7", "%"), "endotoxin": ("<0.05", "EU/mL"), "appearance": ("clear", ""), "dose": ("7.1e6", "CAR+ cells"), "potency_a": ("14.9", "%"),
    "potency_b": ("90.9", "%"), "subset": ("41.2", "%"), "sterility": ("sterile", ""), "vcn": ("1.45", "copies/cell"),
}  # fmt: skip
"""A result that meets each criterion."""


class Laboratory(Floor):
    """The floor with two analysts (ana, ben), a reviewer (rea), and a Qualified Person (paul); supervisor and QA have mail."""

    specification_text = SPECIFICATION

    def __init__(self, code: str = "", recipe: str = RECIPE) -> None:
        super().__init__(code, recipe)
        for name, role in {"ana": "qc_analyst", "ben": "qc_analyst", "rea": "qc_reviewer", "paul": "qa_release", "stu": "qc_analyst"}.items():
            self.users[name] = self.place.person(f"{name}.{self.place.site.code.lower()}", role, full_name=f"{name.title()} Demo")
            if name != "stu":  # the student is not trained
                self.train(name)
        for name, role in {"mails": "supervisor", "mailq": "qa_reviewer"}.items():
            username = f"{name}.{self.place.site.code.lower()}"
            self.users[name] = enrol(by=self.place.setup, username=username, full_name=name.title(), roles=[role], email=f"{username}@site.example")

    def effective_specification(self) -> None:
        self.put_into_effect(self.approved_specification(self.specification_text))

    def approved_specification(self, text: str) -> SpecificationVersion:
        version = specification_services.import_specification(by=self.by("erin"), text=text)
        version = specification_services.submit_specification(by=self.by("erin"), version_id=version.pk, seen=version.version)
        proof = self.proof("quinn", "quinn", lambda: specification_queries.subject_of(specification_queries.version_by_id(version.pk)), "approved")
        return specification_services.approve_specification(by=self.by("quinn"), version_id=version.pk, seen=version.version, proof=proof)

    def put_into_effect(self, version: SpecificationVersion) -> SpecificationVersion:
        return specification_services.make_effective(by=self.by("quinn"), version_id=version.pk, seen=version.version)

    # --- samples and results ------------------------------------------------------------------------------------------

    def sample(self, lot: Lot, code: str = "REL") -> Sample:
        with self.reading():
            return Sample.objects.select_related("lot").get(lot=lot, code=code)

    def received(self, lot: Lot, *codes: str) -> Lot:
        """The lot with these samples (or all) drawn and received in QC."""
        for code in codes or ("REL", "STER"):
            sample = self.sample(lot, code)
            if sample.state == "expected":
                sample = services.draw_sample(by=self.by("maya"), sample_id=sample.pk, seen=sample.version)
            services.receive_sample(by=self.by("ana"), sample_id=sample.pk, seen=sample.version, scanned=sample.identifier)
        return lot

    def tested(self, lot: Lot, criterion: str, text: str | None = None, *, by: str = "ana", unit: str | None = None, **more) -> Result:
        usual = MEETS[criterion]
        return services.record_result(
            by=self.by(by), lot_id=lot.pk, criterion=criterion, text=usual[0] if text is None else text, unit=usual[1] if unit is None else unit,
            method_version=more.pop("method_version", "1"), **more,
        )  # fmt: skip

    def reviewed(self, result: Result, who: str = "rea"):
        proof = self.proof(who, who, lambda: queries.review_subject(queries.result_by_id(result.pk)), "reviewed_result")
        return services.review_result(by=self.by(who), result_id=result.pk, proof=proof)

    def corrected(
        self, result: Result, text: str, *, unit: str = "", reason: str = "Two digits were swapped when typing.", by: str = "ana", second: str = "rea"
    ) -> Result:
        more = {"text": text, "unit": unit, "method_version": "1", "reason": reason}
        proof = self.proof(by, second, lambda: queries.correction_subject(queries.result_by_id(result.pk), **more), "confirmed_transcription")
        return services.correct_result(by=self.by(by), result_id=result.pk, proof=proof, **more)

    def table(self, lot: Lot) -> dict[str, queries.CriterionLine]:
        with self.reading():
            return {line.criterion.code: line for line in queries.table(Lot.objects.select_related("recipe_version__master", "site").get(pk=lot.pk))}

    def weighed(self, lot: Lot) -> Lot:
        """The lot with its weight recorded: what the dose is computed from."""
        self.open(lot, "A0.1", "sam")
        self.enter(lot, "A0.1", "sam", dose_cohort="low", weight_kg="70.0")
        return lot

    # --- what follows -------------------------------------------------------------------------------------------------

    def deviations(self, lot: Lot | None = None) -> list[Deviation]:
        with self.reading():
            found = Deviation.objects.select_related("lot", "excursion", "result").order_by("recorded_at")
            return list(found.filter(lot=lot) if lot else found)

    def alerts(self, **wanted) -> list[Alert]:
        with self.reading():
            return list(Alert.objects.filter(site=self.place.site, **wanted).order_by("recorded_at"))

    def now(self) -> dt.datetime:
        return record_now()
