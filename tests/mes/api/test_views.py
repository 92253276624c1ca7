"""Who may call, and in what shape every refusal comes back."""

import uuid

import pytest
from django.test import Client

from mes.audit.models import AuditEntry
from mes.people import services
from mes.people.models import Role
from mes.permissions import Permission
from mes.records.context import site_context
from mes.records.models import SecurityEvent
from tests.builders.people import PASSWORD, open_place

pytestmark = [pytest.mark.django_db, pytest.mark.urls("tests.mes.api.views_for_tests")]


@pytest.fixture
def place():
    return open_place()


@pytest.fixture
def admin(place):
    place.person("anna.admin", [Permission.MANAGE_PEOPLE], role="Administrator", secrets=True)
    return signed_in("anna.admin")


def signed_in(username: str) -> Client:
    client = Client()
    answer = client.post("/api/v1/session/", {"username": username, "password": PASSWORD}, content_type="application/json")
    assert answer.status_code == 200, answer.content
    return client


def post(client, path, body, key=None, **headers):
    return client.post(path, body, content_type="application/json", headers={"Idempotency-Key": key or uuid.uuid4().hex, **headers})


def refused(answer, status: int, code: str) -> dict:
    """The problem that came back, checked for its whole shape."""
    assert answer.status_code == status, answer.content
    assert answer["Content-Type"] == "application/problem+json"
    problem = answer.json()
    assert {"type", "title", "status", "detail", "code", "field", "instance"} <= set(problem)
    assert (problem["status"], problem["code"]) == (status, code)
    assert problem["type"] == f"urn:cartulary:problem:{code}"
    assert problem["detail"].endswith(".")
    return problem


def events(place) -> list[str]:
    with site_context(place.site.pk):
        return list(SecurityEvent.objects.values_list("code", flat=True))


def test_a_stranger_is_told_to_sign_in():
    answer = Client().get("/api/v1/me/")
    refused(answer, 401, "not_signed_in")
    assert answer["WWW-Authenticate"].startswith("Bearer")


def test_me_names_person_site_and_rights(admin, place):
    me = admin.get("/api/v1/me/").json()
    assert (me["username"], me["site_code"], me["kind"]) == ("anna.admin", place.site.code, "person")
    assert me["roles"] == ["Administrator"]
    assert me["permissions"] == ["mes.manage_people"]


def test_a_wrong_password_is_refused_with_a_sentence_and_kept(place):
    place.person("ben", [Permission.READ_AUDIT], secrets=True)
    answer = Client().post("/api/v1/session/", {"username": "ben", "password": "not his at all"}, content_type="application/json")
    assert refused(answer, 403, "sign_in")
    assert "sign_in" in events(place)


def test_who_works_at_several_sites_names_one(place):
    other = open_place()
    place.person("nora", [Permission.READ_AUDIT], secrets=True)
    services.grant_role(by=other.setup, user=place.people["nora"], role=other.role([Permission.READ_AUDIT]))
    client, body = Client(), {"username": "nora", "password": PASSWORD}
    assert refused(client.post("/api/v1/session/", body, content_type="application/json"), 422, "site_missing")
    body["site"] = other.site.code
    assert client.post("/api/v1/session/", body, content_type="application/json").status_code == 200
    assert client.get("/api/v1/me/").json()["site_code"] == other.site.code


@pytest.mark.req("AUD-09", case="positive")
def test_signing_out_ends_the_session_and_both_are_kept(place):
    place.person("ben", [Permission.READ_AUDIT], secrets=True)
    client = signed_in("ben")
    assert client.delete("/api/v1/session/").status_code == 204
    refused(client.get("/api/v1/me/"), 401, "not_signed_in")
    with site_context(place.site.pk):
        kept = AuditEntry.objects.filter(by_username="ben", stream__startswith="security:").order_by("seq")
        assert [(entry.events, entry.channel) for entry in kept] == [(["mes.signed_in"], "api"), (["mes.signed_out"], "api")]


@pytest.mark.req("ACC-02", case="negative")
def test_a_change_by_session_needs_the_csrf_token(place):
    place.person("anna.admin", [Permission.MANAGE_PEOPLE], secrets=True)
    client = Client(enforce_csrf_checks=True)
    body = {"username": "anna.admin", "password": PASSWORD}
    token = client.post("/api/v1/session/", body, content_type="application/json").json()["csrf_token"]
    role = {"code": "a", "name": "A"}
    refused(post(client, "/api/v1/roles/", role), 403, "csrf_missing")
    assert post(client, "/api/v1/roles/", role, **{"X-CSRFToken": token}).status_code == 201
    fresh = client.get("/api/v1/session/").json()
    assert fresh["signed_in"]
    assert post(client, "/api/v1/roles/", role | {"code": "b"}, **{"X-CSRFToken": fresh["csrf_token"]}).status_code == 201


