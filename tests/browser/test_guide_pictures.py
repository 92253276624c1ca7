"""The guides in docs/guide: their examples are imported by the real checks, their pictures are there and can be taken anew.

The long test makes the product that the process engineer's page invents, from import to final certificate, and takes every picture on the
way from the real pages. Refresh the pictures with: python3 manage.py test --long tests/browser/test_guide_pictures.py
"""

from __future__ import annotations

import io
import re
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, sync_playwright

ROOT = Path(__file__).resolve().parents[2]
GUIDE = ROOT / "docs" / "guide"
PICTURES = GUIDE / "pictures"
LARGEST_PICTURE = 150_000
SIZE = {"width": 1280, "height": 800}
PICTURE = re.compile(r"!\[[^\]]+\]\(pictures/([\w-]+\.png)\)")
BLOCK = re.compile(r"^```yaml\n(.*?)^```$", re.MULTILINE | re.DOTALL)
LINK = re.compile(r"(?<!!)\[[^\]]+\]\(([^)#:]+\.md)(?:#[\w-]+)?\)")

pytestmark = pytest.mark.req("MBR-04", case="positive")


def pages() -> dict[str, str]:
    return {path.name: path.read_text(encoding="utf-8") for path in sorted(GUIDE.glob("*.md"))}


def examples() -> tuple[str, str]:
    """The whole recipe and the whole specification of the process engineer's page."""
    blocks = BLOCK.findall(pages()["process_engineer.md"])
    recipe = next(block for block in blocks if "\nstages:" in block and "\ncode:" in f"\n{block}")
    specification = next(block for block in blocks if "\ncriteria:" in block and "\ncode:" in f"\n{block}")
    return recipe, specification


def test_every_picture_a_guide_names_is_there_small_and_named_somewhere():
    named = {name for text in pages().values() for name in PICTURE.findall(text)}
    there = {path.name: path.stat().st_size for path in PICTURES.glob("*.png")}
    assert named, "no guide shows a picture"
    assert named == set(there), f"only named: {sorted(named - set(there))}; never named: {sorted(set(there) - named)}"
    assert all(0 < size < LARGEST_PICTURE for size in there.values()), {name: size for name, size in there.items() if size >= LARGEST_PICTURE}


def test_every_page_a_guide_links_to_is_there_and_the_index_names_every_guide():
    for name, text in pages().items():
        assert [target for target in LINK.findall(text) if not (GUIDE / target).exists()] == [], name
    index = pages()["README.md"]
    assert [name for name in pages() if name != "README.md" and f"({name})" not in index] == []


def test_every_yaml_block_of_the_guides_is_one_of_the_two_examples():
    # A block that nothing checks goes stale unseen.
    recipe, specification = examples()
    assert [block for text in pages().values() for block in BLOCK.findall(text)] == [recipe, specification]


def test_the_recipe_and_the_specification_of_the_guide_pass_the_checks_of_the_import():
    from batches.recipes.document.checks import Known, check_recipe_text
    from batches.recipes.document.checks.expressions import kinds_for
    from quality.specifications.document.checks import check_specification_text

    text, specification_text = examples()
    recipe = check_recipe_text(text)
    specification = check_specification_text(specification_text, kinds_for(recipe))
    codes = {criterion.code for criterion in specification.criteria}
    assert check_recipe_text(text, Known(specifications={specification.code: codes})) == recipe
    assert specification.product == recipe.product
    assert {criterion.sample for criterion in specification.criteria} == {sample.code for sample in recipe.samples}


@pytest.mark.req("MBR-04", case="negative")
def test_what_the_guide_calls_a_mistake_is_refused_with_its_line():
    from batches.recipes.document.checks import check_recipe_text
    from batches.recipes.document.problems import RecipeRefused

    with pytest.raises(RecipeRefused) as refused:
        check_recipe_text(without_a_unit(examples()[0]))
    told = [str(problem) for problem in refused.value.problems]
    assert any("'weight_kg' has no unit" in each for each in told), told


