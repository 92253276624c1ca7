"""Master recipes at the desk: import with every problem named, read, compare, approve, put into effect."""

from __future__ import annotations

from django import forms as django_forms
from django.http import HttpResponse
from django.urls import reverse

from batches.permissions import Permission
from batches.recipes import outside, queries, services, wording
from batches.recipes.bounds import bounds_text
from batches.recipes.document.planning import planned_entries, planned_steps
from batches.recipes.document.schema import LIMIT_NAMES, Parameter, Recipe
from batches.recipes.expressions import in_names
from batches.recipes.forms import ImportForm
from batches.recipes.models import RecipeVersion
from batches.recipes.rules import check_can_approve_recipe
from mes.clock import moment_words
from mes.errors import RuleBroken, StaleRecord, UnreadableInput
from mes.people.models import User
from mes.records.context import site_context
from mes.signatures.pages import SigningPage
from mes.web.pages import Page

STATES = {
    "draft": ("", "Draft"),
    "in_review": ("warn", "In review"),
    "approved": ("warn", "Approved, not in effect"),
    "effective": ("", "Effective"),
    "superseded": ("", "Superseded"),
    "withdrawn": ("", "Withdrawn"),
}
READERS = (Permission.READ_LOTS, Permission.AUTHOR_RECIPES, Permission.APPROVE_RECIPES)


def version_url(version: RecipeVersion) -> str:
    return reverse("batches:recipes:version", kwargs={"code": version.master.code, "label": version.label})


class MastersPage(Page):
    """Every master recipe and its versions."""

    permission = READERS
    template_name = "batches/recipes/list.html"
    title = "Master recipes"

    def read(self) -> dict:
        rows = [self.row(version) for master in queries.masters() for version in master["versions"]]
        return {
            "heading": "Master recipes",
            "lead": "A lot keeps the version it was started with. Only an effective version starts a lot.",
            "caption": "Master recipes and their versions",
            "columns": ["Recipe", "Version", "State", "Product", "Author", "Effective from"],
            "rows": rows,
            "table_id": "masters",
            "empty_title": "No recipe is here yet.",
            "empty_text": "Import one as text.",
            "may_import": str(Permission.AUTHOR_RECIPES) in self.request.rights,
        }

    def row(self, version: RecipeVersion) -> dict:
        state, word = STATES[version.state]
        since = moment_words(version.effective_from, self.request.site.time_zone) if version.effective_from else "–"
        return {
            "url": version_url(version),
            "cells": [
                {"text": version.master.name, "sub": version.master.code + (" · demo" if version.demo else "")},
                {"text": version.label, "mono": True},
                {"word": word, "state": state},
                {"text": version.master.product_name, "sub": version.master.product},
                {"text": version.author.full_name},
                {"text": since},
            ],
        }


class ImportPage(Page):
    """Import a recipe from text: every problem with its line and field, and the text stays."""

    permission = Permission.AUTHOR_RECIPES
    template_name = "batches/recipes/import.html"
    title = "Import a recipe"
    problems: tuple = ()
    form: ImportForm | None = None

    def read(self) -> dict:
        return {"form": self.form or ImportForm(), "problems": self.problems}

    def post(self, request) -> HttpResponse:
        self.form = ImportForm(request.POST, request.FILES)
        try:
            if not self.form.is_valid():
                return self.show(status=422)
            text = self.form.written()
        except django_forms.ValidationError as error:
            raise UnreadableInput("recipe_missing", error.messages[0], field="text") from None
        # The text of a file is shown too: what is mended is mended on the page.
        self.form = ImportForm(initial={"text": text})
        try:
            version = self.do(services.import_recipe, text=text)
        except RuleBroken as broken:
            self.problems = tuple(broken.detail.get("problems", ()))
            raise
        with self.context():
            url = version_url(queries.version_by_id(version.pk))
        self.say(f"{version.label} was taken in as a draft. Read it, then submit it for approval.")
        return self.done(url)

    def context(self):
        return site_context(self.by.site_id)


