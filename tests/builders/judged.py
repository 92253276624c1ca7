"""A lot made, tested and judged: everything between the last step and what became of the product, through the services in use."""

from __future__ import annotations

import itertools

from batches.custody import queries as custody_queries
from batches.custody import services as custody
from batches.execution import services as steps
from batches.execution.models import Excursion
from batches.lots.models import Container, Lot
from mes.clock import record_now
from mes.people import totp
from mes.records.context import site_context
from mes.signatures import ceremony
from mes.signatures.meanings import meaning as meaning_of
from quality.deviations import queries as deviation_queries
from quality.deviations import services as deviations
from quality.deviations.models import Deviation
from quality.release import queries as release_queries
from quality.release import services as release
from quality.release.models import ReleaseDecision
from quality.review import queries as review_queries
from quality.review import services as review
from quality.review.models import Review
from quality.samples import queries as sample_queries
from quality.samples import services as samples
from quality.samples.models import Sample
from quality.specifications import queries as specification_queries
from quality.specifications import services as specification_services
from tests.builders.floor import RECIPE, Floor
from tests.builders.staff import PASSWORD, PIN, enrol_authenticator

JUDGED_RECIPE = RECIPE.replace("FLOOR-", "JUDGED-").replace("product: floor", "product: judged").replace("Floor product", "Judged product").replace(
    "{code: low, target: 1e5}", "{code: low, target: 1.4e6}"  # 1e8 cells for 70 kg, as fill_count records them
).replace(
    "        instruction: Fill.\n", "        instruction: Fill.\n        kind: sampling\n"
).replace(
    "samples: []\n",
    """samples:
  - {code: REL, title: Release sample, step: A2.1, day: 1, specimen: Product, tests: [viability, appearance], timing: before_infusion}
  - {code: STER, title: Sterility sample, step: A2.1, day: 1, specimen: Product, tests: [sterility], timing: post_release}
""",
)  # fmt: skip

JUDGED_SPECIFICATION = """\
code: JUDGED-REL
name: Judged product, release specification
product: judged
version: "1.0"
markets: [EU]
demo: true
based_on:
  - {id: S1, title: A source for the tests}
criteria:
  - code: viability
    attribute: viability
    name: Viability
    method: Cell counter
    method_version: "1"
    type: numeric
    unit: "%"
    min: 70
    rounding: {decimals: 1, mode: half_up, evidence: illustrative}
    timing: before_infusion
    sample: REL
    evidence: illustrative
    timing_evidence: illustrative
  - code: appearance
    attribute: appearance
    name: Appearance
    method: Eye
    method_version: "1"
    type: categorical
    options: [clear, turbid]
    accept: [turbid]
    timing: before_infusion
    sample: REL
    evidence: illustrative
    timing_evidence: illustrative
  - code: sterility
    attribute: sterility
    name: Sterility
    method: Culture, 14 days
    method_version: "1"
    type: categorical
    options: [sterile, growth]
    accept: [sterile]
    timing: post_release
    sample: STER
    interim: {required: true, accept: [no growth]}
    due_days: 14
    evidence: illustrative
    timing_evidence: illustrative
"""

_steps_ago = itertools.count(2)


