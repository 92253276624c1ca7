"""Passwords by the market's policy: length, what is known from breaches, and what was had before (ACC-04)."""

import pytest

from mes.errors import NotAllowed, RuleBroken
from mes.people import passwords, services
from mes.people.jurisdictions import PROFILES
from mes.people.models import User
from mes.permissions import Permission
from tests.builders.people import PASSWORD, open_place

pytestmark = pytest.mark.django_db


@pytest.fixture(params=sorted(PROFILES))
def place(request):
    return open_place(jurisdiction=request.param)


def refused(by, new):
    with pytest.raises(RuleBroken) as broken:
        services.set_password(by=by, user_id=by.user_id, new=new)
    return broken.value.code


@pytest.mark.req("ACC-04", case="negative")
def test_under_each_profile_weak_and_breached_passwords_are_refused(place):
    ben = place.person("ben", [Permission.READ_AUDIT], secrets=True, signs=False)
    least = PROFILES[place.site.jurisdiction].passwords.least
    assert refused(ben, "xK4-"[:4] + "q" * (least - 5)) == "password_short"
    for known in ("Password-2026!!!", "qwertyuiop123456", "!!!!sunshine1234", "abcabcabcabcabcabc", "1111111111111111"):
        assert refused(ben, known) == "password_known", known
    assert refused(ben, "long enough but ben") == "password_has_name"
    for of_here in ("Cartulary for all!!", "administrator 2026-11", f"{place.site.name} 2026!"):
        assert refused(ben, of_here) in {"password_of_here", "password_known"}, of_here
    assert User.objects.get(pk=ben.user_id).check_password(PASSWORD)


@pytest.mark.req("ACC-04", case="negative")
def test_under_each_profile_recent_passwords_are_not_taken_again(place):
    ben = place.person("ben", [Permission.READ_AUDIT], secrets=True, signs=False)
    assert refused(ben, PASSWORD) == "password_used"
    remembered = PROFILES[place.site.jurisdiction].passwords.remembered
    for number in range(remembered - 1):
        services.set_password(by=ben, user_id=ben.user_id, new=f"walrus tide lantern {number}")
        services.set_pin(by=ben, user_id=ben.user_id, pin=f"48291{number}")  # other changes of the record count for nothing
    assert refused(ben, PASSWORD) == "password_used"
    services.set_password(by=ben, user_id=ben.user_id, new="walrus tide lantern once more")
    services.set_password(by=ben, user_id=ben.user_id, new=PASSWORD)
    assert User.objects.get(pk=ben.user_id).check_password(PASSWORD)


@pytest.mark.req("ACC-04", case="positive")
def test_a_market_may_ask_for_longer_passwords():
    american, european = open_place(jurisdiction="US"), open_place()
    ben, mia = (each.person(name, [Permission.READ_AUDIT]) for each, name in ((american, "ben"), (european, "mia")))
    assert refused(ben, "walrus tides4") == "password_short"
    assert services.set_password(by=mia, user_id=mia.user_id, new="walrus tides4").check_password("walrus tides4")


@pytest.mark.req("ACC-04", case="negative")
def test_nobody_issues_a_password_to_somebody_else(place):
    anna, ben = place.person("anna", [Permission.MANAGE_PEOPLE]), place.person("ben", [Permission.READ_AUDIT])
    with pytest.raises(NotAllowed, match="its owner alone"):
        services.set_password(by=anna, user_id=ben.user_id, new="walrus tide lantern")
    assert User.objects.get(pk=ben.user_id).password == ""


def test_a_phrase_is_not_called_known():
    assert not passwords.is_known(PASSWORD) and not passwords.is_known("walrus tide lantern")


def test_long_passwords_and_spaces_are_taken_as_they_are_typed():
    place = open_place()
    ben = place.person("ben", [Permission.READ_AUDIT], secrets=True, signs=False)
    new = "  walrus tide lantern  " + "ä€ " * 40 + "END  "
    services.set_password(by=ben, user_id=ben.user_id, new=new)
    user = User.objects.get(pk=ben.user_id)
    assert user.check_password(new)
    assert not any(user.check_password(other) for other in (new.strip(), new.lower(), new[:64], new[:72]))
