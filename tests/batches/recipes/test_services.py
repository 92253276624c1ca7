"""A recipe from its text to its effect, and every refusal on the way."""

from __future__ import annotations

import json
import uuid

import pytest

from batches.recipes import queries, services
from batches.recipes.document.problems import RecipeRefused
from batches.recipes.models import RecipeVersion
from mes.errors import NotAllowed, RuleBroken, StaleRecord
from quality.roles import ROLES
from tests.builders.floor import RECIPE, Floor
from tests.builders.recipes import SOUND, UNREADABLE, UNSOUND
from tests.builders.staff import PASSWORD, Staffed, open_site, signed_in

pytestmark = pytest.mark.django_db


class Desk:
    """A site with two process engineers and a quality reviewer."""

    def __init__(self) -> None:
        self.place: Staffed = open_site("RCP", "Recipe site", roles=ROLES)
        self.erin = self.place.person("erin", "process_engineer", full_name="Erin Demo")
        self.both = self.place.person("both", "process_engineer", full_name="Both Demo")
        self.quinn = self.place.person("quinn", "qa_reviewer", full_name="Quinn Demo")

    def by(self, user):
        return self.place.actor(user)

    def promote(self) -> None:
        """Both Demo leaves process engineering for quality: nobody holds both at a time."""
        from mes.people import services as people
        from mes.people.models import Role

        grant = self.both.grants.get()
        people.end_grant(by=self.place.setup, grant_id=grant.pk, seen=grant.version, reason="Moves to quality")
        people.grant_role(by=self.place.setup, user=self.both, role=Role.objects.get(site=self.place.site, code="qa_reviewer"))

    def context(self):
        from mes.records.context import site_context

        return site_context(self.place.site.pk)

    def imported(self, text: str = SOUND, user=None) -> RecipeVersion:
        return services.import_recipe(by=self.by(user or self.erin), text=text)

    def submitted(self, text: str = SOUND, user=None) -> RecipeVersion:
        version = self.imported(text, user)
        return services.submit_recipe(by=self.by(user or self.erin), version_id=version.pk, seen=version.version)

    def approve(self, version: RecipeVersion, user=None) -> RecipeVersion:
        from mes.records.context import site_context
        from mes.signatures import ceremony

        by = self.by(user or self.quinn)
        with site_context(by.site_id, writable=True):
            intent = ceremony.prepare(by, queries.subject_of(queries.version_by_id(version.pk)), "approved")
        proof = ceremony.authenticate(by=by, intent_id=intent.pk, username=by.username, secret=PASSWORD)
        return services.approve_recipe(by=by, version_id=version.pk, seen=version.version, proof=proof)

    def effective(self, text: str = SOUND) -> RecipeVersion:
        version = self.approve(self.submitted(text))
        return services.make_effective(by=self.by(self.quinn), version_id=version.pk, seen=version.version)


@pytest.fixture
def desk(db) -> Desk:
    return Desk()


def refused(code: str, kind=RuleBroken):
    return pytest.raises(kind, check=lambda broken: broken.code == code)


@pytest.mark.req("MBR-03", case="positive")
def test_a_new_version_supersedes_the_effective_one(desk):
    first = desk.effective()
    second = desk.effective(SOUND.replace('version: "1.0"', 'version: "1.1"').replace("title: Harvest\n", "title: Harvest and wash\n", 1))
    with desk.context():
        assert RecipeVersion.objects.get(pk=first.pk).state == "superseded"
        assert RecipeVersion.objects.get(pk=second.pk).state == "effective"
        changes = queries.changes(queries.version_by_id(first.pk), queries.version_by_id(second.pk))
    assert {change.field for change in changes} == {"version", "stages[A2].title"}


