"""Lots, labels, materials and equipment in a real browser: axe in both themes, no blocked script, and the order by keyboard.

With CARTULARY_PICTURES=<folder> each page is also kept as a picture, to be looked at.
"""

import os
import shutil
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, sync_playwright

from batches.custody import services as custody
from batches.equipment import services as equipment
from batches.equipment.models import EquipmentUse
from batches.events import Event
from batches.lots import queries
from batches.lots import services as lots
from batches.materials import services as materials
from batches.materials.models import Consumption
from batches.readings import services as readings
from mes.records import door
from mes.records.context import site_context
from mes.records.door import service
from tests.builders.registers import din, open_world
from tests.builders.server import serving, settled
from tests.builders.staff import PASSWORD

RULES = {"runOnly": ["wcag2a", "wcag2aa", "wcag21aa", "wcag22aa", "best-practice"]}


def furnish(world) -> dict[str, str]:
    """A site with lots in several states, and registers with every standing; returns the addresses of its pages."""
    first = world.started(physician_name="Dr A. Example", treatment_centre="University clinic, ward 3")
    second = world.order(world.patient(family="Andersson", number="HN-2"), dins=[din(2), din(3)])
    third = world.started(patient=world.patient(family="Bergman", number="HN-3"), dins=[din(4)])
    medium = world.released(world.material_lot(world.material(), number="MED-24-118", quantity="12"))
    beads = world.released(world.material_lot(world.material("cd4_beads", "vials", "CD4 microbeads"), number="B77", quantity="4", days=12))
    world.material_lot(world.material("vector", "vials", "Lentiviral vector CD19 CAR"), number="LV-0031", quantity="2")
    world.material_lot(world.material("saline", "bags", "Saline, 500 mL bag"), number="S-9", quantity="20", days=-3)
    blocked = world.released(world.material_lot(world.material("hsa", "pieces", "Human serum albumin"), number="HSA-5", quantity="6"))
    prodigy, counter = world.equipment("PRO-1"), world.equipment("CNT-1", class_code="cell_counter", shared=True)
    world.equipment("PRO-2", days=-2)
    world.equipment("BSC-1", class_code="bsc", days=9)
    bench = world.equipment("BSC-2", class_code="bsc")
    equipment.change_state(by=world.by("sue"), equipment_id=bench.pk, seen=1, state="out_of_service", reason="Airflow alarm.")
    readings.define_channel(by=world.by("sue"), equipment_id=counter.pk, code="viable", unit="10^6 cells/mL")
    run = world.step(first, 3)

    @service(Event.MATERIAL_CONSUMED)
    def work(*, by):
        for stock, quantity in ((medium, "2"), (beads, "1"), (blocked, "1")):
            Consumption(
                lot=first, step_run=run, material_lot=stock, line=stock.material.code, quantity=quantity, quantity_text=quantity, unit=stock.unit,
                scanned=stock.identifier,
            ).save()  # fmt: skip
        use = EquipmentUse(lot=first, step_run=run, equipment=prodigy, class_code="prodigy", calibrated_until=prodigy.calibrated_until)
        use.save()
        return use

    work(by=world.by("olga"))
    equipment.occupy(by=world.by("olga"), equipment=prodigy, lot=first, step_run=run)
    chamber = lots.make_container(by=world.by("olga"), lot_id=first.pk, code="chamber")
    label = custody.print_label(by=world.by("olga"), container_id=chamber.pk)
    custody.use_label(by=world.by("olga"), label_id=label.pk, seen=1, scanned_label=f"CTL:C:{chamber.identifier}", scanned_container=f"CTL:D:{din()}")
    custody.print_label(by=world.by("olga"), container_id=chamber.pk, reason="Printer jam.")
    world.held(third, reason="The seal of the bag is in doubt.")
    # Last: a lot that used blocked material is held
    materials.block_lot(by=world.by("rita"), material_lot_id=blocked.pk, seen=blocked.version, reason="Complaint by the maker.")
    with site_context(world.site.pk):
        donation = queries.donations_of(second)[0]
    return {
        "lots": "/lots/", "order": "/lots/new/", "lot": f"/lots/{first.number}/", "ordered": f"/lots/{second.number}/", "held": f"/lots/{third.number}/",
        "donation": f"/lots/{second.number}/donations/{donation.din}/", "labels": f"/lots/{first.number}/labels/",
        "hold": f"/lots/{first.number}/hold/", "terminate": f"/lots/{first.number}/terminate/",
        "hand-over": f"/lots/{first.number}/containers/{chamber.pk}/hand-over/at_manufacture/",
        "materials": "/materials/", "material-lot": f"/materials/lots/{medium.pk}/", "receive": "/materials/receive/",
        "blocked": f"/materials/lots/{blocked.pk}/",
        "equipment": "/equipment/", "device": f"/equipment/{prodigy.pk}/", "calibrate": f"/equipment/{prodigy.pk}/calibrate/",
        "counter": f"/equipment/{counter.pk}/",
    }  # fmt: skip


