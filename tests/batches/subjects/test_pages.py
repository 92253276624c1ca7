import pytest

from mes.records.context import site_context
from mes.records.models import SecurityEvent
from tests.builders.staff import signed_in


@pytest.fixture
def browser(world):
    def open_for(name):
        world.by(name)
        return signed_in(world.users[name])

    return open_for


@pytest.mark.req("COI-08", case="positive")
def test_an_identity_is_shown_once_after_a_purpose_and_recorded(world, browser):
    patient, nora = world.patient(), browser("nora")
    url = f"/patients/{patient.pseudonym}/"
    assert "Canarybird" not in nora.get(url).content.decode()
    assert nora.post(url, {}).status_code == 422
    shown = nora.post(url, {"purpose": "bedside"})
    assert "Canarybird" in shown.content.decode() and shown["Cache-Control"] == "no-store, private"
    with site_context(world.site.pk):
        assert SecurityEvent.objects.filter(kind="identity_read", subject=str(patient.pk)).count() == 1


@pytest.mark.req("COI-08", case="negative")
def test_operators_and_labels_do_not_open_an_identity(world, browser):
    patient = world.patient()
    url = f"/patients/{patient.pseudonym}/"
    assert browser("olga").get(url).status_code == 403
    assert browser("nora").post(url, {"purpose": "label"}).status_code == 422
    with site_context(world.site.pk):
        assert SecurityEvent.objects.filter(kind="identity_read").count() == 0


def test_a_correction_is_typed_whole_and_its_reason_names_nobody(world, browser):
    patient, sam = world.patient(), browser("sam")
    url = f"/patients/{patient.pseudonym}/correct/"
    typed = {"family_name": "Canarybird", "given_name": "Tweety", "born": "1961-04-24", "hospital_number": "HN-778899", "seen": "1"}
    named = sam.post(url, typed | {"reason": "Canarybird was born a day later."})
    assert named.status_code == 409 and "names the patient" in named.content.decode()
    assert sam.post(url, typed | {"reason": "The day was wrong."}).status_code == 303
    assert sam.post(url, typed | {"reason": "Once more."}).status_code == 409  # a stale screen
    assert "1961-04-24" in sam.post(f"/patients/{patient.pseudonym}/", {"purpose": "request"}).content.decode()