@pytest.mark.req("ACC-02", case="negative")
def test_a_person_without_the_right_is_refused_and_the_attempt_is_kept(place):
    place.person("ben", [Permission.READ_AUDIT], secrets=True)
    client = signed_in("ben")
    refused(post(client, "/api/v1/roles/", {"code": "a", "name": "A"}), 403, "not_your_role")
    refused(client.get("/api/v1/roles/"), 403, "not_your_role")
    assert events(place) == ["not_your_role", "not_your_role"]
    assert not Role.objects.filter(code="a").exists()


@pytest.mark.req("ACC-02", case="positive")
def test_a_right_that_ended_is_gone_at_the_next_call(admin, place):
    assert admin.get("/api/v1/roles/").status_code == 200
    (grant,) = place.people["anna.admin"].grants.all()
    services.end_grant(by=place.setup, grant_id=grant.pk, seen=grant.version, reason="left")
    refused(admin.get("/api/v1/roles/"), 401, "not_signed_in")


def test_a_deed_over_the_api_says_so_in_the_trail(admin, place):
    assert post(admin, "/api/v1/roles/", {"code": "a", "name": "A"}).status_code == 201
    with site_context(place.site.pk):
        entry = AuditEntry.objects.filter(by_username="anna.admin", events=["mes.role_defined"]).get()
    assert (entry.channel, entry.role) == ("api", "Administrator")


@pytest.mark.parametrize(
    ("body", "field", "words"),
    [
        ({"name": "A"}, "code", "code is missing"),
        ({"code": "", "name": "A"}, "code", "code is empty"),
        ({"code": None, "name": "A"}, "code", "code is null"),
        ({"code": "a", "name": "A", "weight": "1,234"}, "weight", "weight does not have the asked-for form"),
    ],
)
def test_input_of_another_shape_names_its_field(admin, body, field, words):
    problem = refused(post(admin, "/api/v1/roles/", body), 422, "unreadable_input")
    assert problem["field"] == field
    assert words in problem["detail"]
    assert problem["errors"][0]["field"] == field
    assert "invalid" not in problem["detail"].lower()


@pytest.mark.parametrize(
    ("call", "status", "code"),
    [
        (lambda c: c.put("/api/v1/me/", {}, content_type="application/json"), 405, "method_not_allowed"),
        (lambda c: c.post("/api/v1/me/", {}, content_type="application/json"), 405, "method_not_allowed"),
        (lambda c: c.get("/api/v1/nothing/here/"), 404, "no_such_address"),
        (lambda c: c.put("/api/v1/echo/", "{", content_type="application/json"), 400, "unreadable_body"),
        (lambda c: c.put("/api/v1/echo/", '{"a": 1, "a": 2}', content_type="application/json"), 400, "unreadable_body"),
        (lambda c: c.put("/api/v1/echo/", '{"a": NaN}', content_type="application/json"), 400, "unreadable_body"),
        (lambda c: c.put("/api/v1/echo/", "[" * 100_000, content_type="application/json"), 400, "unreadable_body"),
        (lambda c: c.put("/api/v1/echo/", "a", content_type="text/plain"), 415, "unsupported_media_type"),
        (lambda c: c.get("/api/v1/me/", headers={"Accept": "text/csv"}), 406, "not_acceptable"),
        (lambda c: c.get("/api/v1/echo/"), 409, "stale_screen"),
    ],
)
def test_every_refusal_has_the_same_shape(admin, call, status, code):
    refused(call(admin), status, code)


def test_the_field_of_a_broken_rule_comes_through(admin):
    assert admin.get("/api/v1/echo/").json()["field"] == "version"


def test_numbers_stay_as_they_were_typed(admin):
    answer = admin.put("/api/v1/echo/", '{"value": 1.10}', content_type="application/json")
    assert answer.json() == {"kind": "Decimal", "value": "1.10"}


def test_an_unforeseen_error_tells_nothing_of_the_inside(admin):
    admin.raise_request_exception = False
    body = {"code": "a", "name": "breaks before"}
    problem = refused(post(admin, "/api/v1/roles/", body), 500, "server_error")
    assert "ZeroDivision" not in str(problem)