@pytest.mark.req("MBR-04", case="negative")
@pytest.mark.parametrize("name", ["text in a number", "unknown field"])
def test_a_text_of_wrong_shape_is_refused_with_line_and_field(desk, name):
    bad = UNREADABLE[name]
    with pytest.raises(RecipeRefused) as refusal:
        desk.imported(bad.text)
    told = [(each["code"], each["field"]) for each in refusal.value.detail["problems"]]
    assert (bad.code, bad.field) in told and all(each["line"] > 0 for each in refusal.value.detail["problems"])
    with desk.context():
        assert not RecipeVersion.objects.exists()


@pytest.mark.req("MBR-04", case="negative")
@pytest.mark.parametrize("name", ["missing unit", "circle", "unknown name in an expression"])
def test_a_text_that_does_not_hold_together_is_refused(desk, name):
    with pytest.raises(RecipeRefused) as refusal:
        desk.imported(UNSOUND[name].text)
    assert UNSOUND[name].code in {each["code"] for each in refusal.value.detail["problems"]}


def test_a_draft_is_replaced_and_an_approved_version_is_not(desk):
    first = desk.imported()
    again = desk.imported(SOUND.replace("Trial product, short process", "Trial product"))
    assert again.pk == first.pk and again.version == first.version + 1 and again.digest != first.digest
    services.submit_recipe(by=desk.by(desk.erin), version_id=again.pk, seen=again.version)
    with refused("recipe_version_taken"):
        desk.imported()


@pytest.mark.req("MBR-01", case="negative")
def test_nobody_approves_what_they_wrote(desk):
    version = desk.submitted(user=desk.both)
    desk.promote()
    with refused("same_person", NotAllowed):
        desk.approve(version, desk.both)
    assert desk.approve(version).state == "approved"


@pytest.mark.req("MBR-01", case="negative")
def test_an_earlier_author_of_the_draft_does_not_approve_it_either(desk):
    desk.imported(user=desk.both)
    desk.promote()
    version = desk.submitted(SOUND.replace("Trial product, short process", "Trial product"), desk.erin)
    with refused("same_person", NotAllowed):
        desk.approve(version, desk.both)


def test_each_move_needs_its_state_and_its_right(desk):
    version = desk.imported()
    with refused("not_in_review"):
        desk.approve(version)
    with refused("not_your_role", NotAllowed):
        services.make_effective(by=desk.by(desk.erin), version_id=version.pk, seen=version.version)
    with refused("not_your_role", NotAllowed):
        services.import_recipe(by=desk.by(desk.quinn), text=SOUND)
    with pytest.raises(StaleRecord):
        services.submit_recipe(by=desk.by(desk.erin), version_id=version.pk, seen=0)
    version = services.submit_recipe(by=desk.by(desk.erin), version_id=version.pk, seen=version.version)
    with refused("reason_missing"):
        services.return_recipe(by=desk.by(desk.quinn), version_id=version.pk, seen=version.version, reason="")
    version = services.return_recipe(by=desk.by(desk.quinn), version_id=version.pk, seen=version.version, reason="Name the limits")
    assert version.state == "draft"


# --- pages and API -----------------------------------------------------------------------------------------------------


def test_the_import_page_names_each_problem_and_keeps_the_text(desk):
    client = signed_in(desk.erin)
    answer = client.post("/masters/import/", {"text": UNSOUND["missing unit"].text})
    shown = answer.content.decode()
    assert answer.status_code == 422 and "Line " in shown and "stages[3].steps[1].parameters[2]" in shown and "code: TRIAL-A" in shown
    done = client.post("/masters/import/", {"text": SOUND})
    assert done.status_code == 303 and done["Location"] == "/masters/TRIAL-A/1.0/"
    assert "Submit for approval" in client.get(done["Location"]).content.decode()