class VersionPage(Page):
    """One version, readable; the acts that are open to the reader."""

    permission = READERS
    template_name = "batches/recipes/version.html"

    @property
    def title(self) -> str:
        return f"{self.kwargs['code']} {self.kwargs['label']}"

    def read(self, code: str, label: str) -> dict:
        version = queries.version_named(code, label)
        recipe = queries.document(version)
        state, word = STATES[version.state]
        rights = self.request.rights
        others = [each for each in queries.versions_of(version.master) if each.pk != version.pk]
        return {
            "heading": recipe.name,
            "lead": f"{recipe.code}, version {version.label}, for {recipe.product}",
            "status_state": state,
            "status_word": word,
            "version": version,
            "recipe": recipe,
            "pairs": self.pairs(version, recipe),
            "stages": [self.stage(recipe, stage) for stage in recipe.stages],
            "samples": self.samples(recipe),
            "limits_of_time": [
                {
                    "it": each, "starts": wording.event_words(recipe, each.starts), "ends": wording.event_words(recipe, each.ends),
                    "evidence": wording.evidence_words(each.evidence, each.evidence_source),
                }
                for each in recipe.time_limits
            ],
            "approvals": queries.approvals_of(version),
            "others": [{"label": each.label, "url": f"{version_url(version)}against/{each.label}/"} for each in others],
            "may_author": str(Permission.AUTHOR_RECIPES) in rights,
            "may_approve": str(Permission.APPROVE_RECIPES) in rights,
        }

    def pairs(self, version: RecipeVersion, recipe: Recipe) -> list[dict]:
        dose = recipe.dose
        return [
            {"k": "Specification", "v": recipe.specification},
            {"k": "Steps of a lot", "v": str(len(planned_steps(recipe)))},
            {"k": "Entries of a lot", "v": str(planned_entries(recipe))},
            {"k": "Dose", "v": "; ".join(wording.cohort_words(dose, each.code) for each in dose.cohorts), "limits": True},
            {"k": "Basis of the dose", "v": f"{dose.basis} ({wording.evidence_words(dose.evidence, dose.evidence_source)})", "limits": True},
            {"k": "Shelf life", "v": f"{recipe.shelf_life.span}, {recipe.shelf_life.storage} ({recipe.shelf_life.evidence})"},
            {"k": "Author", "v": version.author.full_name},
            {"k": "SHA-256 of the text", "v": version.digest, "mono": True},
        ]

    def stage(self, recipe: Recipe, stage) -> dict:
        materials = {each.code: each for each in recipe.materials}
        classes = {each.code: each.name for each in recipe.equipment_classes}
        containers = {each.code: each.title for each in recipe.containers}
        names = recipe.parameter_names()
        return {"stage": stage, "steps": [self.step(step, materials, classes, names) | self.place(step, containers) for step in stage.steps]}

    def samples(self, recipe: Recipe) -> list[dict]:
        names = outside.criteria_of(recipe.specification) if recipe.samples else {}
        return [{"it": each, "tests": wording.words_of_tests(each, names)} for each in recipe.samples]

    def place(self, step, containers: dict) -> dict:
        """What a step opens on, and what its answers do."""
        options = step.decision.options if step.decision else ()
        return {
            "opens_on": containers.get(step.touches_material, ""),
            "answers": [f"{each.title} ({wording.CONSEQUENCES[each.consequence]})" for each in options],
        }

    def step(self, step, materials: dict, classes: dict, names: dict) -> dict:
        return {
            "step": step,
            "role": step.performed_by.replace("_", " "),
            "second": {"verify": "checked by a second person", "witness": "watched by a second person"}.get(step.second_person, ""),
            "equipment": ", ".join(classes[code] for code in step.equipment),
            "materials": [
                f"{materials[line.material].name}{f', {line.quantity:f} {line.unit or materials[line.material].unit}' if line.quantity is not None else ''}"
                for line in step.materials
            ],
            "values": [
                {
                    "p": each, "formula": in_names(each.expression or "", names), "limits": limits_of(each), "type": wording.TYPES[each.type],
                    "source": wording.SOURCES[each.source], "evidence": wording.evidence_words(each.evidence, each.evidence_source),
                }
                for each in step.parameters
            ],
        }


