"""The step on a tablet of 1280 by 800 with the longest step of the real process: what has to stay in place stays, files and sounds."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml
from playwright.sync_api import Browser, Page, sync_playwright

from tests.builders.server import serving
from tests.builders.staff import PASSWORD

PICTURES = os.environ.get("CARTULARY_PICTURES", "")
"""A folder to which the pages looked at are drawn, when it is given."""
REAL = Path(__file__).resolve().parents[2] / "batches/demo_data/recipes/mb_cart20_1.yaml"


def recipe_with_the_longest_step() -> str:
    """The floor's recipe with one more step: the values, the equipment and the files of the longest step of the real process."""
    from tests.builders.floor import RECIPE

    process = yaml.safe_load(REAL.read_text(encoding="utf-8"))
    longest = max((step for stage in process["stages"] for step in stage["steps"]), key=lambda step: len(step.get("parameters", [])))
    values = longest["parameters"]
    assert len(values) >= 11
    values.append({"key": "looked_at", "name": "Looked at", "type": "datetime"})
    own = {value["key"] for value in values}
    for value in values:
        if value["type"] == "calculated" and value["unit"] == "%":  # it compares with a step that is not here
            cells = next(key for key in own if key.startswith("cells_"))
            value |= {"expression": f"{cells} / {cells} * 100"}
            value.pop("examples", None)
        for band in value.get("limits", {}).values():
            band |= {"evidence": "illustrative"} if "evidence" in band else {}
            band.pop("evidence_source", None)
    recipe = yaml.safe_load(RECIPE)
    step = {name: longest[name] for name in ("title", "instruction", "day", "performed_by", "touches_material", "late_after", "attachments", "parameters")}
    stage = next(stage for stage in recipe["stages"] if stage["code"] == "A1")
    place = next(at for at, each in enumerate(stage["steps"]) if each["key"] == "A1.2")
    more = {"key": "A1.9", "equipment": ["counter", "incubator"], "second_person": "verify", "materials": [{"material": "medium", "quantity": 1}]}
    stage["steps"].insert(place, step | more | {"touches_material": "collection_bag"})
    return yaml.safe_dump(recipe, sort_keys=False, width=200)


@pytest.fixture
def tablet(committed_db, tmp_path, settings) -> Iterator[tuple[Browser, str, str]]:
    from tests.builders.floor import Floor

    settings.KEYS_FOLDER = tmp_path / "keys"
    floor = Floor("TAB", recipe_with_the_longest_step())
    lot = floor.order()
    floor.open(lot, "A0.1", "sam")
    floor.enter(lot, "A0.1", "sam", dose_cohort="low", weight_kg="70.0")
    floor.perform(lot, "A0.1", "sam")
    floor.second(lot, "A0.1", "sue", at="sam")
    floor.open(lot, "A1.1")
    floor.enter(lot, "A1.1", cleared="yes")
    floor.perform(lot, "A1.1")
    floor.second(lot, "A1.1")
    bag = floor.container(lot).identifier
    floor.equipment("counter")
    chromium = shutil.which("chromium")
    assert chromium, "Chromium is missing: apt-get install chromium"
    with serving(committed_db, tmp_path) as address, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        yield browser, f"{address}/lots/{lot.number}/steps/A1.9/", bag
        browser.close()


def sign_in(browser: Browser, url: str, name: str, scheme: str = "light") -> Page:
    page = browser.new_context(viewport={"width": 1280, "height": 800}, color_scheme=scheme).new_page()
    page.goto(url.partition("/lots/")[0] + "/sign-in/")
    page.fill("[name=username]", f"{name}.tab")
    page.fill("[name=password]", PASSWORD)
    page.click("button.primary")
    page.wait_for_url("**/")
    page.goto(url)
    return page


def draw(page: Page, name: str) -> None:
    if PICTURES:
        page.screenshot(path=str(Path(PICTURES) / f"{name}.png"))


def scan(page: Page, code: str) -> None:
    page.evaluate("document.body.dataset.scanGap = 150")  # a busy test machine types slower than a scanner
    page.keyboard.type(code)
    page.keyboard.press("Enter")