WHO = {"order": "sam", "ordered": "sam", "receive": "rita", "blocked": "rita", "hand-over": "rita", "donation": "nora", "materials": "rita"}


@pytest.fixture
def room(committed_db, tmp_path, monkeypatch):
    own = {event: [each for each in known if not each.__module__.startswith("quality.")] for event, known in door._receivers.items()}
    monkeypatch.setattr(door, "_receivers", own)
    world = open_world()
    addresses = furnish(world)
    for name in ("sue", *WHO.values()):
        world.by(name)
    chromium = shutil.which("chromium")
    assert chromium, "Chromium is missing: apt-get install chromium"
    with serving(committed_db, tmp_path) as address, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        yield browser, address, addresses
        browser.close()


def sign_in(browser, address: str, name: str) -> Page:
    page = browser.new_context(viewport={"width": 1280, "height": 800}).new_page()
    page.goto(f"{address}/sign-in/")
    page.fill("[name=username]", f"{name}.utr")
    page.fill("[name=password]", PASSWORD)
    page.click("button.primary")
    page.wait_for_url(f"{address}/")
    return page


def test_no_page_on_lots_and_registers_has_an_axe_finding_or_a_blocked_script(room):
    browser, address, addresses = room
    pictures = os.environ.get("CARTULARY_PICTURES")
    people, blocked, found = {}, [], []
    for name, url in addresses.items():
        who = WHO.get(name, "sue")
        if who not in people:
            people[who] = sign_in(browser, address, who)
            people[who].on("console", lambda said: blocked.append(said.text) if "Content Security Policy" in said.text else None)
        page = people[who]
        answer = page.goto(address + url)
        assert answer.status == 200, f"{url}: {answer.status}"
        settled(page)
        for scheme in ("light", "dark"):
            page.emulate_media(color_scheme=scheme)
            result = Axe().run(page, options=RULES)
            if result.violations_count:
                found.append(f"{name}, {scheme}\n{result.generate_report()}")
            if pictures:
                page.screenshot(path=str(Path(pictures) / f"{name}-{scheme}.png"), full_page=True)
    assert blocked == []
    assert not found, "\n".join(found)


def test_a_scan_fills_the_field_that_waits_and_leads_nowhere_else(room):
    browser, address, addresses = room
    page = sign_in(browser, address, "nora")
    page.goto(address + addresses["donation"])
    page.keyboard.type("=G12349800000242")
    page.keyboard.press("Enter")
    assert page.input_value("[name=scanned]") == "=G12349800000242"
    scanned = "const form = document.querySelector('[name=scanned]').form; form.addEventListener('submit', e => e.preventDefault()); form.requestSubmit();"
    page.evaluate(f"() => {{ {scanned} }}")
    assert page.locator("form [name=by_scanner]").input_value() == "scanned"
    page.fill("[name=scanned]", "=G12349800000243")
    page.evaluate(f"() => {{ {scanned} }}")
    assert page.locator("form [name=by_scanner]").input_value() == ""
    assert page.url == address + addresses["donation"]