@pytest.mark.req("MBR-01", case="positive")
def test_a_version_is_approved_and_put_into_effect_in_the_browser(desk):
    version = desk.submitted()
    client = signed_in(desk.quinn)
    page = client.get("/masters/TRIAL-A/1.0/approve/").content.decode()
    intent = page.split('name="intent" value="')[1].split('"')[0]
    signed = client.post("/masters/TRIAL-A/1.0/approve/", {"intent": intent, "who": "quinn", "secret": PASSWORD})
    assert signed.status_code == 303
    with desk.context():
        version = queries.version_by_id(version.pk)
        assert [each["covers"] for each in queries.approvals_of(version)] == [True]
    assert client.post("/masters/TRIAL-A/1.0/effective/", {"seen": version.version}).status_code == 303
    for address in ("/masters/", "/masters/TRIAL-A/1.0/", "/masters/TRIAL-A/1.0/text/", "/masters/TRIAL-A/1.0/against/1.0/"):
        assert client.get(address).status_code == 200
    refused_page = client.get("/masters/TRIAL-A/1.0/approve/")
    assert refused_page.status_code == 409


def test_a_recipe_is_imported_over_the_api_with_the_same_codes(desk):
    client = signed_in(desk.erin)

    def post(path, body):
        return client.post(f"/api/v1/{path}", json.dumps(body), content_type="application/json", headers={"Idempotency-Key": str(uuid.uuid4())})

    bad = post("recipes/", {"text": UNSOUND["circle"].text})
    assert bad.status_code == 422 and bad.json()["code"] == "recipe_refused"
    good = post("recipes/", {"text": SOUND})
    assert good.status_code == 201 and good.json()["state"] == "draft"
    sent = post("recipes/TRIAL-A/1.0/submit/", {"seen": good.json()["version"]})
    assert sent.json()["state"] == "in_review"
    assert client.get("/api/v1/recipes/TRIAL-A/1.0/").json()["text"].startswith("code: TRIAL-A")


@pytest.mark.req("MBR-04", case="negative")
def test_an_unknown_test_of_a_sample_is_told_with_line_and_field():
    floor = Floor()
    sample = "{code: REL, title: Release, step: A2.1, day: 1, specimen: Product, tests: [viabilty], timing: before_infusion}"
    text = RECIPE.replace("code: FLOOR-A", "code: FLOOR-B").replace("product: floor", "product: other")
    wrong = text.replace("instruction: Fill.", "instruction: Fill.\n        kind: sampling").replace("samples: []", f"samples:\n  - {sample}")
    with pytest.raises(RecipeRefused) as refused:
        services.import_recipe(by=floor.by("erin"), text=wrong)
    (problem,) = refused.value.problems
    line = next(at for at, written in enumerate(wrong.splitlines(), start=1) if "viabilty" in written)
    assert (problem.line, problem.field, problem.code) == (line, "samples[1].tests[1]", "reference_unknown")
    assert "did you mean 'viability'?" in problem.message
    assert services.import_recipe(by=floor.by("erin"), text=wrong.replace("viabilty", "viability")).state == "draft"
    # A recipe may be written before its specification.
    later = wrong.replace("FLOOR-REL", "LATER-REL").replace("code: FLOOR-B", "code: FLOOR-C")
    assert services.import_recipe(by=floor.by("erin"), text=later).state == "draft"


def test_the_page_of_a_recipe_says_where_its_numbers_come_from_and_what_it_draws_on():
    floor = Floor()
    page = signed_in(floor.users["erin"]).get("/masters/FLOOR-A/1.0/").content.decode()
    for words in ("action ≥ 70 % (illustrative)", "Evidence: illustrative.", "Cell counter", "Collection bag", "Samples"):
        assert words in page, words
    for words in (
        "low: 1 ×10<sup>5</sup> CAR+ cells/kg; high: 1 ×10<sup>6</sup> CAR+ cells/kg", "opens on the scan of Collection bag", "date and time", "yes or no",
        "typed or from equipment, channel density", "plausible 1 to 1 ×10<sup>10</sup> CAR+ cells/mL", "From “Sampled at” of step A1.2 to “Fill ended” of step A2.1",
        "Discuss first (the lot is held)", "A source for the tests",
    ):  # fmt: skip
        assert words in page, words
    assert "collection_bag" not in page and "E+" not in page and "sampled_at" not in page
