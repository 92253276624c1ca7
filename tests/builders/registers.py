"""A site with every role, an effective recipe, registers and lots, made through the services that people use."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from batches.equipment import services as equipment
from batches.lots import queries as lot_queries
from batches.lots import services as lots
from batches.lots.identifiers import check_character
from batches.lots.models import Donation, Lot
from batches.materials import queries as material_queries
from batches.materials import services as materials
from batches.materials.models import MaterialLot
from batches.recipes import queries as recipe_queries
from batches.recipes import services as recipes
from batches.recipes.models import RecipeVersion
from batches.subjects import services as subjects
from batches.subjects.identity import Identity, read_identity_fields
from mes.clock import record_now
from mes.people.models import User
from mes.records.actors import Actor
from mes.records.context import site_context
from mes.signatures import ceremony
from mes.signatures.meanings import meaning as meaning_of
from quality.roles import ROLES
from tests.builders.staff import PASSWORD, PIN, Staffed, open_site

ARI = Path(__file__).resolve().parents[2] / "batches/demo_data/recipes/ari0001.yaml"
PEOPLE = {
    "sam": "scheduler", "nora": "collection_nurse", "rita": "receiving", "olga": "operator", "omar": "operator", "petra": "second_person",
    "quinn": "qa_reviewer", "ruth": "qa_release", "tess": "treatment_centre", "pavel": "process_engineer", "sue": "supervisor", "ada": "administrator",
}  # fmt: skip
CENTRE = {"treatment_centre": "Clinic One", "physician_name": "Dr Example", "physician_email": "physician@clinic.example"}


def identity(family: str = "Canarybird", given: str = "Tweety", born: str = "1961-04-23", number: str = "HN-778899") -> Identity:
    return read_identity_fields(family_name=family, given_name=given, born=born, hospital_number=number)


def din(sequence: int = 654321, facility: str = "G1234", year: int = 98) -> str:
    """A donation number with its check character."""
    number = f"{facility}{year:02d}{sequence:06d}"
    return f"{number}{check_character(number)}"


@dataclass
class World:
    """A site in use. `by(name)` is a person's actor; `sign(...)` proves a person for what a query shows."""

    staffed: Staffed
    users: dict[str, User] = field(default_factory=dict)
    _version: RecipeVersion | None = None

    @property
    def site(self):
        return self.staffed.site

    def by(self, name: str) -> Actor:
        if name not in self.users:
            code = self.site.code.lower()
            self.users[name] = self.staffed.person(f"{name}.{code}", PEOPLE[name])
        return self.staffed.actor(self.users[name])

    def sign(self, name: str, what: Callable[[], ceremony.Subject], meaning: str, *, at: str = "") -> ceremony.Proof:
        """The proof of a person for what is shown now, at their own station or at that of `at`."""
        actor, signer = self.by(at or name), self.by(name)
        with site_context(self.site.pk):
            shown = what()
        intent = ceremony.prepare(actor, shown, meaning)
        secret = PIN if meaning_of(meaning).proof == "floor" else PASSWORD
        return ceremony.authenticate(by=actor, intent_id=intent.pk, username=signer.username, secret=secret)

    def read(self, query: Callable, *arguments, **named):
        with site_context(self.site.pk):
            return query(*arguments, **named)

    def now(self) -> dt.datetime:
        return record_now()

    # --- recipe, patient, lot ------------------------------------------------------------------------------------------

    def version(self) -> RecipeVersion:
        """The demo recipe of ARI-0001, effective here."""
        if self._version is None:
            self._version = self.read(lambda: next(iter(recipe_queries.effective_versions()), None))  # master data: another site may have it
        if self._version is None:
            draft = recipes.import_recipe(by=self.by("pavel"), text=ARI.read_text(encoding="utf-8"))
            recipes.submit_recipe(by=self.by("pavel"), version_id=draft.pk, seen=1)
            proof = self.sign("quinn", lambda: recipe_queries.subject_of(recipe_queries.version_by_id(draft.pk)), "approved")
            approved = recipes.approve_recipe(by=self.by("quinn"), version_id=draft.pk, seen=2, proof=proof)
            by = self.by("quinn") if self._may_make_effective("quinn") else self.by("pavel")
            self._version = recipes.make_effective(by=by, version_id=draft.pk, seen=approved.version)
        return self._version

    def _may_make_effective(self, name: str) -> bool:
        return "batches.approve_recipes" in [str(each) for each in ROLES[PEOPLE[name]][1]]

    def patient(self, **fields):
        return subjects.enter_patient(by=self.by("sam"), identity=identity(**fields))

    def order(self, patient=None, dins=None, **more) -> Lot:
        patient = patient or self.patient()
        arguments = {"recipe_version_id": self.version().pk, "market": "EU", "cohort": "", "dins": [din()] if dins is None else dins} | CENTRE | more
        return lots.order_lot(by=self.by("sam"), patient_id=patient.pk, **arguments)

    def donation(self, lot: Lot) -> Donation:
        with site_context(self.site.pk):
            return lot_queries.donations_of(lot)[0]

    def received(self, lot: Lot) -> Donation:
        """The lot's first donation, collected and received."""
        donation = self.donation(lot)
        code = f"={donation.din}77" if donation.din == "G123498654321" else f"={donation.din}00"
        donation = lots.collect_donation(by=self.by("nora"), donation_id=donation.pk, seen=donation.version, scanned=code)
        return lots.receive_donation(by=self.by("rita"), donation_id=donation.pk, seen=donation.version, scanned=code)

    def decided(self, lot: Lot, *, accept: bool = True, who: str = "quinn", reason: str = "") -> Donation:
        donation = self.received(lot)
        proof = self.sign(who, lambda: lot_queries.decision_subject(donation_again(donation), accept, reason), "accepted_starting_material")
        return lots.decide_donation(by=self.by(who), donation_id=donation.pk, seen=donation.version, accept=accept, reason=reason, proof=proof)

    def started(self, **more) -> Lot:
        lot = self.order(**more)
        self.decided(lot)
        return lots.start_lot(by=self.by("olga"), lot_id=lot.pk)

    def held(self, lot: Lot, *, reason: str = "Label in doubt.", who: str = "olga"):
        proof = self.sign(who, lambda: lot_queries.course_subject(lot_queries.lot(lot.pk), "place on hold", reason=reason), "placed_on_hold")
        return lots.place_hold(by=self.by(who), lot_id=lot.pk, reason=reason, proof=proof)

    def step(self, lot: Lot, place: int = 0):
        """A step run of the lot, by its place in the order; StepRun is asked for through the lot."""
        return self.read(lambda: lot.step_runs.order_by("order")[place])

    # --- registers -----------------------------------------------------------------------------------------------------

    def material(self, code: str = "medium", unit: str = "bags", name: str = "Culture medium"):
        return materials.define_material(by=self.by("rita"), code=code, name=name, unit=unit, role="raw")

    def material_lot(self, material=None, *, number: str = "L-1", quantity: str = "10", days: int = 100, **more) -> MaterialLot:
        material = material or self.material()
        return materials.receive_lot(
            by=self.by("rita"), material_id=material.pk, number=number, supplier="Maker", expires_at=self.now() + dt.timedelta(days=days),
            quantity=quantity, **more,
        )  # fmt: skip

    def released(self, material_lot: MaterialLot, who: str = "quinn") -> MaterialLot:
        proof = self.sign(who, lambda: material_queries.release_subject(fresh(material_lot)), "released_material")
        return materials.release_lot(by=self.by(who), material_lot_id=material_lot.pk, seen=material_lot.version, proof=proof)

    def equipment(self, code: str = "PRO-1", *, days: int = 100, class_code: str = "prodigy", shared: bool = False):
        by = self.by("sue")
        known = self.read(lambda: equipment.EquipmentClass.objects.filter(code=class_code).first())
        kind = known or equipment.define_class(by=by, code=class_code, name=class_code.title())
        return equipment.register_equipment(
            by=by, class_id=kind.pk, code=code, name=f"Device {code}", calibrated_until=self.now() + dt.timedelta(days=days), shared=shared
        )

    def left(self, material_lot):
        return self.read(material_queries.left, material_lot)


def fresh(row):
    """The row as the database has it now; call it inside a site context."""
    return type(row).objects.get(pk=row.pk)


def donation_again(donation: Donation) -> Donation:
    return Donation.objects.select_related("therapy_event").get(pk=donation.pk)


def open_world(code: str = "UTR", name: str = "Utrecht") -> World:
    """A demo site with the roles a site opens with."""
    roles = {key: (words, [str(each) for each in rights]) for key, (words, rights) in ROLES.items()}
    return World(open_site(code, name, roles=roles))


def staffed_world() -> World:
    """The same with everybody enrolled and the demo recipe effective."""
    world = open_world()
    for name in PEOPLE:
        world.by(name)
    world.version()
    return world


def move_clock(hours: float) -> None:
    """Let the record clock run ahead, as only a demo or rehearsal may."""
    from mes.people.models import SimulatedClock

    SimulatedClock.objects.update_or_create(id=1, defaults={"offset": dt.timedelta(hours=hours)})
