"""A passkey is bound to its owner in front of a second person and retired by another; each change stands in the trail (SIG-10, SIG-13, ACC-03)."""

import html
import json
import re

import pytest

from mes.audit.models import AuditEntry
from mes.passkeys import webauthn
from mes.passkeys.models import Passkey, PasskeyCounter
from mes.people import services
from mes.people.models import Qualification, SecondFactor
from mes.records.context import site_context
from tests.builders.passkeys import BE, BS, UP, UV, Device, enrol_passkey, passkey_of, text
from tests.builders.staff import PASSWORD, enrol_authenticator, open_site, signed_in

pytestmark = pytest.mark.django_db


@pytest.fixture
def ruben(place):
    return place.person("ruben", "qa_release")


@pytest.fixture
def client(ruben):
    return signed_in(ruben)


def begin(client) -> dict:
    """What the page hands to the device after the password."""
    assert client.post("/me/passkeys/", {"current": PASSWORD}).status_code == 303
    return options_on(client.get("/me/passkeys/"))


def options_on(answer) -> dict:
    return json.loads(html.unescape(re.search(r'data-passkey-make="([^"]+)"', answer.content.decode())[1]))


def send(client, place, made, *, witness="", password=PASSWORD, name="Grey key"):
    said = made if isinstance(made, str) else json.dumps(made)
    return client.post("/me/passkeys/", {"name": name, "made": said, "witness": witness or place.witness().username, "witness_password": password})


@pytest.mark.req("ACC-03", case="positive")
@pytest.mark.req("SIG-10", case="positive")
def test_a_passkey_is_enrolled_beside_a_second_person_and_the_trail_says_so(client, place, ruben):
    asked, device = begin(client), Device()
    assert asked["rp"]["id"] == "localhost" and asked["attestation"] == "none"
    assert asked["authenticatorSelection"] == {"residentKey": "discouraged", "requireResidentKey": False, "userVerification": "required"}
    assert [each["alg"] for each in asked["pubKeyCredParams"]] == [-7, -8, -257]
    answer = send(client, place, device.make(webauthn.raw(asked["challenge"]), flags=UP | UV | BE | BS))
    assert answer.status_code == 303, answer.content.decode()
    kept = passkey_of(device)
    assert (kept.user_id, kept.name, bytes(kept.public_key), kept.sign_count, kept.transports) == (ruben.pk, "Grey key", device.cose, 1, ["usb"])
    assert kept.backup_eligible and kept.backed_up and kept.active and not kept.suspect
    assert PasskeyCounter.objects.get(passkey=kept).count == 1
    assert Qualification.objects.get(subject=f"passkey:{kept.pk}").trainer.username == place.witness().username
    with site_context(place.site.pk):
        assert any("mes.passkey_enrolled" in entry.events for entry in AuditEntry.objects.filter(stream=f"person:{ruben.pk}"))
    assert "Grey key" in client.get("/me/passkeys/").content.decode()


@pytest.mark.req("SIG-10", case="negative")
def test_an_open_page_is_not_enough_to_begin(client, place):
    assert client.post("/me/passkeys/", {"current": "not the password"}).status_code == 403
    assert "data-passkey-make" not in client.get("/me/passkeys/").content.decode()
    answer = send(client, place, Device().make(b"\x00" * 32))
    assert answer.status_code == 409 and answer.headers["X-Refusal"] == "passkey_not_begun"


@pytest.mark.req("SIG-10", case="negative")
@pytest.mark.parametrize(("witness", "password"), [("ruben", PASSWORD), ("otto", PASSWORD), ("anna", PASSWORD), ("", "not the password")])
def test_a_password_alone_enrols_no_passkey(client, place, witness, password):
    place.person("otto", "operator")
    place.person("anna", "administrator")
    made = Device().make(webauthn.raw(begin(client)["challenge"]))
    answer = send(client, place, made, witness=witness, password=password)
    assert answer.status_code == 403 and not Passkey.objects.exists()
    shown = answer.content.decode()
    assert 'value="Grey key"' in shown and text(Device().handle) not in shown and html.escape(json.dumps(made)) in shown, "the device need not be asked again"
    assert password not in shown or password == ""
    assert send(client, place, made).status_code == 303


@pytest.mark.req("SIG-10", case="negative")
def test_who_retired_an_authenticator_does_not_check_who_enrols_a_passkey(client, place, ruben):
    services.define_role(by=place.setup, code="trainer", name="Trainer", permissions=["mes.record_training"])
    both = place.person("both", "administrator")
    enrol_authenticator(place, ruben)
    old = SecondFactor.objects.get(user=ruben, active=True)
    services.retire_second_factor(by=place.actor(both), factor_id=old.pk, seen=old.version, reason="Lost")
    place.move(both, "trainer")
    signed_in(ruben, client=client)  # the session that the lost one may have opened has ended
    made = Device().make(webauthn.raw(begin(client)["challenge"]))
    refused = send(client, place, made, witness="both")
    assert refused.status_code == 403 and "retired an earlier" in refused.content.decode()
    assert send(client, place, made).status_code == 303


