"""A broken trail or a missing guard stops release until two persons of quality signed exactly what was found (decisions 8)."""

import itertools
from contextlib import contextmanager

import pytest
from django.test import override_settings

from batches.execution.models import Entry
from mes.errors import RuleBroken
from mes.people import services as people
from mes.people import totp
from quality.release import integrity, queries, services
from quality.release.models import IntegrityAssessment, IntegrityConfirmation, ReleaseDecision
from tests.builders.staff import signed_in
from tests.quality.release.test_damage import past_the_application

_later = itertools.count(1)
TEXT = "The words of one entry were changed by hand; every value of the lot was compared with the paper printed before."


@pytest.fixture(scope="module")
def site(databases, django_db_setup, django_db_blocker, tmp_path_factory):
    """A site, committed, whose `lot` waits for the Qualified Person."""
    from tests.builders.judged import Judged
    from tests.conftest import close_connections, pointing

    database, folder = databases.copy(), tmp_path_factory.mktemp("keys")
    with django_db_blocker.unblock(), pointing(database), override_settings(KEYS_FOLDER=folder, ANCHORS_FOLDER=folder / "anchors"):
        site = Judged("INT")
        site.lot, site.database = site.ready(), database
        for name in ("ruth", "quinn", "rolf"):
            site.code(name)  # enrolled now: later their codes run ahead
        yield site
        close_connections()
    databases.drop(database.name)


@pytest.fixture(autouse=True)
def _every_code_half_a_minute_later(monkeypatch):
    """A one-time code counts once: whoever signs again here has waited for the next."""
    moments = itertools.count(totp.step_now() + next(_later) * 100)
    monkeypatch.setattr(totp, "step_now", lambda: next(moments))


def broken_trail(site):
    """One entry of the lot says another reason in its column than in its bytes."""
    at = [f"lot:{site.lot.pk}"]
    change = "UPDATE mes_auditentry SET reason = reason || %s WHERE stream = %s AND seq = 3"
    back = "UPDATE mes_auditentry SET reason = replace(reason, %s, '') WHERE stream = %s AND seq = 3"
    return past_the_application(site, (change, ["!", *at]), undo=[(back, ["!", *at])])


@contextmanager
def missing_guard(site):
    with site.database.connect() as admin:
        admin.execute("ALTER TABLE batches_attachment DISABLE TRIGGER guard_change")
    try:
        yield
    finally:
        with site.database.connect() as admin:
            admin.execute("ALTER TABLE batches_attachment ENABLE ALWAYS TRIGGER guard_change")


def assess(site, who="quinn", text=TEXT):
    with site.reading():
        lot = queries.lot_by_number(site.lot.number)
        what = integrity.assessment_subject(lot, integrity.assessable(lot), text)
    proof = site.proved(who, who, lambda: what, "assessed_integrity")
    return services.assess_integrity(by=site.by(who), lot_id=site.lot.pk, text=text, proof=proof)


def confirm(site, who="ruth"):
    def what():
        lot = queries.lot_by_number(site.lot.number)
        return integrity.confirmation_subject(lot, integrity.confirmable(lot))

    proof = site.proved(who, who, what, "confirmed_integrity")
    return services.confirm_integrity(by=site.by(who), lot_id=site.lot.pk, proof=proof)


def also(site, name, role) -> None:
    """A further role for somebody."""
    people.grant_role(by=site.place.setup, user=site.users[name], role=site.place.role(role))


def refused(act) -> str:
    with pytest.raises(RuleBroken) as caught:
        act()
    return caught.value.code


def made(site) -> tuple[int, int]:
    with site.reading():
        return IntegrityAssessment.objects.filter(lot=site.lot).count(), IntegrityConfirmation.objects.filter(lot=site.lot).count()