FIXED = {"lot band": ".lotband", "last key": "[data-key='0']", "main act": "#main-act", "first act": "footer.act .btn >> nth=0"}


def test_the_longest_step_keeps_band_keypad_and_signature_in_place_and_takes_files_and_scans(tablet):
    browser, url, bag = tablet
    page = sign_in(browser, url, "maya")
    broken, blocked = [], []
    page.on("pageerror", lambda error: broken.append(str(error)))
    page.on("console", lambda said: blocked.append(said.text) if "Content Security Policy" in said.text else None)
    scan(page, f"CTL:C:{bag}")
    page.wait_for_selector(".param")
    assert page.locator(".param").count() >= 11
    assert page.evaluate("document.documentElement.dataset.heard") == "taken"

    def places() -> dict[str, dict]:
        return {name: page.locator(selector).bounding_box() for name, selector in FIXED.items()}

    before = places()
    assert all(box and box["y"] >= 0 and box["y"] + box["height"] <= 800 for box in before.values()), before
    assert page.evaluate("[document.documentElement.scrollHeight, document.documentElement.scrollWidth]") == [800, 1280]
    draw(page, "step-long-top")
    page.evaluate("document.querySelector('main').scrollTo(0, 100000)")
    assert page.evaluate("document.querySelector('main').scrollTop") > 0
    assert places() == before
    draw(page, "step-long-bottom")
    main = page.locator("main").bounding_box()
    for field in page.locator(".param input.input:not([readonly])").all():
        field.focus()
        box = field.bounding_box()
        assert main["y"] <= box["y"] and box["y"] + box["height"] <= main["y"] + main["height"]

    assert page.get_by_text("Alert below 90").is_visible() and page.get_by_text("Alert above 1").first.is_visible()

    # the acts of the bar are told by words, each with a mark of its own
    assert page.locator("footer.act").get_by_role("link", name="Stop step").is_visible()
    assert page.locator("footer.act").get_by_role("link", name="Hold lot").is_visible()
    marks = page.locator("footer.act > a.btn:not(.primary) svg").evaluate_all("marks => marks.map(mark => mark.innerHTML)")
    assert len(marks) == len(set(marks)) >= 2

    # a file is chosen with our own button, by keyboard too, and its name shows
    chooser = page.get_by_label("Choose file")
    chooser.focus()
    assert page.locator("[data-file] label .btn").evaluate("button => getComputedStyle(button).outlineStyle") == "solid"
    assert page.get_by_text("No file chosen yet").is_visible()
    chooser.set_input_files({"name": "flow-report.csv", "mimeType": "text/csv", "buffer": b"1"})
    assert page.get_by_text("flow-report.csv").is_visible()
    draw(page, "step-long-file")

    # "Now" writes the site's time, leaving the field records it, and what was recorded stands there
    now = page.locator("button[data-now]")
    moment = page.locator("#in-looked_at")
    now.click()
    assert moment.input_value()
    with page.expect_response(lambda answer: "/values/" in answer.url) as recorded:
        page.locator("h1").click()
    assert recorded.value.ok
    now.wait_for(state="detached")
    assert moment.get_attribute("readonly") is not None and moment.input_value() == moment.get_attribute("value") != ""

    # three sounds, and a switch that the station keeps
    heard = "document.documentElement.dataset.heard"
    scan(page, f"CTL:C:{bag}")
    page.wait_for_selector("html[data-heard=wrong]")
    for said in ("taken", "wrong", "unknown"):
        page.evaluate(f"document.dispatchEvent(new CustomEvent('scan-heard', {{ detail: '{said}' }}))")
        assert page.evaluate(heard) == said
    switch = page.get_by_role("button", name="Sound of scans")
    assert switch.get_attribute("aria-pressed") == "true"
    switch.click()
    page.reload()
    assert switch.get_attribute("aria-pressed") == "false" and page.evaluate("localStorage.getItem('sound')") == "off"
    page.evaluate("document.dispatchEvent(new CustomEvent('scan-heard', { detail: 'wrong' }))")
    page.emulate_media(color_scheme="dark")
    draw(page, "step-long-dark")
    assert (broken, blocked) == ([], [])
