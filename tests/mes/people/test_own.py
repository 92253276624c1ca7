"""One's own account: password, PIN, authenticator."""

import re

import pytest
import zxingcpp
from django.test import Client

from mes.errors import SigningRefused
from mes.events import Event
from mes.people import services, totp
from mes.people.models import PersonLock, Qualification, SecondFactor, User, UserSession
from mes.records.door import service
from tests.builders.staff import PASSWORD, signed_in

pytestmark = pytest.mark.django_db
NEW = "another long password 31"


@pytest.fixture
def maya(place):
    return place.person("maya", "operator")


@pytest.fixture
def client(maya):
    return signed_in(maya)


def test_the_page_says_who_one_is_here(client):
    text = client.get("/me/").content.decode()
    assert "Maya" in text and "Operator" in text and "Utrecht" in text


@pytest.mark.req("ACC-04", case="positive")
def test_a_person_changes_their_password_and_other_sessions_end(client, maya):
    other = signed_in(maya)
    answer = client.post("/me/password/", {"current": PASSWORD, "new": NEW, "again": NEW})
    assert answer.status_code == 303
    assert client.get("/me/").status_code == 200
    assert UserSession.objects.filter(user=maya).count() == 1
    assert other.get("/me/").url.startswith("/sign-in/")
    assert Client().post("/sign-in/", {"username": "maya", "password": NEW}).status_code == 302
    assert Client().post("/sign-in/", {"username": "maya", "password": PASSWORD}).status_code == 403


@pytest.mark.req("ACC-04", case="negative")
@pytest.mark.parametrize("new", ["short", "my name is maya okay"])
def test_a_weak_password_is_refused_and_not_shown_again(client, maya, new):
    answer = client.post("/me/password/", {"current": PASSWORD, "new": new, "again": new})
    assert answer.status_code == 409
    assert f'value="{new}"' not in answer.content.decode()
    assert User.objects.get(pk=maya.pk).check_password(PASSWORD)


@pytest.mark.req("SIG-10", case="negative")
def test_an_open_page_is_not_enough_to_change_a_secret(client, maya):
    for url, typed in (("/me/password/", {"new": NEW, "again": NEW}), ("/me/pin/", {"pin": "739164", "pin_again": "739164"}), ("/me/authenticator/", {})):
        assert client.post(url, {"current": "not the password", **typed}).status_code == 403
    user = User.objects.get(pk=maya.pk)
    assert user.check_password(PASSWORD) and user.check_pin("482915")
    assert not SecondFactor.objects.filter(user=maya).exists()


def test_wrong_passwords_on_the_own_page_count_towards_the_lock(client, maya):
    for _ in range(5):
        client.post("/me/pin/", {"current": "not the password", "pin": "739164", "pin_again": "739164"})
    assert PersonLock.objects.filter(user=maya, open=True).exists()
    assert client.get("/me/").status_code == 302


def test_two_different_new_passwords_are_told_apart(client):
    answer = client.post("/me/password/", {"current": PASSWORD, "new": NEW, "again": NEW + "x"})
    assert answer.status_code == 422 and "The two differ" in answer.content.decode()


@pytest.mark.req("SIG-01", case="negative")
@pytest.mark.parametrize("pin", ["12345", "123456", "777777", "48a915"])
def test_a_pin_that_is_short_or_easy_is_refused(client, maya, pin):
    answer = client.post("/me/pin/", {"current": PASSWORD, "pin": pin, "pin_again": pin})
    assert answer.status_code == 409
    assert User.objects.get(pk=maya.pk).check_pin("482915")


@pytest.mark.req("ACC-03", case="positive")
def test_an_authenticator_is_enrolled_by_scanning_and_one_code(client, maya, place):
    assert client.post("/me/authenticator/", {"current": PASSWORD}).status_code == 303
    text = client.get("/me/authenticator/").content.decode()
    secret = totp.unseal(SecondFactor.objects.get(user=maya, active=True).secret)
    assert qr_text(text) == totp.enrolment_uri("maya", secret)
    code = totp.code_at(secret, totp.step_now())
    assert client.post("/me/authenticator/", {"code": code}).status_code == 422  # nobody stands by
    assert client.post("/me/authenticator/", {"code": code} | beside(place)).status_code == 303
    assert SecondFactor.objects.get(user=maya, active=True).confirmed
    assert "An authenticator is enrolled" in client.get("/me/").content.decode()
    assert "<svg role" not in client.get("/me/authenticator/").content.decode()


@pytest.mark.req("ACC-03", case="negative")
def test_a_wrong_code_confirms_nothing(client, maya, place):
    client.post("/me/authenticator/", {"current": PASSWORD})
    secret = totp.unseal(SecondFactor.objects.get(user=maya, active=True).secret)
    wrong = totp.code_at(secret, totp.step_now() + 1000)
    assert client.post("/me/authenticator/", {"code": wrong} | beside(place)).status_code == 403
    assert not SecondFactor.objects.get(user=maya, active=True).confirmed