@pytest.mark.req("AUD-07", case="negative")
def test_where_everything_holds_there_is_nothing_to_assess(site):
    with site.reading():
        what = integrity.assessment_subject(queries.lot_by_number(site.lot.number), [], TEXT)
    proof = site.proved("quinn", "quinn", lambda: what, "assessed_integrity")
    assert refused(lambda: services.assess_integrity(by=site.by("quinn"), lot_id=site.lot.pk, text=TEXT, proof=proof)) == "nothing_to_assess"
    page = signed_in(site.users["quinn"]).get(f"/lots/{site.lot.number}/release/assess-trail/")
    assert "There is nothing to assess" in page.content.decode() and made(site) == (0, 0)


@pytest.mark.req("AUD-07", case="negative")
@pytest.mark.req("REL-02", case="negative")
def test_one_person_alone_and_whoever_made_the_lot_open_no_gate(site):
    with broken_trail(site):
        assert refused(lambda: site.certify(site.lot)) == "gate_closed"
        assert refused(lambda: assess(site, text="")) == "reason_missing"
        assert refused(lambda: assess(site, "maya")) == "not_your_role", "who made the lot holds no right of quality"
        assert refused(lambda: assess(site, "ruth")) == "not_your_role", "the first signature is that of the reviewing quality"
        assert refused(lambda: confirm(site)) == "not_assessed"
        assess(site)
        assert refused(lambda: assess(site, "quentin")) == "assessed_before"
        assert refused(lambda: confirm(site, "quinn")) == "not_your_role"
        also(site, "quinn", "qa_release")
        assert refused(lambda: confirm(site, "quinn")) == "same_person"
        also(site, "rolf", "qa_release")
        assert refused(lambda: confirm(site, "rolf")) == "own_work", "he reviewed results of this lot"
        assert not site.gate(site.lot)["chain"].ok and refused(lambda: site.certify(site.lot)) == "gate_closed"
    assert made(site) == (1, 0)


@pytest.mark.req("AUD-07", case="negative")
def test_what_was_assessed_covers_nothing_that_is_found_later(site):
    with broken_trail(site):
        if made(site) == (0, 0):
            assess(site)
        confirm(site)
        line = site.gate(site.lot)["chain"]
        assert line.ok and line.assessed and line.state == "warn" and "Quinn Demo" in line.detail and "Ruth Demo" in line.detail and TEXT in line.detail
        with missing_guard(site):
            lines = site.gate(site.lot)
            assert not lines["chain"].ok and not lines["guards"].ok
            assert refused(lambda: site.certify(site.lot)) == "gate_closed"
            assert made(site) == (1, 1)
    assert not site.gate(site.lot)["chain"].assessed, "where everything holds again, nothing is said of it"


@pytest.mark.req("AUD-07", case="negative")
@pytest.mark.req("REL-01", case="negative")
def test_another_change_in_the_place_that_was_assessed_is_not_covered(site):
    with site.reading():
        value = Entry.objects.filter(lot=site.lot).order_by("recorded_at").first()
    change = "UPDATE batches_entry SET value_text = %s WHERE id = %s"
    with past_the_application(site, (change, ["99.8", value.pk]), undo=[(change, [value.value_text, value.pk])]):
        assess(site)
        confirm(site)
        assert site.gate(site.lot)["chain"].assessed
        with past_the_application(site, (change, ["99.9", value.pk]), undo=[(change, ["99.8", value.pk])]):
            line = site.gate(site.lot)["chain"]
            assert not line.ok and not line.assessed and refused(lambda: site.certify(site.lot)) == "gate_closed"
        assert site.gate(site.lot)["chain"].assessed, "what was assessed stays assessed"


@contextmanager
def altered_guard(site, *instead):
    """The function that refuses changes says this instead, one after the other; put back afterwards."""
    named = "guard.refuse_change()"
    with site.database.connect() as admin:
        (before,) = admin.execute("SELECT pg_get_functiondef(%s::regprocedure)", [named]).fetchone()

    def say(body):
        with site.database.connect() as admin:
            admin.execute(f"CREATE OR REPLACE FUNCTION {named} RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN {body} END $$")

    try:
        yield (say(each) for each in instead)
    finally:
        with site.database.connect() as admin:
            admin.execute(before)