def without_a_unit(recipe: str) -> str:
    broken = recipe.replace("            unit: kg\n", "", 1)
    assert broken != recipe
    return broken


# --- the pictures -----------------------------------------------------------------------------------------------------


@dataclass
class Camera:
    """One browser; each person has their own signed-in page in it."""

    browser: Browser
    base: str
    cast: object
    folder: Path
    pages: dict[str, Page] = field(default_factory=dict)

    def page(self, username: str) -> Page:
        if username not in self.pages:
            person = self.cast[username]
            page = self.browser.new_context(viewport=SIZE, color_scheme="light").new_page()
            page.goto(f"{self.base}/sign-in/")
            page.fill("[name=username]", person.username)
            page.fill("[name=password]", person.password)
            page.click("button.primary")
            page.wait_for_url(f"{self.base}/")
            self.pages[username] = page
        return self.pages[username]

    def open(self, username: str, path: str) -> Page:
        page = self.page(username)
        page.goto(self.base + path)
        page.wait_for_load_state("networkidle")
        return page

    def take(self, name: str, username: str, path: str, act: Callable[[Page], None] = lambda page: None) -> Page:
        """A picture of a page after an act on it."""
        page = self.open(username, path)
        act(page)
        page.wait_for_load_state("networkidle")
        self.keep(name, page)
        return page

    def keep(self, name: str, page: Page) -> None:
        (self.folder / f"{name}.png").write_bytes(smaller(page.screenshot(animations="disabled")))


def smaller(png: bytes) -> bytes:
    """The same picture with a palette of 128 colours, where Pillow is there; else as it is."""
    try:
        from PIL import Image
    except ImportError:
        return png
    made = io.BytesIO()
    Image.open(io.BytesIO(png)).convert("RGB").quantize(128).save(made, "PNG", optimize=True)
    return min(png, made.getvalue(), key=len)


VALUES = {
    "subject_id": "{subject}", "weight_kg": "70.0", "cells_seeded": "1e8", "vector_titre": "1e8", "vector_volume": "5.0", "feed_volume": "100",
    "temperature": "37.0", "viability": "84.2", "car_concentration": "7.1e5", "harvest_volume": "100", "dose_bags": "1", "fill_volume": "98.0",
    "product_expiry": "{fill_end+48h}",
}  # fmt: skip
RESULTS = {"viability": "84.2", "appearance": "cloudy liquid", "dose": "1.01e6", "endotoxin": "<0.05", "sterility": "sterile"}
LOW = "68.4"


@pytest.fixture
def site(committed_db, tmp_path, monkeypatch) -> Iterator:
    from tests.builders.demo_site import running_site

    # Playwright's loop runs in this thread; Django then refuses the database although nothing here is asynchronous.
    monkeypatch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "1")
    with running_site(tmp_path, monkeypatch) as running:
        yield running


@pytest.fixture
def camera(site, tmp_path) -> Iterator[Camera]:
    chromium = shutil.which("chromium")
    assert chromium, "Chromium is missing: apt-get install chromium"
    folder = tmp_path / "pictures"
    folder.mkdir()
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        yield Camera(browser, site.base, site.cast, folder)
        browser.close()


@pytest.mark.long
def test_the_product_of_the_guide_is_made_to_its_final_certificate_and_its_pictures_are_taken(site, camera):
    """Run with --long to refresh the pictures of docs/guide."""
    put_into_effect(site, camera)
    prepare_the_floor(site, camera)
    work = make(site, camera)
    work_in_the_laboratory(work, site, camera)
    judge(work, site, camera)
    supply(work, site, camera)
    look_at_people(site, camera)
    assert work.judging.state() == "certified_final"
    for picture in camera.folder.glob("*.png"):
        shutil.copy(picture, PICTURES / picture.name)