class Judged(Floor):
    """A floor with quality: analyst, reviewers, two who may release, two at the treatment centre."""

    def __init__(self, code: str = "", recipe: str = JUDGED_RECIPE) -> None:
        super().__init__(code, recipe)
        for name, roles in {
            "anna": ["qc_analyst"], "rolf": ["qc_reviewer"], "quentin": ["qa_reviewer"], "ruth": ["qa_release"], "rob": ["qa_release"],
            "tina": ["treatment_centre"],
        }.items():  # fmt: skip
            self.users[name] = self.place.person(f"{name}.{self.place.site.code.lower()}", *roles, full_name=f"{name.title()} Demo")
            self.train(name)
        self.secrets: dict[str, bytes] = {}

    def effective_specification(self) -> None:
        version = specification_services.import_specification(by=self.by("erin"), text=JUDGED_SPECIFICATION)
        version = specification_services.submit_specification(by=self.by("erin"), version_id=version.pk, seen=version.version)
        what = lambda: specification_queries.subject_of(specification_queries.version_by_id(version.pk))  # noqa: E731
        proof = self.proof("quinn", "quinn", what, "approved")
        version = specification_services.approve_specification(by=self.by("quinn"), version_id=version.pk, seen=version.version, proof=proof)
        specification_services.make_effective(by=self.by("quinn"), version_id=version.pk, seen=version.version)

    def code(self, name: str) -> str:
        """A one-time code that was not used yet, of the person's authenticator, enrolled when first asked for."""
        if name not in self.secrets:
            self.secrets[name] = enrol_authenticator(self.place, self.users[name], steps_ago=1)
            return totp.code_at(self.secrets[name], totp.step_now())
        return totp.code_at(self.secrets[name], totp.step_now() + 1)

    def proved(self, by: str, signer: str, what, meaning: str) -> ceremony.Proof:
        """The ceremony with whatever the meaning asks for, second factor included."""
        actor = self.by(by)
        with site_context(actor.site_id, writable=True):
            intent = ceremony.prepare(actor, what() if callable(what) else what, meaning)
        proof = meaning_of(meaning).proof
        code = self.code(signer) if proof == "certify" else ""
        secret = PIN if proof == "floor" else PASSWORD
        return ceremony.authenticate(by=actor, intent_id=intent.pk, username=self.users[signer].username, secret=secret, code=code)

    def fresh(self, lot: Lot) -> Lot:
        with self.reading():
            return release_queries.lot_by_number(lot.number)

    # --- making -------------------------------------------------------------------------------------------------------

    def made(self, *, viability: str = "82.4") -> Lot:
        """A lot whose every step before release is complete, its labels accounted for."""
        lot = self.to_count()
        self.fill_count(lot, viability=viability)
        self.choose_to_keep(lot)
        self.perform(lot, "A1.2")
        self.second(lot, "A1.2")
        return self.finished(lot)

    def finished(self, lot: Lot) -> Lot:
        """The same from the decision after the count to the last step before release."""
        self.open(lot, "A1.3", "boss")
        self.decide(lot, "go")
        self.second(lot, "A1.3", "deputy", at="boss")
        self.open(lot, "A1.4")
        self.enter(lot, "A1.4", cleared_fill="yes")
        self.perform(lot, "A1.4")
        self.second(lot, "A1.4")
        self.open(lot, "A2.1")
        self.enter(lot, "A2.1", bags="1", fill_end=record_now().strftime("%Y-%m-%dT%H:%M:%SZ"))
        self.perform(lot, "A2.1")
        self.label(lot)
        return self.fresh(lot)

    def label(self, lot: Lot) -> None:
        """A label printed for the final bag and used on it."""
        bag, source = self.bag(lot), self.container(lot)
        label = custody.print_label(by=self.by("maya"), container_id=bag.pk)
        custody.use_label(
            by=self.by("maya"), label_id=label.pk, seen=label.version, scanned_label=f"CTL:C:{bag.identifier}", scanned_container=f"CTL:C:{source.identifier}"
        )

    def choose_to_keep(self, lot: Lot) -> None:
        """Keep every value past a limit, with a reason."""
        with self.reading():
            waiting = list(Excursion.objects.filter(lot=lot, entry__isnull=False, choices=None))
        for excursion in waiting:
            steps.choose(by=self.by("maya"), excursion_id=excursion.pk, choice="keep", reason="Read twice, the value is as it is")

    def tested(self, lot: Lot, *, viability: str = "88.2", interim: str = "no growth", evidence: str = "measured") -> Lot:
        """The results before infusion, an interim reading of sterility, each reviewed by a second person."""
        with self.reading():
            drawn = list(Sample.objects.filter(lot=lot))
        for sample in drawn:
            samples.receive_sample(by=self.by("anna"), sample_id=sample.pk, seen=sample.version, scanned=sample.identifier)
        self.result(lot, "viability", viability, unit="%")
        self.result(lot, "appearance", "turbid", evidence=evidence)
        if interim:
            self.result(lot, "sterility", interim, kind="interim", interim_day=1)
        return self.fresh(lot)

    def result(self, lot: Lot, criterion: str, text: str, *, review: bool = True, **more):
        made = samples.record_result(by=self.by("anna"), lot_id=lot.pk, criterion=criterion, text=text, method_version="1", **more)
        if review:
            self.review_result(made)
        return made

    def review_result(self, made) -> None:
        what = lambda: sample_queries.review_subject(sample_queries.result_by_id(made.pk))  # noqa: E731
        proof = self.proved("rolf", "rolf", what, "reviewed_result")
        samples.review_result(by=self.by("rolf"), result_id=made.pk, proof=proof)

    # --- judging ------------------------------------------------------------------------------------------------------

    def assess(self, lot: Lot, *, impact: str = "none", close: bool = False) -> None:
        """Classify and assess every open deviation of the lot; close them when asked."""
        with self.reading():
            found = list(Deviation.objects.filter(lot=lot).exclude(state="closed"))
        for deviation in found:
            by = self.by("quinn")
            if deviation.state == "open":
                deviation = deviations.classify(
                    by=by, deviation_id=deviation.pk, seen=deviation.version, classification="minor", reason="Small in effect, see there"
                )
            deviation = deviations.investigate(by=by, deviation_id=deviation.pk, seen=deviation.version, text="The device was read again and agrees.")
            what = self._deviation(deviation, deviation_queries.assessment_subject, impact=impact, reason="No effect on the product")
            proof = self.proved("quinn", "quinn", what, "assessed")
            deviation = deviations.assess(
                by=by, deviation_id=deviation.pk, seen=deviation.version, impact=impact, reason="No effect on the product", proof=proof
            )
            if close:
                what = self._deviation(deviation, deviation_queries.closure_subject, closed_as="investigated", reason="Cause found and mended")
                proof = self.proved("quinn", "quinn", what, "closed")
                deviations.close(
                    by=by, deviation_id=deviation.pk, seen=deviation.version, closed_as="investigated", reason="Cause found and mended", proof=proof
                )

    def _deviation(self, deviation: Deviation, subject, **act: str):
        return lambda: subject(deviation_queries.by_number(deviation.number), **act)

    def lines(self, lot: Lot):
        with self.reading():
            return review_queries.exceptions(self.fresh_in(lot))

    def fresh_in(self, lot: Lot) -> Lot:
        """The lot as it is now, inside a read context."""
        return release_queries.lot_by_number(lot.number)

    def decided(self, lot: Lot, who: str = "quentin") -> None:
        """Every exception decided as justified."""
        for line in self.lines(lot):
            if not line.is_settled:
                review.disposition(by=self.by(who), lot_id=lot.pk, exception=line.key, decision="justified", comment="Looked at, no effect on the product")

    def reviewed(self, lot: Lot, who: str = "quentin") -> Review:
        """The review signed, every exception decided before."""
        with self.reading():
            opened = Review.objects.filter(lot=lot).first()
        if opened is None:
            review.open_review(by=self.by(who), lot_id=lot.pk)
        self.decided(lot, who)
        return self.sign_review(lot, who)

    def sign_review(self, lot: Lot, who: str = "quentin") -> Review:
        with self.reading():
            seen = Review.objects.get(lot=lot).version
        proof = self.proved(who, who, lambda: review_queries.subject_of(review_queries.picture(self.fresh_in(lot))), "reviewed")
        return review.finish_review(by=self.by(who), lot_id=lot.pk, seen=seen, proof=proof)

    def gate(self, lot: Lot, stage: str = "stage_1") -> dict:
        """The gate's lines by code."""
        with self.reading():
            return {line.code: line for line in release_queries.gate(self.fresh_in(lot), stage, record_now())}

    def shown(self, lot: Lot, stage: str):
        return lambda: release_queries.subject_of(release_queries.ground_of(self.fresh_in(lot), stage, record_now()))

    def certify(self, lot: Lot, stage: str = "stage_1", who: str = "ruth") -> ReleaseDecision:
        proof = self.proved(who, who, self.shown(lot, stage), release_queries.MEANINGS[stage])
        return release.certify(by=self.by(who), lot_id=lot.pk, seen=self.fresh(lot).version, stage=stage, proof=proof)

    def ready(self, **more) -> Lot:
        """A lot that only waits for the Qualified Person."""
        lot = self.tested(self.made(), **more)
        self.assess(lot)
        self.reviewed(lot)
        return self.fresh(lot)

    # --- the product --------------------------------------------------------------------------------------------------

    def bag(self, lot: Lot) -> Container:
        with self.reading():
            return Container.objects.select_related("lot__therapy_event").get(lot=lot, kind="final_bag")

    def hand_over_proof(self, lot: Lot, kind: str, who: str, meaning: str, **details: str) -> ceremony.Proof:
        bag = self.bag(lot)
        with self.reading():
            what = custody_queries.hand_over_subject(bag, kind, details)
        return self.proved(who, who, what, meaning)

    def received(self, lot: Lot) -> None:
        """The treatment centre received the product."""
        where = {"from_place": "Courier", "to_place": "Demo hospital"}
        proof = self.hand_over_proof(lot, "at_centre", "tess", "received", **where)
        bag = self.bag(lot)
        custody.hand_over(by=self.by("tess"), container_id=bag.pk, kind="at_centre", scanned=f"CTL:C:{bag.identifier}", proof=proof, **where)
