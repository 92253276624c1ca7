"""A passkey as second factor: bound to the page, the content and the signer; what does not fit is refused in one way (SIG-01, SIG-02, ACC-03)."""

import json

import pytest

from mes.passkeys import services as passkeys
from mes.passkeys.models import Passkey
from mes.people.models import PersonLock, User
from mes.records.context import site_context
from mes.records.models import SecurityEvent
from mes.signatures.models import Signature, SignatureAssertion, SigningIntent
from tests.builders.passkeys import BE, BS, UP, UV, Device, enrol_passkey, passkey_of, text
from tests.builders.staff import PASSWORD, enrol_authenticator, signed_in
from tests.mes.signatures.test_pages import Page, refusals, signatures

pytestmark = [pytest.mark.django_db, pytest.mark.urls("tests.mes.signatures.signing_urls")]


class Desk(Page):
    """A signing page of who certifies, and the key in their hand."""

    device: Device

    def ask(self, intent, **typed):
        return self.client.post(self.url, {"intent": intent, "who": "ruben", "secret": PASSWORD, "ask_passkey": "yes"} | typed)

    def challenge(self, intent, **typed) -> bytes:
        asked = self.ask(intent, **typed)
        assert asked.status_code == 200, asked.content
        return raw(asked.json()["publicKey"]["challenge"])

    def prove(self, intent=None, said=None, typed=(), **wrong):
        """Signs as the page does: the device is asked, then everything is sent together."""
        intent = intent or self.open()
        typed = dict(typed)
        said = said or self.device.answer(self.challenge(intent, **typed), **wrong)
        return self.sign(intent=intent, who="ruben", **{"secret": PASSWORD, "passkey": json.dumps(said)} | typed)


def raw(words: str) -> bytes:
    from mes.passkeys.webauthn import raw

    return raw(words)


def code_in(answer) -> str:
    return answer.headers.get("X-Refusal", "")


@pytest.fixture
def ruben(place):
    return place.person("ruben", "qa_release", full_name="Ruben Maas")


@pytest.fixture
def desk(place, ruben):
    desk = Desk(signed_in(ruben), place, meaning="certified_stage_1")
    desk.device = enrol_passkey(place, ruben)
    return desk


@pytest.mark.req("ACC-03", case="positive")
@pytest.mark.req("SIG-01", case="positive")
@pytest.mark.parametrize("algorithm", [-7, -8, -257])
def test_certifying_takes_password_and_passkey(place, desk, ruben, algorithm):
    desk.device = enrol_passkey(place, ruben, Device(algorithm), name="Another key")
    answer = desk.prove()
    assert answer.status_code == 303, answer.content.decode()
    (signature,) = signatures(place)
    assert signature.auth_methods == ["badge or user name", "password", "passkey"]
    with site_context(place.site.pk):
        kept = SignatureAssertion.objects.get(signature=signature)
    assert bytes(kept.public_key) == desk.device.cose and bytes(kept.credential_id) == desk.device.handle
    assert json.loads(bytes(kept.client_data))["origin"] == "http://localhost:8000"


@pytest.mark.req("ACC-03", case="positive")
def test_a_passkey_that_counts_nothing_signs_and_the_device_is_offered_by_its_handle(place, desk, ruben):
    desk.device = enrol_passkey(place, ruben, Device(counts=False), name="Telephone")
    asked = desk.ask(desk.open()).json()["publicKey"]
    assert text(desk.device.handle) in [each["id"] for each in asked["allowCredentials"]] and asked["userVerification"] == "required"
    assert [desk.prove(flags=UP | UV | BE | BS).status_code for _ in range(2)] == [303, 303]


@pytest.mark.req("SIG-01", case="negative")
def test_a_passkey_without_the_password_signs_nothing(place, desk):
    intent = desk.open()
    said = desk.device.answer(desk.challenge(intent))
    for secret in ("", "not the password"):
        answer = desk.prove(intent, said, {"secret": secret})
        assert answer.status_code == 403 and code_in(answer) == "wrong_secret"
        assert text(desk.device.handle) not in answer.content.decode()
    assert desk.ask(intent, secret="not the password").json()["code"] == "wrong_secret"
    assert signatures(place) == []
    assert desk.prove(intent, said).status_code == 303, "what was refused before did not use the page up"


