import json

import pytest

from batches.lots import queries
from batches.lots.models import Lot
from mes.records.context import site_context
from mes.records.models import SecurityEvent
from mes.signatures.models import Signature
from tests.builders.registers import CENTRE, din, fresh
from tests.builders.staff import PASSWORD, PIN, signed_in


@pytest.fixture
def browser(world):
    """A browser of a person by name."""

    def open_for(name):
        world.by(name)
        return signed_in(world.users[name])

    return open_for


ORDER = {"family_name": "Canarybird", "given_name": "Tweety", "born": "1961-04-23", "hospital_number": "HN-778899", "market": "EU", "cohort": ""} | CENTRE


def order(world, client, **change):
    return client.post("/lots/new/", ORDER | {"recipe": str(world.version().pk), "dins": din()} | change)


def signed(client, url, who, secret, **more):
    """Open a signing page and sign on it."""
    page = client.get(url)
    assert page.status_code == 200, page.content.decode()[:3000]
    intent = page.content.decode().split('name="intent" value="')[1].split('"')[0]
    return client.post(url, {"intent": intent, "who": who, "secret": secret} | more)


def test_a_scheduler_orders_a_lot_and_sees_its_overview_without_the_patient(world, browser):
    client = browser("sam")
    answer = order(world, client)
    assert answer.status_code == 303, answer.content.decode()[-3000:]
    assert answer["Location"] == "/lots/UTR-26-0001/"
    text = client.get(answer["Location"]).content.decode()
    with site_context(world.site.pk):
        lot = queries.lot_by_number("UTR-26-0001")
    for words in (lot.check_code, lot.therapy_event.coi, lot.therapy_event.patient.pseudonym, "G123498654321", "Leukapheresis bag", "Order and identity"):
        assert words in text
    assert "Canarybird" not in text and "778899" not in text
    assert lot.recipe_version.master.product_name in text
    listed = client.get("/lots/").content.decode()
    assert lot.recipe_version.master.product_name in listed and f">{lot.product}<" not in listed + text, "a product is called by its name"
    assert "UTR-26-0001" in listed and "Canarybird" not in listed


@pytest.mark.req("COI-01", case="negative")
def test_a_refused_order_shows_the_sentence_and_keeps_what_was_typed(world, browser):
    client = browser("sam")
    order(world, client)
    answer = order(world, client, family_name="Andersson", hospital_number="HN-2")
    text = answer.content.decode()
    assert answer.status_code == 409 and "belongs to another patient" in text and 'value="Andersson"' in text
    with site_context(world.site.pk):
        assert Lot.objects.count() == 1
        assert not SecurityEvent.objects.filter(sentence__contains="Andersson").exists()


def test_an_order_with_empty_fields_names_them(world, browser):
    answer = order(world, browser("sam"), treatment_centre="", dins="")
    assert answer.status_code == 422 and "treatment_centre" in answer.content.decode()


def test_an_operator_neither_sees_nor_sends_the_order_form(world, browser):
    client = browser("olga")
    assert client.get("/lots/new/").status_code == 403
    assert order(world, client).status_code == 403


def test_a_donation_goes_from_the_bag_to_the_decision_on_the_pages(world, browser):
    sam, url = browser("sam"), "/lots/UTR-26-0001/donations/G123498654321/"
    order(world, sam)
    nora, rita, quinn = browser("nora"), browser("rita"), browser("quinn")
    wrong = nora.post(url, {"act": "collect", "seen": "1", "scanned": din(2)})
    assert wrong.status_code == 409 and "is needed" in wrong.content.decode()
    by_hand = {"scanned": f"CTL:D:{din()[:13]}"}
    assert nora.post(url, {"act": "collect", "seen": "1"} | by_hand)["X-Refusal"] == "typed_alone"
    scanned = by_hand | {"by_scanner": "scanned"}
    assert nora.post(url, {"act": "collect", "seen": "1"} | scanned).status_code == 303
    stale = rita.post(url, {"act": "receive", "seen": "1"} | scanned)
    assert stale.status_code == 409 and "Somebody changed this" in stale.content.decode()
    assert rita.post(url, {"act": "receive", "seen": "2"} | scanned).status_code == 303
    done = signed(quinn, f"{url}accept/", "quinn.utr", PASSWORD)
    assert done.status_code == 303, done.content.decode()[-3000:]
    assert "Accepted" in quinn.get(url).content.decode()
    assert "Accepted as starting material" in quinn.get("/lots/UTR-26-0001/").content.decode()
    assert rita.get(f"{url}accept/").status_code == 403