def test_a_second_authenticator_is_not_enrolled_over_the_first(client, maya, place):
    client.post("/me/authenticator/", {"current": PASSWORD})
    secret = totp.unseal(SecondFactor.objects.get(user=maya, active=True).secret)
    client.post("/me/authenticator/", {"code": totp.code_at(secret, totp.step_now())} | beside(place))
    answer = client.post("/me/authenticator/", {"current": PASSWORD})
    assert answer.status_code == 409 and "enrolled already" in answer.content.decode()


def beside(place, name="", password=PASSWORD):
    return {"witness": name or place.witness().username, "witness_password": password}


@pytest.fixture
def begun(client, maya):
    """An authenticator that waits to be confirmed, and its first code."""
    client.post("/me/authenticator/", {"current": PASSWORD})
    return totp.code_at(totp.unseal(SecondFactor.objects.get(user=maya, active=True).secret), totp.step_now())


@pytest.mark.req("SIG-10", case="negative")
@pytest.mark.parametrize(("witness", "password"), [("maya", PASSWORD), ("otto", PASSWORD), ("anna", PASSWORD), ("", "not the password")])
def test_a_password_alone_enrols_no_authenticator(client, maya, place, begun, witness, password):
    place.person("otto", "operator")
    place.person("anna", "administrator")
    assert client.post("/me/authenticator/", {"code": begun} | beside(place, witness, password)).status_code == 403
    assert not SecondFactor.objects.get(user=maya, active=True).confirmed


@pytest.mark.req("SIG-10", case="negative")
def test_who_retired_an_authenticator_does_not_check_who_enrols_the_next(client, maya, place, begun):
    services.define_role(by=place.setup, code="trainer", name="Trainer", permissions=["mes.record_training"])
    both = place.person("both", "administrator")  # trains people later: nobody does both at one time
    client.post("/me/authenticator/", {"code": begun} | beside(place))
    old = SecondFactor.objects.get(user=maya, active=True)
    services.retire_second_factor(by=place.actor(both), factor_id=old.pk, seen=old.version, reason="Lost")
    place.move(both, "trainer")
    signed_in(maya, client=client)  # the session that the lost one may have opened has ended
    client.post("/me/authenticator/", {"current": PASSWORD})
    code = totp.code_at(totp.unseal(SecondFactor.objects.get(user=maya, active=True).secret), totp.step_now())
    refused = client.post("/me/authenticator/", {"code": code} | beside(place, "both"))
    assert refused.status_code == 403 and "retired an earlier" in refused.content.decode()
    assert client.post("/me/authenticator/", {"code": code} | beside(place)).status_code == 303


@pytest.mark.req("SIG-10", case="negative")
def test_an_authenticator_that_nobody_saw_enrolled_gives_no_code_that_counts(client, maya, place, begun):
    client.post("/me/authenticator/", {"code": begun} | beside(place))
    factor = SecondFactor.objects.get(user=maya, active=True)
    later = totp.code_at(totp.unseal(factor.secret), totp.step_now() + 1)
    services.use_code(by=place.actor(maya), user_id=maya.pk, code=later)
    enrolled = Qualification.objects.get(user=maya, subject=f"authenticator:{factor.pk}")
    assert enrolled.trainer.username == place.witness().username
    ruben = place.person("ruben", "qa_release")
    confirmed_by_a_code_alone(by=place.actor(ruben), user_id=services.begin_second_factor(by=place.actor(ruben), user_id=ruben.pk).user_id)
    secret = totp.unseal(SecondFactor.objects.get(user=ruben, active=True).secret)
    later = totp.code_at(secret, totp.step_now())
    with pytest.raises(SigningRefused) as broken:
        services.use_code(by=place.actor(ruben), user_id=ruben.pk, code=later)
    assert broken.value.code == "second_factor_unchecked"


@service(Event.SECOND_FACTOR_CONFIRMED)
def confirmed_by_a_code_alone(*, by, user_id):
    """An authenticator as it stood before its enrolment took two people."""
    factor = SecondFactor.objects.get(user_id=user_id, active=True)
    factor.confirmed = True
    factor.save()
    return factor


def qr_text(html):
    """What a telephone reads from the QR code on the page: its path drawn as a picture, then read."""
    side = int(re.search(r'viewBox="0 0 (\d+) \d+"><rect', html)[1])
    path = re.search(r'<path d="([^"]+)" fill="#000"', html)[1]
    scale = 6
    picture = bytearray(b"\xff" * (side * scale) ** 2)
    for x, y, wide, high in (map(int, found) for found in re.findall(r"M(\d+) (\d+)h(\d+)v(\d+)h-\d+Z", path)):
        for row in range(y * scale, (y + high) * scale):
            begin = row * side * scale + x * scale
            picture[begin : begin + wide * scale] = bytes(wide * scale)
    return zxingcpp.read_barcode(memoryview(picture).cast("B", shape=[side * scale, side * scale])).text