@pytest.mark.req("SIG-12", case="negative")
def test_asking_for_a_passkey_counts_wrong_passwords_like_signing(place, desk, ruben):
    intent = desk.open()
    said = [desk.ask(intent, secret="not the password").json()["detail"] for _ in range(5)]
    assert "4 tries left" in said[0] and "No try is left" in said[4]
    assert PersonLock.objects.filter(user=ruben, open=True).exists()


@pytest.mark.req("SIG-02", case="negative")
def test_an_answer_for_another_page_signs_nothing(place, desk):
    said = desk.device.answer(desk.challenge(desk.open()))
    answer = desk.prove(desk.open(), said)
    assert (answer.status_code, code_in(answer)) == (403, "wrong_passkey")
    assert signatures(place) == []


@pytest.mark.req("SIG-05", case="negative")
def test_an_answer_for_other_content_signs_nothing(place, desk):
    intent = desk.open()
    said = desk.device.answer(desk.challenge(intent))
    SigningIntent.objects.filter(pk=intent).update(payload_digest=b"\x07" * 32)  # as if other content stood behind the same page
    answer = desk.prove(intent, said)
    assert (answer.status_code, code_in(answer)) == (403, "wrong_passkey")
    assert signatures(place) == []


@pytest.mark.req("SIG-02", case="negative")
def test_an_answer_that_was_used_signs_nothing_again(place, desk):
    intent = desk.open()
    said = desk.device.answer(desk.challenge(intent))
    assert desk.prove(intent, said).status_code == 303
    assert code_in(desk.prove(intent, said)) == "intent_used"
    assert code_in(desk.prove(desk.open(), said)) == "wrong_passkey"
    assert len(signatures(place)) == 1


@pytest.mark.req("SIG-02", case="negative")
@pytest.mark.parametrize("counts", [True, False])
def test_an_answer_that_is_sent_twice_counts_once_and_is_no_copy_of_the_key(place, ruben, counts):
    from mes.errors import SigningRefused
    from mes.signatures import ceremony
    from tests.mes.signatures.signing_urls import subject

    device, by = enrol_passkey(place, ruben, Device(counts=counts)), place.actor(ruben)
    with site_context(place.site.pk):
        what = subject(place.role("operator").pk)
    intent = ceremony.prepare(by, what, "certified_stage_1")
    asked = ceremony.ask_passkey(by=by, intent_id=intent.pk, username="ruben", secret=PASSWORD)
    sent = {"by": by, "intent_id": intent.pk, "username": "ruben", "secret": PASSWORD, "passkey": device.answer(raw(asked["challenge"]))}
    assert ceremony.authenticate(**sent).methods[-1] == "passkey"
    for _ in range(7):  # as a form that is sent again: no guess, and no suspicion
        with pytest.raises(SigningRefused) as refused:
            ceremony.authenticate(**sent)
        assert refused.value.code == "used_passkey"
    assert not Passkey.objects.get().suspect and not PersonLock.objects.filter(user=ruben, open=True).exists()


@pytest.mark.req("SIG-02", case="negative")
@pytest.mark.parametrize(
    ("wrong", "code"),
    [
        ({"flags": UP}, "passkey_unverified"), ({"flags": UV}, "wrong_passkey"), ({"origin": "https://localhost.example"}, "wrong_passkey"),
        ({"origin": "http://localhost:8001"}, "wrong_passkey"), ({"host": "example.com"}, "wrong_passkey"), ({"kind": "webauthn.create"}, "wrong_passkey"),
    ],
)  # fmt: skip
def test_an_answer_given_elsewhere_or_by_nobody_signs_nothing(place, desk, wrong, code):
    answer = desk.prove(**wrong)
    assert (answer.status_code, code_in(answer)) == (403, code)
    assert signatures(place) == [] and code in refusals(place)