def test_pages_begin_where_the_one_before_ended(admin, place):
    for number in range(5):
        place.role([Permission.READ_AUDIT], name=f"R{number}")
    seen, cursor = [], ""
    while True:
        page = admin.get("/api/v1/roles/", {"limit": 2} | ({"cursor": cursor} if cursor else {})).json()
        seen += [row["id"] for row in page["items"]]
        place.role([Permission.READ_AUDIT])  # rows that arrive meanwhile shift nothing
        cursor = page["next"]
        if not cursor:
            break
    assert len(seen) == len(set(seen)) == 6
    assert seen == sorted(seen, reverse=True)


@pytest.mark.parametrize("query", [{"cursor": "rubbish"}, {"limit": "0"}, {"limit": "ten"}, {"limit": "1000"}])
def test_a_cursor_or_limit_that_cannot_be_read_is_refused(admin, query):
    problem = admin.get("/api/v1/roles/", query)
    assert problem.status_code == 422
    assert problem.json()["field"] in query


# --- devices ----------------------------------------------------------------------------------------------------------


def test_a_device_is_known_by_its_token(place):
    _, token = place.device("cytometer-1", [Permission.READ_AUDIT])
    me = Client().get("/api/v1/me/", headers={"Authorization": f"Bearer {token}"}).json()
    assert (me["username"], me["kind"], me["permissions"]) == ("cytometer-1", "device", ["mes.read_audit"])


@pytest.mark.req("API-01", case="negative")
@pytest.mark.parametrize("spoil", [lambda t: t[:-1], lambda t: t + "x", lambda t: "ctd_000000000000_x", lambda t: "", lambda t: "a b"])
def test_another_token_opens_nothing(place, spoil):
    _, token = place.device("cytometer-1")
    refused(Client().get("/api/v1/me/", headers={"Authorization": f"Bearer {spoil(token)}"}), 401, "token_refused")


@pytest.mark.req("API-01", case="negative")
def test_an_unknown_token_costs_the_same_comparison_as_a_known_one(place, monkeypatch):
    from mes.people import device_auth

    _, token = place.device("cytometer-1")
    counted = []
    compare = device_auth.hmac.compare_digest
    monkeypatch.setattr(device_auth.hmac, "compare_digest", lambda one, other: counted.append((len(one), len(other))) or compare(one, other))
    for sent in (token, token[:-1], "ctd_000000000000_x", "ctd_x", "nothing"):
        counted.clear()
        Client().get("/api/v1/me/", headers={"Authorization": f"Bearer {sent}"})
        assert counted == [(64, 64)], f"{sent[:8]}: compared {counted}"


@pytest.mark.req("SIG-13", case="negative")
def test_a_revoked_token_opens_nothing_from_the_next_call_on(place):
    _, token = place.device("cytometer-1")
    keeper = place.person("anna.admin", [Permission.MANAGE_PEOPLE])
    (credential,) = place.people["cytometer-1"].device_credentials.all()
    header = {"Authorization": f"Bearer {token}"}
    assert Client().get("/api/v1/me/", headers=header).status_code == 200
    services.revoke_device_token(by=keeper, credential_id=credential.pk, seen=credential.version, reason="lost")
    refused(Client().get("/api/v1/me/", headers=header), 401, "token_refused")


@pytest.mark.req("API-01", case="negative")
def test_a_refused_token_is_kept_without_the_token_and_a_flood_of_them_is_told_to_wait(place):
    user, token = place.device("cytometer-1")
    wrong = {"Authorization": f"Bearer {token[:-2]}{'A' if token[-2] != 'A' else 'B'}{token[-1]}"}
    for _ in range(30):
        refused(Client().get("/api/v1/me/", headers=wrong), 401, "token_refused")
    answer = Client().get("/api/v1/me/", headers=wrong)
    refused(answer, 429, "too_many_requests")
    assert int(answer["Retry-After"]) > 0
    assert Client().get("/api/v1/me/", headers={"Authorization": f"Bearer {token}"}).status_code == 200
    assert events(place) == ["token_refused"] * 30
    with site_context(place.site.pk):
        kept = SecurityEvent.objects.first()
    assert token.split("_", 2)[2] not in f"{kept.sentence} {kept.subject} {kept.attempted}"
    assert kept.kind == "token_refused" and kept.channel == "api" and kept.subject


@pytest.mark.req("API-01", case="negative")
def test_a_device_that_went_wild_is_told_to_wait_and_no_other(place, settings):
    settings.REQUESTS_A_MINUTE = 5
    _, token = place.device("cytometer-1")
    _, other = place.device("cytometer-2")
    header = {"Authorization": f"Bearer {token}"}
    found = [Client().get("/api/v1/me/", headers=header).status_code for _ in range(12)]
    assert found[0] == 200 and found[-1] == 429
    assert Client().get("/api/v1/me/", headers={"Authorization": f"Bearer {other}"}).status_code == 200