def put_into_effect(site, camera: Camera) -> None:
    """Recipe and specification through their pages: a mistake first, then as they stand in the guide; another person approves."""
    recipe, specification = examples()
    page = camera.open("engineer", "/specifications/import/")
    page.fill("[name=text]", specification)
    page.click("main button.primary")
    page.get_by_role("button", name="Submit for approval").click()
    camera.keep("specification", page)
    specified = page.url.removeprefix(site.base)

    def paste(text: str) -> Callable[[Page], None]:
        def act(page: Page) -> None:
            page.fill("[name=text]", text)
            page.get_by_role("button", name="Check and import").click()

        return act

    camera.take("import-problems", "engineer", "/masters/import/", paste(without_a_unit(recipe)))
    page = camera.take("recipe", "engineer", "/masters/import/", paste(recipe))
    page.get_by_role("button", name="Submit for approval").click()
    imported = page.url.removeprefix(site.base)
    for address, picture, take_effect in ((specified, "", "Put into force"), (imported, "approve", "Put into effect")):
        page = camera.open("qareviewer2", address)
        page.get_by_role("link", name="Approve", exact=True).click()
        page.wait_for_selector("#sign-secret")
        if picture:
            camera.keep(picture, page)
        sign(page, site.cast["qareviewer2"])
        page.get_by_role("button", name=take_effect).click()
        page.wait_for_load_state("networkidle")
        assert "ffective" in page.inner_text("main") or "In force" in page.inner_text("main")


def sign(page: Page, person, *, floor: bool = False) -> None:
    """Type who and the secret into the signing dialog that is open, and sign."""
    if page.locator("#sign-who").count():
        page.fill("#sign-who", person.username)
    page.fill("#sign-secret", person.pin if floor else person.password)
    with page.expect_navigation():
        page.press("#sign-secret", "Enter")


def prepare_the_floor(site, camera: Camera) -> None:
    """Training, materials, equipment, for the roles whose task it is."""
    from ruamel.yaml import YAML

    from mes import clock
    from quality.demo import preparing

    recipe = YAML(typ="safe", pure=True).load(examples()[0])
    for person in site.cast.certifiers():
        person.enrol_authenticator(site.cast["supervisor"])
    preparing.train(site.cast)
    preparing.fill_store(site.cast, recipe["materials"], clock.record_now())
    preparing.register_equipment(site.cast, recipe["equipment_classes"], clock.record_now())
    operator = site.cast["operator"].get("/api/v1/me/")["id"]
    camera.take("training", "supervisor", f"/people/{operator}/")
    camera.take("materials", "supervisor", "/materials/")
    camera.take("equipment", "supervisor", "/equipment/")
    camera.take("order", "scheduler", "/lots/new/", fill_the_order)


def fill_the_order(page: Page) -> None:
    typed = {
        "family_name": "Demo-Guide", "given_name": "Made-up", "born": "1970-01-01", "hospital_number": "DEMO-GUIDE",
        "treatment_centre": "Demo treatment centre", "physician_name": "Demo Physician", "physician_email": "physician@demo.invalid",
        "dins": "X9999 26 000901 Z",
    }  # fmt: skip
    for name, text in typed.items():
        page.fill(f"[name={name}]", text)
    page.evaluate("window.scrollTo(0, 0)")


