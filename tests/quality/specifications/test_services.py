"""Specifications: imported, submitted, approved by a second person, in force; and fixed for a lot when it is ordered."""

from __future__ import annotations

import pytest

from mes.signatures.models import Signature
from quality.specifications import queries, services
from quality.specifications.document.checks import check_specification_text
from quality.specifications.models import LotSpecification, SpecificationVersion
from tests.builders.laboratory import SPECIFICATION
from tests.builders.staff import PASSWORD, signed_in

pytestmark = pytest.mark.django_db
OTHER = SPECIFICATION.replace("code: FLOOR-REL", "code: FLOOR-US").replace("markets: [EU]", "markets: [US]")
NEXT = SPECIFICATION.replace('version: "1.0"', 'version: "2.0"')


def imported(lab, text=NEXT, by="erin"):
    return services.import_specification(by=lab.by(by), text=text)


def states(lab):
    with lab.reading():
        return {queries.name_of(each): each.state for each in SpecificationVersion.objects.select_related("specification")}


def test_a_text_becomes_a_draft_and_may_be_replaced_while_it_is_one(lab):
    first = imported(lab)
    second = imported(lab, NEXT.replace("name: Viability", "name: Viable cells"))
    assert second.pk == first.pk and second.version == 2 and second.state == "draft"
    assert second.text.count("Viable cells") == 1 and second.digest != first.digest


def test_a_text_that_does_not_hold_together_is_refused_with_every_line_and_field(lab, refused):
    with refused("specification_refused") as answer:
        imported(lab, NEXT.replace('unit: "%", min: 70', "min: 70"))
    assert answer.value.detail["problems"][0]["field"] == "criteria[1]"
    with lab.reading():
        assert SpecificationVersion.objects.count() == 1


def test_a_version_past_draft_keeps_its_text(lab, refused):
    version = imported(lab)
    services.submit_specification(by=lab.by("erin"), version_id=version.pk, seen=version.version)
    with refused("specification_version_taken"):
        imported(lab)


def test_a_code_stays_with_its_product(lab, refused):
    with refused("specification_of_other_product"):
        imported(lab, NEXT.replace("product: floor", "product: other"))


def test_only_an_author_imports_and_no_job_does(lab, refused):
    from mes.people.setup import system_actor

    with refused("not_your_role"):
        imported(lab, by="maya")
    with refused("only_people_author"):
        services.import_specification(by=system_actor(lab.place.site.pk), text=NEXT)


@pytest.mark.req("SIG-04", case="positive")
def test_a_second_person_approves_by_signature_and_the_old_version_is_superseded(lab):
    version = lab.approved_specification(NEXT)
    lab.put_into_effect(version)
    assert states(lab) == {"FLOOR-REL 1.0": "superseded", "FLOOR-REL 2.0": "effective"}
    with lab.reading():
        signature = Signature.objects.get(record_id=version.pk)
        (shown,) = queries.approvals_of(queries.version_by_id(version.pk))
    assert (signature.meaning, signature.full_name) == ("approved", "Quinn Demo") and shown["covers"]


def test_nobody_approves_an_own_version(lab, refused):
    version = imported(lab)
    version = services.submit_specification(by=lab.by("erin"), version_id=version.pk, seen=version.version)
    lab.place.move(lab.users["erin"], "qa_reviewer")
    proof = lab.proof("erin", "erin", lambda: queries.subject_of(queries.version_by_id(version.pk)), "approved")
    with refused("same_person"):
        services.approve_specification(by=lab.by("erin"), version_id=version.pk, seen=version.version, proof=proof)


def test_a_version_takes_effect_only_after_approval_and_goes_back_only_from_review(lab, refused):
    version = imported(lab)
    with refused("not_approved"):
        services.make_effective(by=lab.by("quinn"), version_id=version.pk, seen=version.version)
    with refused("not_in_review"):
        services.return_specification(by=lab.by("quinn"), version_id=version.pk, seen=version.version, reason="The limit is wrong.")
    version = services.submit_specification(by=lab.by("erin"), version_id=version.pk, seen=version.version)
    with refused("reason_missing"):
        services.return_specification(by=lab.by("quinn"), version_id=version.pk, seen=version.version, reason="")
    returned = services.return_specification(by=lab.by("quinn"), version_id=version.pk, seen=version.version, reason="The limit is wrong.")
    assert returned.state == "draft"


def test_a_product_has_one_specification_in_force_per_market(lab, refused):
    lab.put_into_effect(lab.approved_specification(OTHER))
    both = NEXT.replace("markets: [EU]", "markets: [EU, US]")
    version = lab.approved_specification(both)
    with refused("market_taken") as answer:
        lab.put_into_effect(version)
    assert "FLOOR-US" in answer.value.sentence and states(lab)["FLOOR-REL 1.0"] == "effective"


def test_a_specification_that_lacks_a_test_of_its_recipe_is_not_submitted(lab, refused):
    lines = [line for line in NEXT.splitlines() if "code: vcn" not in line]
    version = imported(lab, "\n".join(lines) + "\n")
    with refused("specification_unlike_recipe") as answer:
        services.submit_specification(by=lab.by("erin"), version_id=version.pk, seen=version.version)
    assert "vcn" in answer.value.sentence


