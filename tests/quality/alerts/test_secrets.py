"""Who is told when a password, PIN, authenticator or passkey changes: its owner, in the app and by mail, and never with the secret. OWASP ASVS 6.3.7."""

import re

import pytest

from mes.passkeys.services import retire_passkey
from mes.people import services as people
from mes.people.models import SecondFactor, Site
from mes.people.setup import enrol, system_actor
from mes.records.context import site_context
from quality.alerts import delivery, secrets
from quality.alerts.models import SecretNotice, SecretNoticeMail
from quality.tasks import sweep_site
from tests.builders.passkeys import enrol_passkey
from tests.builders.staff import PASSWORD, PIN, Staffed, enrol_authenticator, open_site, signed_in

pytestmark = pytest.mark.django_db
NEW, NEW_PIN = "another long password 31", "739146"
ADDRESS = "maya@site.example"


@pytest.fixture
def place() -> Staffed:
    return open_site()


@pytest.fixture
def maya(place):
    user = enrol(by=place.setup, username="maya", full_name="Maya Okafor", roles=["operator"], email=ADDRESS)
    people.set_password(by=place.setup, user_id=user.pk, new=PASSWORD)
    return people.set_pin(by=place.setup, user_id=user.pk, pin=PIN)


def changed(place, maya) -> None:
    """Each of her secrets changes once: by herself, then by an administrator."""
    client, olga = signed_in(maya), place.actor(place.person("olga", "administrator", full_name="Olga Test"))
    assert client.post("/me/password/", {"current": PASSWORD, "new": NEW, "again": NEW}).status_code == 303
    assert client.post("/me/pin/", {"current": NEW, "pin": NEW_PIN, "pin_again": NEW_PIN}).status_code == 303
    enrol_authenticator(place, maya)
    enrol_passkey(place, maya)
    factor, passkey = SecondFactor.objects.get(user=maya, active=True), maya.passkeys.get()
    people.retire_second_factor(by=olga, factor_id=factor.pk, seen=factor.version, reason="Telephone lost")
    retire_passkey(by=olga, passkey_id=passkey.pk, seen=passkey.version, reason="Key lost")


def swept(place) -> int:
    return sweep_site(Site.objects.get(pk=place.site.pk))["untold_secrets"]


def notices(place) -> list[str]:
    with site_context(place.site.pk):
        return list(SecretNotice.objects.order_by("recorded_at").values_list("what", flat=True))


SIX = ["mes.password_set", "mes.pin_set", "mes.second_factor_confirmed", "mes.passkey_enrolled", "mes.second_factor_retired", "mes.passkey_retired"]


@pytest.mark.req("SIG-13", case="positive")
def test_the_owner_is_mailed_once_of_each_change_without_the_secret(place, maya, mail):
    changed(place, maya)
    assert notices(place) == SIX
    assert swept(place) == 6
    assert swept(place) == 0
    texts = mail.to(ADDRESS)
    assert len(texts) == 6
    for text, words in zip(texts, map(secrets.CHANGED.get, SIX), strict=True):
        assert words in text and "tell an administrator at once" in text
        assert not re.search(f"{PASSWORD}|{NEW}|{PIN}|{NEW_PIN}", text)
    assert "in your own session" in texts[0] and "by Olga Test" in texts[5]


@pytest.mark.req("SIG-13", case="positive")
def test_the_owner_reads_it_at_the_next_sign_in_and_under_their_name(place, maya, mail):
    changed(place, maya)
    client = signed_in(maya, password=NEW)
    read = client.get("/me/").content.decode()
    for words in map(secrets.CHANGED.get, SIX):
        assert words in read, words
    assert "/alerts/secrets/" in read
    assert "Your signing PIN was changed on" in client.get("/alerts/secrets/").content.decode()
    again = signed_in(maya, password=NEW).get("/me/").content.decode()
    assert "Your signing PIN was changed" not in again, "it was said once"


def test_nobody_else_is_told(place, maya, mail):
    jonas = place.person("jonas", "operator")
    changed(place, maya)
    client = signed_in(jonas)
    assert "None in the last thirty days" in client.get("/alerts/secrets/").content.decode()
    assert "was changed" not in client.get("/me/").content.decode()


def test_what_the_installation_sets_up_is_told_to_nobody(place, maya):
    assert notices(place) == []


def test_a_mail_that_fails_is_noted_once_and_goes_out_when_the_server_is_back(place, maya, settings, mail):
    people.set_pin(by=place.actor(maya), user_id=maya.pk, pin=NEW_PIN)
    right, settings.EMAIL_PORT = settings.EMAIL_PORT, 9
    for _ in range(3):
        swept(place)
    settings.EMAIL_PORT = right
    assert swept(place) == 1
    with site_context(place.site.pk):
        assert sorted(SecretNoticeMail.objects.values_list("delivered", flat=True)) == [False, True]
        (notice,) = SecretNotice.objects.all()
    assert delivery.mail_secret_change(by=system_actor(place.site.pk), notice_id=notice.pk) == 0
    assert len(mail.to(ADDRESS)) == 1


def test_who_has_no_address_is_told_in_the_app_alone(place, mail):
    jonas = place.person("jonas", "operator")
    people.set_pin(by=place.actor(jonas), user_id=jonas.pk, pin=NEW_PIN)
    assert swept(place) == 0
    assert "Your signing PIN was changed" in signed_in(jonas).get("/alerts/secrets/").content.decode()