@pytest.mark.req("AUD-05", case="negative")
@pytest.mark.req("AUD-07", case="negative")
@pytest.mark.req("REL-01", case="negative")
def test_a_guard_altered_once_more_needs_another_assessment(site):
    with altered_guard(site, "RETURN NEW;", "RETURN NULL;", "RETURN NEW;") as alterations:
        next(alterations)
        assess(site)
        confirm(site)
        assert site.gate(site.lot)["guards"].assessed
        next(alterations)
        line = site.gate(site.lot)["guards"]
        assert "refuse_change is altered" in line.detail and not line.ok and not line.assessed
        assert refused(lambda: site.certify(site.lot)) == "gate_closed"
        next(alterations)
        assert site.gate(site.lot)["guards"].assessed, "as it was assessed, it is assessed"


@pytest.mark.req("AUD-07", case="negative")
def test_where_the_check_stops_before_it_has_shown_everything_nobody_assesses(site):
    at = [f"lot:{site.lot.pk}"]
    change = "UPDATE mes_auditentry SET reason = reason || %s WHERE stream = %s AND seq <= 30"
    back = "UPDATE mes_auditentry SET reason = replace(reason, %s, '') WHERE stream = %s AND seq <= 30"
    with past_the_application(site, (change, ["~", *at]), undo=[(back, ["~", *at])]):
        before = made(site)
        assert refused(lambda: assess(site)) == "too_much_broken"
        page = signed_in(site.users["quinn"]).get(f"/lots/{site.lot.number}/release/assess-trail/")
        assert "Too much is broken to be assessed here" in page.content.decode() and made(site) == before


@pytest.mark.req("AUD-07", case="positive")
@pytest.mark.req("REL-01", case="positive")
def test_two_signatures_release_a_lot_whose_trail_is_broken_and_the_certificate_says_so(site):
    lot = site.lot
    qa, qp = signed_in(site.users["quinn"]), signed_in(site.users["ruth"])
    with missing_guard(site):
        page = qa.get(f"/lots/{lot.number}/release/").content.decode()
        assert "batches_attachment" in page and f"/lots/{lot.number}/release/assess-trail/" in page
        assert f"/lots/{lot.number}/release/confirm-trail/" not in qp.get(f"/lots/{lot.number}/release/").content.decode()
        shown = qa.get(f"/lots/{lot.number}/release/assess-trail/").content.decode()
        assert "batches_attachment" in shown and "Two persons of quality sign" in shown
        assess(site)
        shown = qp.get(f"/lots/{lot.number}/release/confirm-trail/").content.decode()
        assert TEXT in shown and "Quinn Demo" in shown
        confirm(site)
        assert "Assessed by Quinn Demo" in qp.get(f"/lots/{lot.number}/release/").content.decode()
        decision = site.certify(lot)
    said = {line["code"]: line for line in decision.gate}
    assert said["guards"]["result"] == "assessed" and TEXT in said["guards"]["detail"] and said["chain"]["result"] == "holds"
    with site.reading():
        kept = ReleaseDecision.objects.get(pk=decision.pk)
        content = queries.payload_of(kept)
    assert {line["code"]: line["result"] for line in content["gate"]}["guards"] == "assessed"
    from django.template.loader import render_to_string

    from quality.release.paper import TEMPLATE, Signed, context_of

    with site.reading():
        by = queries.decisions_of(queries.lot_by_number(lot.number))[-1].signature
        signed = Signed(by.full_name, by.username, by.role, by.meaning_text, by.recorded_at, by.site_time_zone, "0" * 64, bytes(by.payload.content))
    paper = render_to_string(TEMPLATE, context_of(content, signed, for_paper=True))
    assert "Released on an assessment of the audit trail" in paper and TEXT in paper