@pytest.mark.req("ACC-03", case="negative")
@pytest.mark.parametrize("wrong", [{"flags": UP}, {"flags": UV}, {"origin": "https://localhost.example"}, {"host": "example.com"}, {"challenge": b"\x01" * 32}])
def test_a_key_made_elsewhere_or_unverified_is_not_enrolled(client, place, wrong):
    challenge = webauthn.raw(begin(client)["challenge"])
    answer = send(client, place, Device().make(wrong.pop("challenge", challenge), **wrong))
    assert answer.status_code == 403 and answer.headers["X-Refusal"] == "wrong_passkey"
    assert not Passkey.objects.exists()


def test_a_key_of_another_kind_and_what_is_no_key_are_refused(client, place):
    challenge = webauthn.raw(begin(client)["challenge"])
    device = Device()
    plain = device.cose
    type(device).cose, kept = property(lambda self: plain.replace(b"\x03\x26", b"\x03\x25")), type(device).cose  # algorithm -6
    try:
        assert send(client, place, device.make(challenge)).status_code in (403, 422)
    finally:
        type(device).cose = kept
    for words in ("", "{}", "no json"):
        answer = send(client, place, words)
        assert answer.status_code == 422, words
    assert not Passkey.objects.exists()


@pytest.mark.req("ACC-03", case="negative")
def test_a_passkey_is_nobody_elses_and_none_is_enrolled_twice(client, place, ruben):
    device = enrol_passkey(place, place.person("petra", "qa_release"))
    asked = begin(client)
    answer = send(client, place, device.make(webauthn.raw(asked["challenge"])))
    assert answer.status_code == 409 and answer.headers["X-Refusal"] == "passkey_known"
    own = enrol_passkey(place, ruben)
    assert [each["id"] for each in begin(client)["excludeCredentials"]] == [text(own.handle)]


def test_several_passkeys_may_be_enrolled_and_not_without_end(client, place, ruben):
    for number in range(10):
        enrol_passkey(place, ruben, name=f"Key {number}")
    answer = send(client, place, Device().make(webauthn.raw(begin(client)["challenge"])))
    assert answer.status_code == 409 and answer.headers["X-Refusal"] == "passkeys_many"
    assert Passkey.objects.filter(user=ruben).count() == 10


# --- retiring --------------------------------------------------------------------------------------------------------


@pytest.fixture
def kept(place, ruben):
    return passkey_of(enrol_passkey(place, ruben))


def retire(client, kept, **given):
    return client.post(f"/people/{kept.user_id}/passkeys/{kept.pk}/", {"seen": kept.version, "reason": "Lost on the way home"} | given)


@pytest.mark.req("SIG-13", case="positive")
def test_an_administrator_retires_a_passkey_with_a_reason(place, kept, ruben):
    admin = signed_in(place.person("olga", "administrator"))
    assert "Grey key" in admin.get(f"/people/{ruben.pk}/passkeys/").content.decode()
    assert retire(admin, kept, reason="").status_code == 422
    assert retire(admin, kept).status_code == 303
    assert not Passkey.objects.get().active
    version = Passkey.history.filter(id=kept.pk).latest("version")
    assert version.history_change_reason == "Lost on the way home" and version.history_user.username == "olga"
    assert "Grey key" not in admin.get(f"/people/{ruben.pk}/passkeys/").content.decode()
    assert retire(admin, Passkey.objects.get()).headers["X-Refusal"] == "passkey_retired"


@pytest.mark.req("SIG-13", case="negative")
def test_neither_its_owner_nor_another_site_nor_who_may_not_retires_a_passkey(place, kept, ruben):
    assert retire(signed_in(ruben), kept).status_code == 403
    assert retire(signed_in(place.person("sofia", "supervisor")), kept).status_code == 403
    assert retire(signed_in(open_site("GRO", "Groningen").person("sander", "administrator")), kept).status_code == 404
    assert Passkey.objects.get().active


@pytest.mark.parametrize(
    ("written", "told"),
    [("https://EBR.Hospital.example:443/", "https://ebr.hospital.example"), ("http://127.0.0.1:9000", "http://localhost:9000"),
     ("https://a.example:8443", "https://a.example:8443")],
)  # fmt: skip
def test_the_address_is_compared_as_browsers_write_it(settings, written, told):
    settings.ORIGIN = written
    assert webauthn.origin() == told


# --- where -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("origin", "host"),
    [
        ("https://ebr.hospital.example", "ebr.hospital.example"), ("https://ebr.hospital.example:8443/", "ebr.hospital.example"),
        ("http://localhost:8000", "localhost"), ("http://127.0.0.1:9000", "localhost"),
        ("http://ebr.hospital.example", ""), ("https://10.0.0.7", ""), ("https://[2001:db8::7]", ""), ("", ""),
    ],
)  # fmt: skip
def test_passkeys_are_bound_to_a_name_over_https_or_to_this_machine(settings, client, origin, host):
    settings.ORIGIN = origin
    assert webauthn.is_on() is bool(host)
    if host:
        assert webauthn.relying_party() == host and not webauthn.origin().endswith("/")
    else:
        assert "cannot be used here" in client.get("/me/passkeys/").content.decode()
        answer = client.post("/me/passkeys/", {"current": PASSWORD})
        assert answer.status_code == 409 and answer.headers["X-Refusal"] == "passkeys_off"
