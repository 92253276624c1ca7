"""A site at work: roles, people with PINs, an effective recipe, a lot ordered and its starting material accepted.

Everything is made through the services in use. `proof()` goes through the whole signing ceremony.
"""

from __future__ import annotations

import datetime as dt
import itertools

from batches.equipment import services as equipment_services
from batches.equipment.models import Equipment
from batches.execution import queries, services
from batches.execution.models import StepRun
from batches.lots import queries as lot_queries
from batches.lots import services as lot_services
from batches.lots.identifiers import check_character
from batches.lots.models import Container, Lot
from batches.materials import queries as material_queries
from batches.materials import services as material_services
from batches.materials.models import MaterialLot
from batches.recipes import queries as recipe_queries
from batches.recipes import services as recipe_services
from batches.recipes.models import RecipeVersion
from batches.subjects.identity import Identity
from batches.subjects.services import enter_patient
from mes.clock import record_now
from mes.people import services as people
from mes.people.models import User
from mes.records.actors import Actor
from mes.records.context import site_context
from mes.signatures import ceremony
from mes.signatures.meanings import meaning as meaning_of
from quality.roles import ROLES
from quality.specifications import queries as specification_queries
from quality.specifications import services as specification_services
from tests.builders.staff import PASSWORD, PIN, Staffed, open_site

RECIPE = """\
code: FLOOR-A
name: Floor product, short process
product: floor
version: "1.0"
demo: true
regulatory_use: clinical
based_on:
  - {id: S1, title: A source for the tests}
specification: FLOOR-REL
dose:
  kind: per_kg
  unit: CAR+ cells/kg
  cohorts:
    - {code: low, target: 1e5}
    - {code: high, target: 1e6}
  cohort_parameter: dose_cohort
  weight_parameter: weight_kg
  tolerance_pct: 20
  basis: Cohort times weight
  evidence: illustrative
shelf_life: {starts: A2.1.fill_end, span: 48 h, storage: 2 to 8 degC, evidence: illustrative}
certificate: {total_car_cells: total_car, dose_per_kg: dose_per_kg, volume: volume, bags: bags}
slot: infusion_planned_on
transport:
  product: {min: 2, max: 8, class: CPP, evidence: illustrative}
materials:
  - {code: medium, name: Medium, unit: mL, role: raw, quantity: 500}
equipment_classes:
  - {code: counter, name: Cell counter}
  - {code: incubator, name: Incubator}
containers:
  - {code: collection_bag, title: Collection bag, kind: collection_bag, label: true, created_by: A0.1}
  - {code: bag, title: Dose bag, kind: final_bag, label: true, created_by: A2.1}
stages:
  - code: A0
    title: Order
    purpose: Open the lot.
    steps:
      - key: A0.1
        title: Take in the order
        instruction: Enter the order.
        kind: order
        day: -1
        performed_by: scheduler
        second_person: verify
        parameters:
          - {key: dose_cohort, name: Cohort, type: choice, options: [low, high]}
          - {key: weight_kg, name: Weight, type: decimal, unit: kg, decimals: 1, double_entry: true, limits: {plausible: {min: 2, max: 300}},
             evidence: illustrative}
          - {key: planned_dose, name: Planned dose, type: calculated, unit: CAR+ cells, expression: weight_kg * dose_target}
          - {key: infusion_planned_on, name: Infusion planned on, type: date, required: false}
  - code: A1
    title: Count
    purpose: Count the cells.
    steps:
      - key: A1.1
        title: Line clearance
        instruction: Look.
        kind: line_clearance
        day: 0
        performed_by: operator
        second_person: witness
        parameters:
          - {key: cleared, name: Nothing of another lot, type: boolean, accept: ["yes"], evidence: illustrative}
      - key: A1.2
        title: Count cells and check viability
        instruction: |
          Mix the sample tube by inverting it 10 times.
          Load the slide and read both chambers.
          Record the mean.
        day: 0
        performed_by: operator
        second_person: verify
        touches_material: collection_bag
        equipment: [counter, incubator]
        late_after: 30 min
        in_process_control: true
        materials:
          - {material: medium, quantity: 10}
        attachments:
          - {code: report, title: Report of the counter}
        parameters:
          - key: viability
            name: Viability
            type: decimal
            unit: "%"
            decimals: 1
            limit_class: CPP
            limits:
              plausible: {min: 0, max: 100}
              hard: {min: 20, evidence: illustrative}
              action: {min: 70, evidence: illustrative}
              alert: {min: 75, evidence: illustrative}
            evidence: illustrative
          - {key: density, name: Viable cell density, type: decimal, unit: CAR+ cells/mL, source: either, channel: density,
             limits: {plausible: {min: 1, max: 1e10}}, evidence: illustrative}
          - {key: volume, name: Bag volume, type: decimal, unit: mL, decimals: 0, limits: {plausible: {min: 1, max: 1000}}, evidence: illustrative}
          - {key: total_car, name: Total CAR+ cells, type: calculated, unit: CAR+ cells, limit_class: IPC,
             limits: {action: {min: 1e6, evidence: illustrative}}, expression: density * volume, evidence: illustrative}
          - {key: dose_per_kg, name: Dose per kg, type: calculated, unit: CAR+ cells/kg, decimals: 2, expression: total_car / weight_kg}
          - {key: sampled_at, name: Sampled at, type: datetime}
          - {key: remark, name: Remark, type: text, required: false}
      - key: A1.3
        title: Go on?
        instruction: Look at growth and viability together.
        kind: decision
        day: 0
        performed_by: supervisor
        second_person: verify
        decision:
          question: May this lot go on?
          options:
            - {code: go, title: Go on, consequence: continue}
            - {code: wait, title: Discuss first, consequence: hold}
            - {code: stop, title: Terminate, consequence: terminate}
  - code: A2
    title: Fill
    purpose: Fill the dose.
    steps:
      - key: A1.4
        title: Line clearance
        instruction: Look.
        kind: line_clearance
        day: 1
        performed_by: operator
        second_person: witness
        parameters:
          - {key: cleared_fill, name: Nothing of another lot, type: boolean, accept: ["yes"], evidence: illustrative}
      - key: A2.1
        title: Fill
        instruction: Fill.
        day: 1
        performed_by: operator
        touches_material: collection_bag
        parameters:
          - {key: bags, name: Bags, type: integer, unit: bags}
          - {key: fill_end, name: Fill ended, type: datetime}
  - code: A3
    title: Infusion
    purpose: Give the dose.
    after_release: true
    steps:
      - key: A3.1
        title: Infuse
        instruction: Infuse.
        day: 2
        performed_by: treatment_centre
        second_person: witness
        touches_material: bag
        parameters:
          - {key: infusion_end, name: Infusion ended, type: datetime}
time_limits:
  - {code: sample-fill, title: Sample to end of fill, starts: A1.2.sampled_at, ends: A2.1.fill_end, max: 12 h, class: CPP,
     reaction: Deviation, evidence: illustrative}
samples: []
"""

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
    evidence: illustrative
    timing_evidence: illustrative