def test_a_target_of_unknown_names_is_refused_before_approval(lab, refused):
    version = imported(lab, NEXT.replace("dose_target * weight_kg", "dose_target * waist_kg"))
    with refused("specification_refused") as answer:
        services.submit_specification(by=lab.by("erin"), version_id=version.pk, seen=version.version)
    assert "waist_kg" in answer.value.sentence


@pytest.mark.req("QC-01", case="positive")
def test_a_lot_keeps_the_version_it_was_ordered_with(lab):
    lot = lab.order()
    lab.put_into_effect(lab.approved_specification(NEXT))
    with lab.reading():
        assert queries.name_of(queries.of_lot(lot)) == "FLOOR-REL 1.0"
        assert LotSpecification.objects.filter(lot=lot).count() == 1
    later = lab.order()
    with lab.reading():
        assert queries.name_of(queries.of_lot(later)) == "FLOOR-REL 2.0"


def test_a_market_of_its_own_judges_by_its_own_specification(lab, refused):
    with refused("no_specification"):
        ordered_in(lab, "US")
    lab.put_into_effect(lab.approved_specification(OTHER))
    lot = ordered_in(lab, "US")
    with lab.reading():
        assert queries.name_of(queries.of_lot(lot)) == "FLOOR-US 1.0"


def ordered_in(lab, market):
    from batches.lots import services as lots
    from batches.subjects.identity import Identity
    from batches.subjects.services import enter_patient
    from tests.builders import floor

    number = next(floor._numbers)
    patient = enter_patient(by=lab.by("sam"), identity=Identity(f"Demo{number}", "Patient", "1970-01-01", f"H{number:05d}"))
    return lots.order_lot(
        by=lab.by("sam"), patient_id=patient.pk, recipe_version_id=lab.version.pk, market=market, cohort="low", treatment_centre="Demo hospital",
        physician_name="Dr Demo", physician_email="demo@hospital.example", dins=[floor.din(number)], demo=True,
    )  # fmt: skip


def test_without_a_specification_nothing_of_the_lot_is_written(lab, refused):
    from batches.lots.models import Lot

    with refused("no_specification"):
        ordered_in(lab, "JP")
    with lab.reading():
        assert not Lot.objects.filter(market="JP").exists()


def test_both_demo_specifications_fit_their_recipes(lab):
    from pathlib import Path
    from types import SimpleNamespace

    from batches.recipes.document.checks import check_recipe_text
    from quality.specifications.rules import check_fits_recipe

    root = Path(__file__).resolve().parents[3]
    for name in ("ari0001", "mb_cart20_1"):
        text = (root / f"quality/demo_data/specifications/{name}.yaml").read_text(encoding="utf-8")
        recipe = check_recipe_text((root / f"batches/demo_data/recipes/{name}.yaml").read_text(encoding="utf-8"))
        found = check_specification_text(text)
        check_fits_recipe(SimpleNamespace(text=text, label=found.version, specification=SimpleNamespace(code=found.code)), recipe)
        assert found.code == recipe.specification


# --- pages ------------------------------------------------------------------------------------------------------------


def test_the_pages_lead_from_import_to_force(lab):
    import re

    erin, quinn = signed_in(lab.users["erin"]), signed_in(lab.users["quinn"])
    assert erin.get("/specifications/").status_code == erin.get("/specifications/import/").status_code == 200
    bad = erin.post("/specifications/import/", {"text": NEXT.replace('unit: "%", min: 70', "min: 70")})
    assert bad.status_code == 422 and "criteria[1]" in bad.content.decode()
    to = erin.post("/specifications/import/", {"text": NEXT}).url
    assert to == "/specifications/FLOOR-REL/v/2.0/"
    assert erin.post(f"{to}submit/", {"seen": "1"}).status_code == 303
    assert quinn.get(to).status_code == 200
    intent = re.search(r'name="intent" value="([^"]+)"', quinn.get(f"{to}approve/").content.decode())[1]
    assert quinn.post(f"{to}approve/", {"intent": intent, "who": lab.users["quinn"].username, "secret": PASSWORD}).status_code == 303
    assert quinn.post(f"{to}make-effective/", {"seen": "3"}).status_code == 303
    page = quinn.get(to).content.decode()
    assert "In force" in page and "Quinn Demo" in page and "≥ 70 %" in page
    assert quinn.get(f"{to}text/").content.decode() == NEXT
    assert signed_in(lab.users["tess"]).get("/specifications/").status_code == 403


def test_a_version_can_be_given_back_on_its_page(lab):
    version = imported(lab)
    services.submit_specification(by=lab.by("erin"), version_id=version.pk, seen=version.version)
    answer = signed_in(lab.users["quinn"]).post("/specifications/FLOOR-REL/v/2.0/return/", {"seen": "2", "reason": "The limit is wrong."})
    assert answer.status_code == 303 and states(lab)["FLOOR-REL 2.0"] == "draft"


