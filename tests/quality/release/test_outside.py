"""Two persons at a bedside outside the controlled networks: who is not signed in there proves a second factor of their own. ACC-03."""

from urllib.parse import urlencode

import pytest

from mes.people import totp
from tests.builders.staff import PIN, enrol_authenticator, outside
from tests.quality.release.test_views import browser, get, intents_in, judged_uses, post


@pytest.fixture
def centre(judged, settings):
    """A lot that was certified, the session of who stands at the bed, what both say of it, and the code of the other one."""
    lot = judged.ready()
    judged.certify(lot)
    secret = enrol_authenticator(judged.place, judged.users["tina"])
    facts = {"scanned": f"CTL:C:{judged.bag(lot).identifier}", "coi": lot.therapy_event.coi, "reason_code": "temperature", "reason": "Logger stopped"}
    return lot, outside(browser(judged, "tess"), settings), facts, totp.code_at(secret, totp.step_now())


@pytest.mark.req("ACC-03", case="negative")
def test_outside_the_other_one_does_not_sign_the_page_of_two_with_a_pin_alone(judged, centre):
    lot, tess, facts, code = centre
    page, typed = f"/lots/{lot.number}/infusion/", facts | {"infused": "no"}
    signers = {"first_who": judged.users["tess"].username, "first_secret": PIN, "second_who": judged.users["tina"].username, "second_secret": PIN}
    shown = tess.post(page, typed)
    assert 'name="second_code"' in shown.content.decode()
    alone = tess.post(page, typed | signers | intents_in(shown))
    assert (alone.status_code, alone["X-Refusal"]) == (403, "code_missing") and 'id="second-error"' in alone.content.decode()
    assert judged_uses(judged, lot) == []
    signed = tess.post(page, typed | signers | intents_in(alone) | {"second_code": code})
    assert signed.status_code == 303, signed.content.decode()
    assert judged_uses(judged, lot) == [False]


@pytest.mark.req("ACC-03", case="negative")
def test_outside_the_other_one_does_not_sign_over_the_api_with_a_pin_alone(judged, centre, settings):
    lot, tess, facts, code = centre
    tina, facts, at = outside(browser(judged, "tina"), settings), facts | {"infused": "false"}, f"lots/{lot.number}/use/"
    first, second = (get(who, f"{at}{which}/?{urlencode(facts)}")["intent"] for who, which in ((tess, "first"), (tina, "second")))
    body = facts | {"intent": first, "username": judged.users["tess"].username, "secret": PIN}
    body |= {"second_intent": second, "second_username": judged.users["tina"].username, "second_secret": PIN}
    assert post(tess, at, body, status=403)["code"] == "code_missing"
    assert post(tess, at, body | {"second_code": code})["infused"] is False
