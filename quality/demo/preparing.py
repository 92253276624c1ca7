"""What a site needs before its first lot, done over HTTP by the people whose task it is: recipes, specifications, training, store, equipment.

Everything looks first at what is there, so that a start that was interrupted goes on where it stopped.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable
from pathlib import Path

from ruamel.yaml import YAML

from mes.people.models import Site
from quality.demo import clock
from quality.demo.cast import Cast
from quality.demo.client import Person
from quality.demo.enabling import enable_signing
from quality.demo.progress import Progress
from quality.demo.store import everything

ROOT = Path(__file__).resolve().parent.parent.parent
RECIPES = ROOT / "batches" / "demo_data" / "recipes"
SPECIFICATIONS = ROOT / "quality" / "demo_data" / "specifications"
PAST = dt.timedelta(days=62)
"""How far before the present the demo begins: its longest lot ends with a result of 28 days."""
PIECES = {"prodigy": 8}
"""How many pieces of a class stand on the floor, where it is more than one. A device of this class holds one lot at a time."""
AMOUNT = "500"
AUTHOR, APPROVER = "engineer", "qareviewer2"


def begin_in_the_past() -> None:
    """Before anything is recorded: set the demo's record clock back, so that its lots end about now."""
    if not Site.objects.exists():
        clock.set_back(PAST)


def prepare(cast: Cast, progress: Progress, now: Callable[[], dt.datetime], *, products: tuple[str, ...] = ("ari0001", "mb_cart20_1")) -> None:
    """Everything before the first order, for the recipes of these products."""
    recipes = [(RECIPES / f"{product}.yaml").read_text(encoding="utf-8") for product in products]
    specifications = [(SPECIFICATIONS / f"{product}.yaml").read_text(encoding="utf-8") for product in products]
    progress.begin("Preparing the site", 6)
    progress.step("people who sign")
    enable_signing(cast)
    progress.step("authenticators")
    for person in cast.certifiers():
        person.enrol_authenticator(cast["supervisor"])
    progress.step("specifications and recipes")
    for text in specifications:
        put_specification_into_effect(cast, text)
    for text in recipes:
        put_recipe_into_effect(cast, text)
    progress.step("training")
    train(cast)
    progress.step("materials")
    read = [YAML(typ="safe", pure=True).load(text) for text in recipes]
    fill_store(cast, [line for recipe in read for line in recipe["materials"]], now())
    progress.step("equipment")
    register_equipment(cast, [line for recipe in read for line in recipe["equipment_classes"]], now())
    progress.done("The site is prepared: recipes, specifications, training, materials, equipment")


# --- recipes and specifications ---------------------------------------------------------------------------------------


def put_recipe_into_effect(cast: Cast, text: str) -> None:
    """Import, submit, approve by another person, make effective."""
    head = YAML(typ="safe", pure=True).load(text)
    author, approver = cast[AUTHOR], cast[APPROVER]
    known = {(each["recipe"], each["label"]): each for each in author.get("/api/v1/recipes/")}
    version = known.get((head["code"], head["version"])) or author.post("/api/v1/recipes/", {"text": text})
    path = f"/api/v1/recipes/{version['recipe']}/{version['label']}/"
    if version["state"] == "draft":
        version = author.post(f"{path}submit/", {"seen": version["version"]})
    if version["state"] == "in_review":
        approver.sign(f"{path}approve/sign/")
        version = approver.get(path)
    if version["state"] == "approved":
        approver.post(f"{path}effective/", {"seen": version["version"]})


def put_specification_into_effect(cast: Cast, text: str) -> None:
    """The same for a specification."""
    head = YAML(typ="safe", pure=True).load(text)
    author, approver = cast[AUTHOR], cast[APPROVER]
    known = {(each["code"], each["label"]): each for each in author.get("/api/v1/specifications/")}
    version = known.get((head["code"], head["version"])) or author.post("/api/v1/specifications/", {"text": text})
    path = f"/api/v1/specifications/{version['id']}/"
    if version["state"] == "draft":
        version = author.post(f"{path}submit/", {"version": version["record_version"]})
    if version["state"] == "in_review":
        approver.sign(f"{path}approve/")
        version = approver.get(path)
    if version["state"] == "approved":
        approver.post(f"{path}make-effective/", {"version": version["record_version"]})


# --- training ---------------------------------------------------------------------------------------------------------


def train(cast: Cast) -> None:
    """The supervisor records, on the page of each person, that they are trained for every recipe; another supervisor does it for them."""
    for username in cast.trained():
        trainer = cast["supervisor2" if username == "supervisor" else "supervisor"]
        address = f"/people/{cast[username].get('/api/v1/me/')['id']}/"
        page = trainer.page(address)
        for subject, title in re.findall(r'<option value="(recipe_version:[0-9a-f-]+)"[^>]*>([^<]+)</option>', page):
            if f">{title}<" not in page.replace(f'<option value="{subject}">{title}</option>', ""):
                trainer.submit(f"{address}training/", {"subject": subject, "title": "", "until": ""})


# --- store and floor --------------------------------------------------------------------------------------------------


def fill_store(cast: Cast, lines: list[dict], now: dt.datetime) -> None:
    """Receive one lot of each material and let quality release it."""
    receiver, quality = cast["receiver"], cast[APPROVER]
    known = {each["code"] for each in receiver.get("/api/v1/materials/")}
    lots = {each["material"]: each for each in everything(receiver, "/api/v1/material-lots/")}
    for line in lines:
        code = line["code"]
        if code not in known:
            receiver.post("/api/v1/materials/", {name: line[name] for name in ("code", "name", "unit", "role")})
            known.add(code)
        if code not in lots:
            body = {
                "material": code, "number": f"DEMO-{code.upper().replace('_', '-')}-1", "supplier": "Demo supplier", "quantity": AMOUNT, "unit": line["unit"],
                "expires_at": (now + dt.timedelta(days=400)).isoformat(),
            }  # fmt: skip
            lots[code] = receiver.post("/api/v1/material-lots/", body)
        if lots[code]["state"] == "quarantine":
            quality.sign(f"/api/v1/material-lots/{lots[code]['id']}/release/sign/")
            lots[code]["state"] = "released"


def register_equipment(cast: Cast, lines: list[dict], now: dt.datetime) -> None:
    """Register what stands on the floor; a device that holds cells is not shared."""
    person: Person = cast["supervisor"]
    known = {each["code"] for each in person.get("/api/v1/equipment-classes/")}
    pieces = {each["code"] for each in everything(person, "/api/v1/equipment/")}
    for line in lines:
        if line["code"] not in known:
            person.post("/api/v1/equipment-classes/", {"code": line["code"], "name": line["name"]})
            known.add(line["code"])
        for number in range(1, PIECES.get(line["code"], 1) + 1):
            code = f"DEMO-{line['code'].upper().replace('_', '-')}-{number}"
            if code in pieces:
                continue
            body = {
                "equipment_class": line["code"], "code": code, "name": f"{line['name']} {number}", "serial": f"SN-{number:04d}",
                "shared": line["code"] not in PIECES, "calibrated_until": (now + dt.timedelta(days=400)).isoformat(),
            }  # fmt: skip
            person.post("/api/v1/equipment/", body)
            pieces.add(code)
