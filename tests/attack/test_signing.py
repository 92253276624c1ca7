"""Somebody signs as another, or finds out a secret."""

import pytest
from django.test import Client

from batches.lots import queries as lots
from batches.lots.services import holds
from mes.errors import RuleBroken
from mes.passkeys.webauthn import challenge_of
from mes.people import rules as people_rules
from mes.people import services as people
from mes.people import totp
from mes.people.models import Grant, PersonLock, User
from mes.people.services import begin_try
from mes.people.setup import system_actor
from mes.signatures import ceremony
from quality.release import queries
from quality.release import services as release
from tests.builders.passkeys import UP, enrol_passkey
from tests.builders.pooled import rolled_back
from tests.builders.staff import PASSWORD, PIN

DANGER = "somebody signs as another"
WRONG_PIN = "111222"


def sign(siege, who: str, secret: str, *, meaning: str = "placed_on_hold", code: str = "", passkey="", intent=None, at: str = "boss"):
    actor = siege.by(at)
    if intent is None:
        with siege.reading():
            what = queries.refusal_subject(siege.fresh_in(siege.lot), "reject")
        intent = ceremony.prepare(actor, what, meaning)
    return ceremony.authenticate(by=actor, intent_id=intent.pk, username=siege.users[who].username, secret=secret, code=code, passkey=passkey)


def lock(siege, who: str) -> None:
    for _ in range(5):
        with pytest.raises(RuleBroken):
            sign(siege, who, WRONG_PIN)
    assert people_rules.is_locked(siege.users[who].pk)


@pytest.mark.req("SIG-12", case="negative")
def test_guessing_goes_on_behind_the_lock(siege, attack):
    """Lock a person out, go on guessing the PIN, and tell the right one by another answer"""
    lock(siege, "maya")
    for secret in (WRONG_PIN, PIN, "", "x" * 5000):
        with attack.refused("locked_out"):
            sign(siege, "maya", secret)


@pytest.mark.req("SIG-12", case="negative")
def test_a_password_wipes_out_guesses_at_the_one_time_code(siege, attack):
    """With a stolen password: guess one-time codes, sign in after each fourth so that the count begins anew"""
    username = siege.users["ruth"].username
    for number in range(5):
        with pytest.raises(RuleBroken):
            sign(siege, "ruth", PASSWORD, meaning="rejected", code=f"{number:06d}", at="ruth")
        if number == 3:
            assert Client().post("/sign-in/", {"username": username, "password": PASSWORD}).status_code == 302
    with attack.refused("locked_out"):
        sign(siege, "ruth", PASSWORD, meaning="rejected", code="000009", at="ruth")
    assert Client().post("/sign-in/", {"username": username, "password": PASSWORD}).status_code == 403


@pytest.mark.req("SIG-12", case="negative")
def test_a_used_code_wipes_out_guesses(siege, attack):
    """Guess four one-time codes, send one that was seen in use, guess on"""
    secret = siege.secrets["rob"]
    code = totp.code_at(secret, totp.step_now())
    sign(siege, "rob", PASSWORD, meaning="rejected", code=code, at="rob")
    for number in range(4):
        with pytest.raises(RuleBroken):
            sign(siege, "rob", PASSWORD, meaning="rejected", code=f"{number:06d}", at="rob")
    with attack.refused("used_code"):
        sign(siege, "rob", PASSWORD, meaning="rejected", code=code, at="rob")
    with attack.refused("wrong_code"):
        sign(siege, "rob", PASSWORD, meaning="rejected", code="000004", at="rob")
    assert people_rules.is_locked(siege.users["rob"].pk)


@pytest.mark.req("SIG-02", case="negative")
@pytest.mark.req("ACC-03", case="negative")
def test_a_passkey_answers_for_something_else(siege, attack):
    """With a stolen password: sign with one's own passkey, an answer for another page, one of an imitated page, one without PIN, one again, a copied key"""
    victim, own = (enrol_passkey(siege.place, siege.users[name]) for name in ("ruth", "rob"))
    at = siege.by("ruth")
    with siege.reading():
        what = queries.refusal_subject(siege.fresh_in(siege.lot), "reject")
    first, second = (ceremony.prepare(at, what, "rejected") for _ in range(2))
    challenge = challenge_of(bytes(first.nonce), bytes(first.payload_digest))
    for answer in (
        own.answer(challenge), victim.answer(challenge_of(bytes(second.nonce), bytes(second.payload_digest))),
        victim.answer(challenge, origin="https://cartulary.example"),
    ):  # fmt: skip
        with attack.refused("wrong_passkey"):
            sign(siege, "ruth", PASSWORD, passkey=answer, intent=first, at="ruth")
    with attack.refused("passkey_unverified"):
        sign(siege, "ruth", PASSWORD, passkey=victim.answer(challenge, flags=UP), intent=first, at="ruth")
    right = victim.answer(challenge)
    with attack.refused("wrong_secret"):
        sign(siege, "ruth", WRONG_PIN, passkey=right, intent=first, at="ruth")
    sign(siege, "ruth", PASSWORD, passkey=right, intent=first, at="ruth")
    with attack.refused("used_passkey"):
        sign(siege, "ruth", PASSWORD, passkey=right, intent=first, at="ruth")
    with attack.refused("passkey_counter"):
        sign(siege, "ruth", PASSWORD, passkey=victim.answer(challenge, count=1), intent=first, at="ruth")