def limits_of(parameter: Parameter) -> list[str]:
    """Each limit of a value in words, with where it comes from: "action 70 to 100 % (read in S2)"."""
    words = []
    for name in LIMIT_NAMES:
        if (band := getattr(parameter.limits, name)) is not None:
            evidence = wording.evidence_words(*parameter.evidence_of(name))
            words.append(f"{name} {bounds_text(band, parameter.unit or '')}{f' ({evidence})' if evidence else ''}")
    if parameter.accept:
        words.append(f"accepted: {', '.join(parameter.accept)}")
    return words


class TextPage(VersionPage):
    """The text of a version as it was written."""

    template_name = "batches/recipes/text.html"

    def read(self, code: str, label: str) -> dict:
        return {"version": queries.version_named(code, label)}


class AgainstPage(Page):
    """What differs between two versions, field by field."""

    permission = READERS
    template_name = "batches/recipes/against.html"

    @property
    def title(self) -> str:
        return f"{self.kwargs['code']}: {self.kwargs['old']} to {self.kwargs['label']}"

    def read(self, code: str, label: str, old: str) -> dict:
        new, before = queries.version_named(code, label), queries.version_named(code, old)
        return {"new": new, "old": before, "changes": queries.changes(before, new), "new_url": version_url(new), "old_url": version_url(before)}


class VersionAct(VersionPage):
    """Base of the acts on a version that need no signature."""

    service = None

    def get(self, request, code: str, label: str) -> HttpResponse:
        return self.done("batches:recipes:version", code=code, label=label)

    def post(self, request, code: str, label: str) -> HttpResponse:
        seen = request.POST.get("seen", "")
        if not seen.isdigit():
            raise StaleRecord()
        with site_context(self.by.site_id):
            version = queries.version_named(code, label)
        self.do(type(self).service, version_id=version.pk, seen=int(seen), **self.more())
        return self.done("batches:recipes:version", code=code, label=label)

    def more(self) -> dict:
        return {}


class SubmitPage(VersionAct):
    permission = Permission.AUTHOR_RECIPES
    service = services.submit_recipe


class ReturnPage(VersionAct):
    permission = Permission.APPROVE_RECIPES
    service = services.return_recipe

    def more(self) -> dict:
        return {"reason": self.request.POST.get("reason", "")}


class EffectivePage(VersionAct):
    permission = Permission.APPROVE_RECIPES
    service = services.make_effective


class ApprovePage(SigningPage):
    """Approve a version by signature; not by who wrote it."""

    meaning = "approved"
    permission = Permission.APPROVE_RECIPES

    def version(self) -> RecipeVersion:
        return queries.version_named(self.kwargs["code"], self.kwargs["label"])

    def what(self, **kwargs):
        return queries.subject_of(self.version())

    def summary(self, **kwargs) -> dict:
        version = self.version()
        check_can_approve_recipe(by=self.by, version=version, signer=User.objects.get(pk=self.by.user_id))
        content = queries.content_of(version)
        shown = [("Recipe", f"{content['recipe']} {content['version']}"), ("Name", content["name"]), ("Product", content["product"])]
        shown += [("Specification", content["specification"]), ("Steps of a lot", content["steps"]), ("Values", content["parameters"])]
        return {
            "title": f"Approve {content['recipe']} {content['version']}",
            "page_title": f"Approve {content['recipe']} {content['version']}",
            "caption": "You sign for exactly this text",
            "rows": [{"label": label, "value": value} for label, value in shown] + [{"label": "SHA-256 of the text", "value": "", "sub": content["sha256"]}],
            "recap_hint": "The whole text is signed. Read it before you sign.",
            "back_url": version_url(version),
            "back_label": "Back to the recipe",
            "ok": "Sign: approve",
        }

    def sign(self, proof, **kwargs):
        with site_context(self.by.site_id):
            version = self.version()
        return self.do(services.approve_recipe, version_id=version.pk, seen=version.version, proof=proof)

    def done_url(self, result, **kwargs) -> str:
        return reverse("batches:recipes:version", kwargs=kwargs)