@pytest.mark.req("SIG-02", case="negative")
def test_one_changed_byte_of_the_answer_signs_nothing(place, desk):
    for part in ("signature", "authenticatorData"):
        intent = desk.open()
        said = desk.device.answer(desk.challenge(intent))
        spoilt = bytearray(raw(said["response"][part]))
        spoilt[-1] ^= 1
        said["response"][part] = text(bytes(spoilt))
        assert code_in(desk.prove(intent, said)) == "wrong_passkey"
    assert signatures(place) == []


@pytest.mark.req("SIG-02", case="negative")
def test_the_passkey_of_another_person_signs_nothing(place, desk):
    other = enrol_passkey(place, place.person("petra", "qa_release"))
    intent = desk.open()
    challenge = desk.challenge(intent)
    assert code_in(desk.prove(intent, other.answer(challenge))) == "wrong_passkey"
    assert code_in(desk.prove(intent, other.answer(challenge, handle=desk.device.handle))) == "wrong_passkey"
    assert code_in(desk.prove(intent, Device().answer(challenge))) == "wrong_passkey"
    assert signatures(place) == []


@pytest.mark.req("SIG-13", case="negative")
def test_a_retired_passkey_signs_nothing_not_even_what_was_asked_before(place, desk, ruben):
    intent = desk.open()
    said = desk.device.answer(desk.challenge(intent))
    olga = place.person("olga", "administrator")
    kept = passkey_of(desk.device)
    passkeys.retire_passkey(by=place.actor(olga), passkey_id=kept.pk, seen=kept.version, reason="Lost on the way home")
    assert desk.prove(intent, said).headers["Location"] == "/sign-in/"  # its owner's sessions ended with it
    signed_in(ruben, client=desk.client)
    answer = desk.prove(intent, said)
    assert (answer.status_code, code_in(answer)) == (403, "passkey_retired")
    assert desk.ask(intent).json()["code"] == "no_passkey"
    assert signatures(place) == []


@pytest.mark.req("SIG-13", case="negative")
def test_a_passkey_retired_between_proof_and_deed_signs_nothing(place, ruben):
    from mes.errors import SigningRefused
    from mes.signatures import ceremony
    from mes.signatures.services import sign
    from tests.mes.signatures.signing_urls import subject

    device, by = enrol_passkey(place, ruben), place.actor(ruben)
    with site_context(place.site.pk):
        what = subject(place.role("operator").pk)
    intent = ceremony.prepare(by, what, "certified_stage_1")
    asked = ceremony.ask_passkey(by=by, intent_id=intent.pk, username="ruben", secret=PASSWORD)
    said = device.answer(raw(asked["challenge"]))
    proof = ceremony.authenticate(by=by, intent_id=intent.pk, username="ruben", secret=PASSWORD, passkey=said)
    kept = passkey_of(device)
    olga = place.actor(place.person("olga", "administrator"))
    passkeys.retire_passkey(by=olga, passkey_id=kept.pk, seen=kept.version, reason="Reported as stolen")
    with pytest.raises(SigningRefused) as refused:
        sign(by=by, proof=proof, what=what, meaning="certified_stage_1", stream="site:x")
    assert refused.value.code == "passkey_retired" and signatures(place) == []


@pytest.mark.req("SIG-13", case="negative")
@pytest.mark.parametrize("back", [0, 1])
def test_a_counter_that_does_not_go_on_is_refused_told_and_puts_the_passkey_under_suspicion(place, desk, back):
    assert desk.prove().status_code == 303
    answer = desk.prove(count=back * desk.device.count)
    assert (answer.status_code, code_in(answer)) == (403, "passkey_counter")
    assert Passkey.objects.get().suspect and "passkey_counter" in refusals(place)
    assert desk.ask(desk.open()).json()["code"] == "no_passkey"
    intent = SigningIntent.objects.filter(used_at=None).latest("expires_at")
    from mes.signatures.passkeys import challenge

    said = desk.device.answer(challenge(intent, bytes(intent.payload_digest)))
    assert code_in(desk.prove(str(intent.pk), said)) == "passkey_suspect"
    assert len(signatures(place)) == 1