@pytest.mark.req("SIG-12", case="negative")
def test_many_tries_at_the_same_moment(siege, attack):
    """Send many guesses at once, so that the right one is checked before the lock of the wrong ones stands"""
    # What five requests do before any of them has checked its secret; the sixth then brings the right one.
    for _ in range(5):
        begin_try(siege.users["maya"].pk, "pin")
    with attack.refused("wrong_secret"):
        sign(siege, "maya", PIN)
    assert people_rules.is_locked(siege.users["maya"].pk)
    assert PersonLock.objects.filter(user=siege.users["maya"], open=True).count() == 1


@pytest.mark.req("SIG-12", case="negative")
def test_guesses_are_spread_over_the_endpoints(siege, attack):
    """Guess twice at the signing page, twice under the cover, once more at the signing page"""
    browser = Client()
    browser.post("/sign-in/", {"username": siege.users["jonas"].username, "password": PASSWORD})
    for _ in range(2):
        with pytest.raises(RuleBroken):
            sign(siege, "maya", WRONG_PIN)
        browser.post("/unlock/", {"who": siege.users["maya"].username, "secret": WRONG_PIN})
    with pytest.raises(RuleBroken):
        sign(siege, "maya", WRONG_PIN)
    assert people_rules.is_locked(siege.users["maya"].pk)
    with attack.refused("locked_out"):
        sign(siege, "maya", PIN)


@pytest.mark.req("SIG-03", case="negative")
def test_a_signature_for_one_thing_is_used_for_another(siege, attack):
    """Prove oneself for a hold and use the proof to reject the lot; use one proof twice; at another station"""
    proof = sign(siege, "ruth", PIN)
    with attack.refused("intent_of_other_record"):
        release.reject(by=siege.by("ruth"), lot_id=siege.lot.pk, seen=siege.lot.version, reason="Because", proof=proof)
    with siege.reading():
        what = queries.refusal_subject(siege.fresh_in(siege.lot), "reject")
    elsewhere = ceremony.prepare(siege.by("boss"), what, "placed_on_hold")
    with attack.refused("intent_of_another"):
        sign(siege, "maya", PIN, intent=elsewhere, at="maya")


@pytest.mark.req("SIG-12", case="negative")
def test_a_person_is_stopped_between_the_secret_and_the_deed(siege, attack):
    """Prove oneself for a hold; before the deed signs: be locked out, lose the role, have the account closed"""
    boss = siege.users["boss"].pk

    def lock_out():
        people.lock_person(by=siege.by("maya"), user_id=boss, why="wrong PINs in a row")

    def end_roles():
        for grant in Grant.objects.filter(user_id=boss):
            people.end_grant(by=siege.place.setup, grant_id=grant.pk, seen=grant.version, reason="Left")

    def close():
        people.close_account(by=siege.by("adm"), user_id=boss, seen=User.objects.get(pk=boss).version, reason="Left")

    for stop, code in ((lock_out, "locked_out"), (end_roles, "not_your_role"), (close, "not_your_role")):
        with rolled_back():
            with siege.reading():
                what = lots.course_subject(siege.fresh_in(siege.young), "place on hold", reason="The incubator alarmed")
            proof = sign(siege, "boss", PIN, intent=ceremony.prepare(siege.by("boss"), what, "placed_on_hold"))
            stop()
            with attack.refused(code):
                holds.place_hold(by=siege.by("boss"), lot_id=siege.young.pk, reason="The incubator alarmed", proof=proof)


@pytest.mark.req("SIG-16", case="negative")
def test_a_background_actor_signs(siege, attack):
    """Sign as a background job that holds a person's secrets"""
    by = system_actor(siege.place.site.pk)
    with siege.reading():
        what = queries.refusal_subject(siege.fresh_in(siege.lot), "reject")
    intent = ceremony.prepare(by, what, "placed_on_hold")
    with attack.refused("only_people_sign"):
        ceremony.authenticate(by=by, intent_id=intent.pk, username=siege.users["maya"].username, secret=PIN)


@pytest.mark.req("ACC-02", case="negative")
def test_a_foreign_page_posts_for_a_person(siege, attack):
    """Post from a foreign page with the person's cookies: a form, JSON as text, a sign-in"""
    browser = Client(enforce_csrf_checks=True)
    inside = Client()
    inside.post("/sign-in/", {"username": siege.users["maya"].username, "password": PASSWORD})
    browser.cookies = inside.cookies
    attack.answered(browser.post("/me/pin/", {"pin": "975310", "pin_again": "975310", "current": PASSWORD}), 403)
    attack.answered(browser.post(f"/api/v1/lots/{siege.young.number}/hold/sign/", "{}", content_type="application/json"), 403)
    body = '{"username": "x", "password": "y"}'
    attack.answered(Client(enforce_csrf_checks=True).post("/api/v1/session/", body, content_type="text/plain"), 415)


@pytest.mark.req("SIG-02", case="negative")
def test_a_secret_is_kept_while_the_page_is_covered(siege, attack):
    """Post the secrets of two people to a page that is covered, and read the page that keeps what was typed"""
    browser = Client()
    browser.post("/sign-in/", {"username": siege.users["tess"].username, "password": PASSWORD})
    browser.post("/lock/")
    said = {"who": "tess", "secret": "SECRET-1", "second_who": "tina", "second_secret": "SECRET-2", "intent": "SECRET-3", "second_intent": "SECRET-4"}
    answer = browser.post(f"/lots/{siege.lot.number}/infusion/", said | {"volume": "98 mL"})
    assert answer.status_code == 423 and "98 mL" in answer.content.decode() and "SECRET-" not in answer.content.decode()
    attack.came_of_it("no secret is in the page")