@pytest.mark.req("SIG-06", case="positive")
def test_a_hold_is_placed_and_ended_on_the_pages(world, browser):
    lot = world.started()
    olga, sue = browser("olga"), browser("sue")
    assert signed(olga, f"/lots/{lot.number}/hold/", "olga.utr", PIN).status_code == 422  # no reason
    assert signed(olga, f"/lots/{lot.number}/hold/", "olga.utr", PIN, reason="Label in doubt.").status_code == 303
    text = olga.get(f"/lots/{lot.number}/").content.decode()
    assert "On hold" in text and "Label in doubt." in text
    assert signed(sue, f"/lots/{lot.number}/resume/", "sue.utr", PASSWORD, reason="Compared again.").status_code == 303
    assert sue.get(f"/lots/{lot.number}/resume/").status_code == 404
    assert reasons(world, "placed_on_hold", "resumed") == ["Label in doubt.", "Compared again."]


def reasons(world, *meanings) -> list[str]:
    """The reason in the signed bytes of the newest signature of each of these meanings."""
    with site_context(world.site.pk):
        made = [Signature.objects.select_related("payload").filter(meaning=each).latest("recorded_at") for each in meanings]
        return [json.loads(bytes(each.payload.content))["content"]["reason"] for each in made]


def test_a_lot_is_terminated_with_a_code_from_the_list(world, browser):
    lot = world.started()
    sue = browser("sue")
    assert "Too few cells to go on" in sue.get(f"/lots/{lot.number}/terminate/").content.decode()
    assert sue.get(f"/lots/{lot.number}/terminate/no_idea/").status_code == 404
    done = signed(sue, f"/lots/{lot.number}/terminate/too_few_cells/", "sue.utr", PASSWORD, reason="A tenth came.")
    assert done.status_code == 303
    with site_context(world.site.pk):
        assert fresh(lot).end_reason_code == "too_few_cells"
    assert reasons(world, "terminated") == ["A tenth came."]


def test_an_order_is_cancelled_on_the_page(world, browser):
    sam = browser("sam")
    order(world, sam)
    assert sam.post("/lots/UTR-26-0001/cancel/", {"seen": "1", "reason": "Not fit."}).status_code == 303
    assert "Cancelled before use" in sam.get("/lots/?show=ended").content.decode()


def test_a_scan_of_anything_of_a_lot_leads_to_it(world, browser):
    lot = world.order()
    with site_context(world.site.pk):
        bag = queries.containers_of(lot)[0]
        coi = queries.lot(lot.pk).therapy_event.coi
    client = browser("olga")
    for code in (lot.number, lot.check_code, f"CTL:C:{bag.identifier}", din(), coi):
        assert client.get("/go/", {"code": code})["Location"].startswith(f"/lots/{lot.number}/")  # or the step that waits for it
    assert client.get("/go/", {"code": "CN-XX-nothing"}).status_code == 404


def test_the_course_says_in_a_sentence_what_cannot_be_drawn_yet(world, browser):
    client = browser("sam")
    order(world, client)
    page = client.get("/lots/UTR-26-0001/").content.decode()
    assert "No step was opened yet. The stages stand where the recipe plans them." in page
    assert "5 ×10<sup>5</sup> CAR19+ cells/kg" in page and ">least<" not in page, "a cohort is said by its target"
    client.post("/lots/UTR-26-0001/cancel/", {"seen": fresh_version(world), "reason": "The patient withdrew"})
    page = client.get("/lots/UTR-26-0001/").content.decode()
    assert "The lot ended before a step was opened: there is no course to draw." in page and 'aria-label="Timeline"' not in page


def fresh_version(world) -> str:
    with site_context(world.site.pk):
        return str(queries.lot_by_number("UTR-26-0001").version)


def test_an_unknown_lot_is_not_found(world, browser):
    assert browser("olga").get("/lots/UTR-26-9999/").status_code == 404