@pytest.mark.req("SIG-10", case="negative")
def test_a_passkey_that_nobody_saw_enrolled_signs_nothing(place, desk):
    from mes.people.models import Qualification

    intent = desk.open()
    said = desk.device.answer(desk.challenge(intent))
    kept = passkey_of(desk.device)
    from mes.events import Event
    from mes.records.door import service

    @service(Event.PASSKEY_ENROLLED)
    def as_if_made_alone(*, by):
        """A passkey that stands there without the record of its second person."""
        alone = Passkey(
            site_id=kept.site_id, user_id=kept.user_id, name="Alone", credential_id=b"another handle", public_key=bytes(kept.public_key),
            aaguid=kept.aaguid, sign_count=0, backup_eligible=False, backed_up=False,
        )  # fmt: skip
        alone.save()
        return alone

    alone = as_if_made_alone(by=place.actor(User.objects.get(username="ruben")))
    assert not Qualification.objects.filter(subject=f"passkey:{alone.pk}").exists()
    named = text(b"another handle")
    assert code_in(desk.prove(intent, said | {"id": named, "rawId": named})) == "passkey_unchecked"
    assert signatures(place) == []


@pytest.mark.req("SIG-12", case="negative")
def test_wrong_passkeys_and_wrong_codes_are_tries_of_one_count(place, desk, ruben):
    enrol_authenticator(place, ruben)
    for _ in range(3):
        desk.prove(flags=UP)
    for _ in range(2):
        desk.sign(who="ruben", secret=PASSWORD, code="000000")
    assert PersonLock.objects.filter(user=ruben, open=True).exists()


@pytest.mark.parametrize("words", ["not json", "[]", '{"id": 3}', "{" * 9000, '{"rawId": "AA", "response": {}}'])
def test_what_is_no_answer_of_a_device_is_refused_as_unreadable(place, desk, words):
    answer = desk.sign(who="ruben", secret=PASSWORD, passkey=words)
    assert (answer.status_code, code_in(answer)) == (422, "passkey_unreadable")
    assert signatures(place) == []


def test_on_the_floor_no_passkey_is_asked_for(place, desk):
    floor = Desk(desk.client, place, meaning="performed")
    assert floor.ask(floor.open(), secret="482915").json()["code"] == "no_second_factor_here"


def test_the_page_offers_passkeys_only_where_the_server_has_a_name(place, desk, settings):
    assert "data-passkey-sign" in desk.client.get(desk.url).content.decode()
    settings.ORIGIN = "http://10.0.0.7"
    assert "data-passkey-sign" not in desk.client.get(desk.url).content.decode()
    assert desk.ask(desk.open()).json()["code"] == "passkeys_off"


@pytest.mark.req("SIG-05", case="positive")
@pytest.mark.req("SIG-05", case="negative")
def test_a_reason_typed_beside_the_secrets_is_under_the_passkey_too(place, desk, monkeypatch):
    from mes.signatures import ceremony
    from tests.mes.signatures import signing_urls

    def with_reason(page, reason, role_id, meaning):
        role = signing_urls.Role.objects.one(pk=role_id)
        return ceremony.subject(role, "role/1", {"name": role.name, "permissions": role.permissions, "reason": reason})

    def sign(page, proof, role_id, meaning):
        with site_context(page.by.site_id):
            what = with_reason(page, page.reason, role_id, meaning)
        return page.do(signing_urls.services.sign, proof=proof, what=what, meaning=meaning, stream=f"site:{page.by.site_id}")

    monkeypatch.setattr(signing_urls.SignRole, "with_reason", with_reason)
    monkeypatch.setattr(signing_urls.SignRole, "sign", sign)
    rejecting = Desk(desk.client, place, meaning="rejected")
    rejecting.device = desk.device
    intent = rejecting.open()
    assert rejecting.ask(intent).json()["code"] == "reason_missing"
    said = rejecting.device.answer(rejecting.challenge(intent, reason="Bag W2 leaks"))
    assert code_in(rejecting.prove(intent, said, {"reason": "Another reason"})) == "wrong_passkey"
    answer = rejecting.prove(intent, None, {"reason": "Bag W2 leaks"})
    assert answer.status_code == 303, answer.content.decode()
    with site_context(place.site.pk):
        assert b"Bag W2 leaks" in bytes(Signature.objects.get(meaning="rejected").payload.content)
        assert SecurityEvent.objects.filter(code="wrong_passkey").exists()