def make(site, camera: Camera):
    """The lot on the floor: made to the harvest, where one value is out of its limit and kept."""
    from mes import clock
    from quality.demo import people
    from quality.demo.lotwork import LotWork
    from quality.demo.ordering import Order
    from quality.demo.store import Store
    from quality.demo.values import LotData, Reported

    results = {code: Reported(code, value, "illustrative", "") for code, value in RESULTS.items()}
    results["sterility"] = Reported("sterility", "sterile", "illustrative", "", Reported("sterility", "no growth", "illustrative", "", None, 1))
    data = LotData("LUMA-7", dict(VALUES), results, {})
    order = Order("LUMA-7-A", "1.0", "", "Guide", "X999926000901")
    store = Store(site.cast["operator"])

    def story(ends: str, stops_after: str = "") -> LotWork:
        return LotWork(site.cast, store, order, data, clock.record_now, people.zone(), "guide", ends=ends, stops_after=stops_after)

    work = story("in_execution", "P4.1")
    site.run(work)
    camera.take("station", "operator", "/station/")
    number, floor = work.number, work.floor
    path = f"/lots/{number}/steps/P4.2/"
    page = camera.take("scan", "operator", path)
    page.evaluate("document.body.dataset.scanGap = 150")  # a busy machine types slower than a scanner
    page.keyboard.type(f"CTL:C:{floor.container('chamber')['identifier']}")
    page.keyboard.press("Enter")
    page.wait_for_selector("#in-viability")
    operator, api = site.cast["operator"], floor.path("P4.2")
    step = operator.get(api)
    wanted = [each for each in step["parameters"] if each["key"] in ("harvest_end", "car_concentration", "harvest_volume")]
    floor.record(operator, step, wanted)
    page = camera.take("step", "operator", path, lambda page: page.click("#in-viability"))
    page.fill("#in-viability", LOW)
    page.press("#in-viability", "Tab")
    page.wait_for_selector("#ways form")
    page.locator("#ways").scroll_into_view_if_needed()
    page.wait_for_load_state("networkidle")
    camera.keep("out-of-limit", page)
    page.locator("#ways label", has_text="and go on").click()
    page.fill("#ways textarea", "Counted twice, the same value")
    page.get_by_role("button", name="Record this choice").click()
    page.wait_for_selector("#ways form", state="hidden")
    page.wait_for_selector("#ways .id")  # what was chosen stays in sight, with the number of its deviation
    floor.fill(operator, operator.get(api))
    page = camera.open("operator", path)
    page.locator("#main-act a").click()
    page.wait_for_selector("#sign-secret")
    camera.keep("sign", page)
    sign(page, operator, floor=True)
    assert operator.get(api)["state"] == "performed"
    [deviation] = work.judging.deviations()
    work.judging.wait_for(lambda: work.judging._classified(deviation["number"]), "classifying")
    camera.take("floor", "supervisor", "/floor/")
    camera.take("alerts", "supervisor", "/alerts/")
    camera.take("lot", "scheduler", f"/lots/{number}/")
    made = story("in_qc")
    site.run(made)
    camera.take("labels", "operator", f"/lots/{number}/labels/")
    return made


def work_in_the_laboratory(work, site, camera: Camera) -> None:
    """Samples, results, the second person's review."""
    work.laboratory.receive_samples()
    camera.take("qc-list", "analyst", "/qc/")
    only = frozenset({"viability", "dose", "appearance"})
    work.laboratory.test(frozenset({"before_infusion"}), without=frozenset(RESULTS) - only)
    camera.take("results", "analyst", f"/lots/{work.number}/qc/?criterion=endotoxin", lambda page: page.fill("[name=value]", "< 0.05"))
    page = camera.open("qcreviewer", f"/lots/{work.number}/qc/?criterion=viability")
    page.get_by_role("link", name="Review and sign").click()
    page.wait_for_selector("#sign-secret")
    camera.keep("result-review", page)


def judge(work, site, camera: Camera) -> None:
    """Deviation, review by exception, the gate, stage 1."""
    [deviation] = work.judging.deviations()
    camera.take("deviation", "qareviewer", f"/deviations/{deviation['number']}/")
    work.ends = "in_review"
    site.run(work)
    camera.take("review", "qareviewer", f"/lots/{work.number}/review/")
    camera.take("release", "qp", f"/lots/{work.number}/release/")
    work.judging.review()
    work.judging.certify("stage_1")
    work.judging.certificates(1)
    camera.take("certificate", "qp", f"/lots/{work.number}/certificate/")


def supply(work, site, camera: Camera) -> None:
    """Dispatch, infusion, the late result, the final certificate."""
    camera.take("dispatch", "supervisor", f"/lots/{work.number}/dispatch/")
    camera.take("infusion", "centre", f"/lots/{work.number}/infusion/")
    work.ends = "final"
    site.run(work)
    work.judging.certificates(2)


def look_at_people(site, camera: Camera) -> None:
    operator = site.cast["operator2"].get("/api/v1/me/")["id"]
    camera.take("people", "admin", "/people/")
    camera.take("person", "admin", f"/people/{operator}/")