"""

_numbers = itertools.count(1)


def din(number: int) -> str:
    """A donation number with its check character."""
    text = f"A9999 26 {number:06d}".replace(" ", "")
    return f"{text}{check_character(text)}"


class Floor:
    """The site and everybody who is needed to take one lot through the recipe."""

    def __init__(self, code: str = "", recipe: str = RECIPE) -> None:
        self.place: Staffed = open_site(code or f"FL{next(_numbers)}", "Floor site", roles=ROLES)
        self.users: dict[str, User] = {}
        for name, roles in {
            "sam": ["scheduler"], "sue": ["scheduler"], "nora": ["collection_nurse"], "rex": ["receiving"], "maya": ["operator"], "jonas": ["operator"],
            "olga": ["operator"], "wim": ["second_person"], "boss": ["supervisor"], "deputy": ["supervisor"], "quinn": ["qa_reviewer"],
            "erin": ["process_engineer"], "tess": ["treatment_centre"], "adm": ["administrator"],
        }.items():  # fmt: skip
            # User names are given once in the installation, and several sites may be opened in one test.
            self.users[name] = self.place.person(f"{name}.{self.place.site.code.lower()}", *roles, full_name=f"{name.title()} Demo")
        self.version = self.effective_recipe(recipe)
        self.effective_specification()
        for name in self.users:
            if name not in ("erin", "adm"):
                self.train(name)

    def by(self, name: str, **more) -> Actor:
        return self.place.actor(self.users[name], station="tablet-1", **more)

    def reading(self):
        """The read context of the site."""
        return site_context(self.place.site.pk)

    def proof(self, by: str, signer: str, what, meaning: str, *, secret: str = "") -> ceremony.Proof:
        """The ceremony: `signer` proves who they are at the station of `by` for exactly this content."""
        actor = self.by(by)
        with site_context(actor.site_id, writable=True):
            intent = ceremony.prepare(actor, what() if callable(what) else what, meaning)
        secret = secret or (PIN if meaning_of(meaning).proof == "floor" else PASSWORD)
        return ceremony.authenticate(by=actor, intent_id=intent.pk, username=self.users[signer].username, secret=secret)

    # --- what has to be there -----------------------------------------------------------------------------------------

    def train(self, name: str) -> None:
        people.record_qualification(
            by=self.by("boss") if name != "boss" else self.by("deputy"), user=self.users[name], subject=self.version.training_subject, title="Floor product"
        )

    def effective_recipe(self, text: str) -> RecipeVersion:
        version = recipe_services.import_recipe(by=self.by("erin"), text=text)
        version = recipe_services.submit_recipe(by=self.by("erin"), version_id=version.pk, seen=version.version)
        proof = self.proof("quinn", "quinn", lambda: recipe_queries.subject_of(recipe_queries.version_by_id(version.pk)), "approved")
        version = recipe_services.approve_recipe(by=self.by("quinn"), version_id=version.pk, seen=version.version, proof=proof)
        return recipe_services.make_effective(by=self.by("quinn"), version_id=version.pk, seen=version.version)

    def effective_specification(self) -> None:
        version = specification_services.import_specification(by=self.by("erin"), text=SPECIFICATION)
        version = specification_services.submit_specification(by=self.by("erin"), version_id=version.pk, seen=version.version)
        what = lambda: specification_queries.subject_of(specification_queries.version_by_id(version.pk))  # noqa: E731
        proof = self.proof("quinn", "quinn", what, "approved")
        version = specification_services.approve_specification(by=self.by("quinn"), version_id=version.pk, seen=version.version, proof=proof)
        specification_services.make_effective(by=self.by("quinn"), version_id=version.pk, seen=version.version)

    def order(self, *, cohort: str = "low", accept: bool = True) -> Lot:
        number = next(_numbers)
        patient = enter_patient(by=self.by("sam"), identity=Identity(f"Demo{number}", "Patient", "1970-01-01", f"H{number:05d}"))
        lot = lot_services.order_lot(
            by=self.by("sam"), patient_id=patient.pk, recipe_version_id=self.version.pk, market="EU", cohort=cohort, treatment_centre="Demo hospital",
            physician_name="Dr Demo", physician_email="demo@hospital.example", dins=[din(number)], demo=True,
        )  # fmt: skip
        if accept:
            self.accept(lot)
        return lot

    def accept(self, lot: Lot) -> None:
        with self.reading():
            donation = lot_queries.donations_of(lot)[0]
        scanned = f"={donation.din}00"
        donation = lot_services.collect_donation(by=self.by("nora"), donation_id=donation.pk, seen=donation.version, scanned=scanned)
        donation = lot_services.receive_donation(by=self.by("rex"), donation_id=donation.pk, seen=donation.version, scanned=scanned)
        with self.reading():
            what = lot_queries.decision_subject(donation, True)
        proof = self.proof("quinn", "quinn", what, "accepted_starting_material")
        lot_services.decide_donation(by=self.by("quinn"), donation_id=donation.pk, seen=donation.version, accept=True, reason="", proof=proof)

    def medium(self, *, released: bool = True, days: int = 30, quantity: str = "500", number: str = "") -> MaterialLot:
        from batches.materials.models import Material

        with self.reading():
            known = Material.objects.filter(code="medium", site=self.place.site).first()
        known = known or material_services.define_material(by=self.by("rex"), code="medium", name="Medium", unit="mL", role="raw")
        lot = material_services.receive_lot(
            by=self.by("rex"), material_id=known.pk, number=number or f"M{next(_numbers)}", supplier="Demo supplier",
            expires_at=record_now() + dt.timedelta(days=days), quantity=quantity,
        )  # fmt: skip
        if released:
            with self.reading():
                what = material_queries.release_subject(MaterialLot.objects.select_related("material").get(pk=lot.pk))
            proof = self.proof("quinn", "quinn", what, "released_material")
            lot = material_services.release_lot(by=self.by("quinn"), material_lot_id=lot.pk, seen=lot.version, proof=proof)
        return lot

    def equipment(self, class_code: str, *, shared: bool = True, days: int = 90) -> Equipment:
        from batches.equipment.models import EquipmentClass

        with self.reading():
            kind = EquipmentClass.objects.filter(code=class_code, site=self.place.site).first()
        kind = kind or equipment_services.define_class(by=self.by("boss"), code=class_code, name=class_code.title())
        return equipment_services.register_equipment(
            by=self.by("boss"), class_id=kind.pk, code=f"{class_code[:3].upper()}-{next(_numbers)}", name=f"{class_code.title()} one",
            calibrated_until=record_now() + dt.timedelta(days=days), shared=shared,
        )  # fmt: skip

    # --- a lot on its way ---------------------------------------------------------------------------------------------

    def run(self, lot: Lot, key: str) -> StepRun:
        with self.reading():
            return queries.run_by_key(lot.number, key)

    def container(self, lot: Lot, code: str = "collection_bag") -> Container:
        with self.reading():
            return Container.objects.filter(lot=lot, code=code).order_by("serial").first()

    def open(self, lot: Lot, key: str, who: str = "maya", scanned: str | None = None):
        run = self.run(lot, key)
        with self.reading():
            touches = queries.step_of(run).touches_material
        if scanned is None:
            scanned = f"CTL:C:{self.container(lot, touches).identifier}" if touches else ""
        return services.open_step(by=self.by(who), step_run_id=run.pk, seen=run.version, scanned=scanned)

    def enter(self, lot: Lot, key: str, who: str = "maya", **values: str):
        run = self.run(lot, key)
        typed = [services.Typed(name, text, again=text if name == "weight_kg" else None) for name, text in values.items()]
        return services.record_values(by=self.by(who), step_run_id=run.pk, values=typed)

    def perform(self, lot: Lot, key: str, who: str = "maya", *, at: str = ""):
        run = self.run(lot, key)
        proof = self.proof(at or who, who, self.subject(lot, key), "performed")
        return services.perform_step(by=self.by(at or who), step_run_id=run.pk, seen=run.version, proof=proof)

    def second(self, lot: Lot, key: str, who: str = "jonas", *, at: str = "maya"):
        run = self.run(lot, key)
        with self.reading():
            step = queries.step_of(run)
            meaning = queries.second_meaning(step)
            made = run.stepdecision_facts.first()
            what = queries.decision_subject(run, made.option, made.reason) if made else queries.subject_of(run)
        proof = self.proof(at, who, what, meaning)
        return services.second_sign_step(by=self.by(at), step_run_id=run.pk, seen=run.version, proof=proof)

    def subject(self, lot: Lot, key: str):
        with self.reading():
            return queries.subject_of(queries.run_by_key(lot.number, key))

    def decide(self, lot: Lot, option: str, reason: str = "", who: str = "boss"):
        run = self.run(lot, "A1.3")
        with self.reading():
            what = queries.decision_subject(run, option, reason)
        proof = self.proof(who, who, what, "decided")
        return services.decide(by=self.by(who), step_run_id=run.pk, seen=run.version, option=option, reason=reason, proof=proof)

    def to_count(self, lot: Lot | None = None) -> Lot:
        """A lot whose step A1.2 is open, with the day's line cleared."""
        lot = lot or self.order()
        self.open(lot, "A0.1", "sam")
        self.enter(lot, "A0.1", "sam", dose_cohort="low", weight_kg="70.0")
        self.perform(lot, "A0.1", "sam")
        self.second(lot, "A0.1", "sue", at="sam")
        self.open(lot, "A1.1")
        self.enter(lot, "A1.1", cleared="yes")
        self.perform(lot, "A1.1")
        self.second(lot, "A1.1")
        self.open(lot, "A1.2")
        return lot

    def fill_count(self, lot: Lot, *, viability: str = "82.4", who: str = "maya", sampled_at: dt.datetime | None = None) -> None:
        """Everything that step A1.2 needs but the signatures."""
        run = self.run(lot, "A1.2")
        for class_code in ("counter", "incubator"):
            services.use_equipment(by=self.by(who), step_run_id=run.pk, class_code=class_code, scanned=self.equipment(class_code).identifier)
        services.consume(by=self.by(who), step_run_id=run.pk, line="medium", scanned=self.medium().identifier)
        services.attach(by=self.by(who), step_run_id=run.pk, code="report", file_name="count.csv", media_type="text/csv", content=b"cells,82.4\n")
        sampled = (sampled_at or record_now()).astimezone(dt.UTC).strftime("%Y-%m-%dT%H:%M:%S+00:00")
        self.enter(lot, "A1.2", who, viability=viability, density="1e6", volume="100", sampled_at=sampled)

    def counted(self, lot: Lot | None = None) -> Lot:
        """A lot whose step A1.2 is complete."""
        lot = self.to_count(lot)
        self.fill_count(lot)
        self.perform(lot, "A1.2")
        self.second(lot, "A1.2")
        return lot
