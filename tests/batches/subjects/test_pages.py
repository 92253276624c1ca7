import pytest

from batches.subjects import vault
from mes.people import totp
from mes.records.context import site_context
from mes.records.models import SecurityEvent
from mes.signatures.models import Signature
from tests.builders.staff import PASSWORD, enrol_authenticator, open_site, outside, signed_in


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


# --- erasing ----------------------------------------------------------------------------------------------------------

WHY = "Asked for by letter of 3 March."


def hidden(page: str, name: str) -> str:
    return page.split(f'name="{name}" value="')[1].split('"')[0]


def erase(client, url: str, first: str, second: str, *, reason: str = WHY, secret: str = PASSWORD, **more):
    """Open the page and send both signatures."""
    shown = client.get(url)
    assert shown.status_code == 200, shown.content.decode()[:2000]
    page = shown.content.decode()
    fields = {name: hidden(page, name) for name in ("seen", "intent", "second_intent")}
    return client.post(url, fields | {"who": first, "secret": PASSWORD, "second_who": second, "second_secret": secret, "reason": reason} | more)


@pytest.mark.req("COI-08", case="positive")
def test_two_people_erase_an_identity_on_its_page(world, browser, django_capture_on_commit_callbacks):
    patient, quinn, ruth = world.patient(), browser("quinn"), world.by("ruth")
    assert f"/patients/{patient.pseudonym}/" in quinn.get("/patients/").content.decode()
    assert f"/patients/{patient.pseudonym}/erase/" in quinn.get(f"/patients/{patient.pseudonym}/").content.decode()
    with django_capture_on_commit_callbacks(execute=True):
        answer = erase(quinn, f"/patients/{patient.pseudonym}/erase/", world.by("quinn").username, ruth.username)
    assert answer.status_code == 303 and not vault.has_key(patient.pk)
    shown = quinn.get(f"/patients/{patient.pseudonym}/").content.decode()
    assert "This identity was erased." in shown and "/erase/" not in shown
    with site_context(world.site.pk):
        signers = Signature.objects.filter(meaning="erased_identity").order_by("recorded_at").values_list("username", flat=True)
        assert list(signers) == [world.by("quinn").username, ruth.username]
    assert quinn.get(f"/patients/{patient.pseudonym}/erase/").status_code == 409


@pytest.mark.req("COI-08", case="negative")
def test_an_erasure_that_is_not_signed_by_two_entitled_people_erases_nothing(world, browser):
    patient, quinn = world.patient(), browser("quinn")
    url, me, ruth = f"/patients/{patient.pseudonym}/erase/", world.by("quinn").username, world.by("ruth").username
    same = erase(quinn, url, me, me)
    assert same.status_code == 403 and "Somebody else has to sign as the second." in same.content.decode()
    wrong = erase(quinn, url, me, ruth, secret="not-her-password")
    assert wrong.status_code == 403 and 'id="second-error"' in wrong.content.decode() and "tries left" in wrong.content.decode()
    assert erase(quinn, url, me, world.by("olga").username).status_code == 403
    assert erase(quinn, url, me, ruth, reason=" ").status_code == 422
    named = erase(quinn, url, me, ruth, reason="Mrs Canarybird asked for it.")
    assert named.status_code == 409 and "names the patient" in named.content.decode()
    assert erase(quinn, url, me, ruth, seen="0").status_code == 409
    assert erase(quinn, url, me, ruth, second_intent="").status_code == 404
    assert vault.has_key(patient.pk)
    with site_context(world.site.pk):
        assert not Signature.objects.filter(meaning="erased_identity").exists()


@pytest.mark.req("ACC-03", case="negative")
def test_outside_the_second_signer_of_an_erasure_proves_a_second_factor(world, browser, settings):
    patient, ruth = world.patient(), world.by("ruth").username
    secret = enrol_authenticator(open_site(world.site.code), world.users["ruth"])
    quinn, url = outside(browser("quinn"), settings), f"/patients/{patient.pseudonym}/erase/"
    alone = erase(quinn, url, world.by("quinn").username, ruth)
    assert alone["X-Refusal"] == "code_missing" and 'name="second_code"' in alone.content.decode() and vault.has_key(patient.pk)
    assert erase(quinn, url, world.by("quinn").username, ruth, second_code=totp.code_at(secret, totp.step_now())).status_code == 303


@pytest.mark.req("ACC-02", case="negative")
def test_only_who_may_erase_reaches_the_page_and_who_may_not_see_is_shown_no_form(world, browser):
    patient = world.patient()
    assert browser("nora").get(f"/patients/{patient.pseudonym}/erase/").status_code == 403
    assert browser("olga").get("/patients/").status_code == 403
    quinn = browser("quinn")
    assert "Why do you read it?" not in quinn.get(f"/patients/{patient.pseudonym}/").content.decode()
    assert quinn.post(f"/patients/{patient.pseudonym}/", {"purpose": "order"}).status_code == 403


def test_no_identity_is_erased_on_its_page_while_a_lot_is_open(world, browser):
    patient = world.patient()
    lot = world.order(patient)
    answer = browser("quinn").get(f"/patients/{patient.pseudonym}/erase/")
    assert answer.status_code == 409 and "still open" in answer.content.decode()
    assert lot.number in browser("quinn").get("/patients/").content.decode()
