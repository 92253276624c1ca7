"""A POST that is sent twice happens once."""

import base64
import json
import uuid
from concurrent.futures import ThreadPoolExecutor
from threading import Event

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection

from mes.api import idempotency
from mes.api.models import IdempotencyKey
from mes.people.models import Role
from mes.permissions import Permission
from tests.builders.people import open_place
from tests.mes.api.test_views import post, refused, signed_in

pytestmark = pytest.mark.urls("tests.mes.api.views_for_tests")

BODY = {"code": "a", "name": "A", "weight": "1.50"}


@pytest.fixture
def place(db):
    return open_place()


@pytest.fixture
def admin(place):
    place.person("anna.admin", [Permission.MANAGE_PEOPLE], secrets=True)
    return signed_in("anna.admin")


def roles(code: str = "a") -> int:
    return Role.objects.filter(code=code).count()


@pytest.mark.req("API-04", case="negative")
def test_a_post_without_a_key_does_nothing(admin):
    refused(admin.post("/api/v1/roles/", BODY, content_type="application/json"), 400, "idempotency_key_missing")
    assert roles() == 0


@pytest.mark.parametrize("key", ["x" * 91, "kéy"])
def test_a_key_that_cannot_be_kept_does_nothing(admin, key):
    refused(post(admin, "/api/v1/roles/", BODY, key), 422, "idempotency_key_unreadable")


@pytest.mark.req("API-04", case="positive")
def test_a_repeat_gets_the_first_answer_and_changes_nothing(admin):
    first = post(admin, "/api/v1/roles/", BODY, "k1")
    again = post(admin, "/api/v1/roles/", {"weight": "1.50", "name": "A", "code": "a"}, "k1")
    assert (first.status_code, again.status_code) == (201, 201)
    assert again.content == first.content
    assert again["Location"] == first["Location"]
    assert again["Content-Type"] == first["Content-Type"]
    assert again["Idempotency-Replayed"] == "true"
    assert "Idempotency-Replayed" not in first
    assert roles() == 1


@pytest.mark.req("API-04", case="negative")
def test_the_same_key_with_another_body_is_refused(admin):
    post(admin, "/api/v1/roles/", BODY, "k1")
    refused(post(admin, "/api/v1/roles/", BODY | {"code": "b"}, "k1"), 422, "idempotency_key_reused")
    assert roles("b") == 0


def test_the_same_key_for_another_address_is_refused(admin):
    post(admin, "/api/v1/roles/", BODY, "k1")
    file = SimpleUploadedFile("a.csv", b"1;2")
    answer = admin.post("/api/v1/upload/", {"code": "u", "file": file}, headers={"Idempotency-Key": "k1"})
    refused(answer, 422, "idempotency_key_reused")


def test_two_people_may_use_the_same_key(admin, place):
    place.person("zoe.admin", [Permission.MANAGE_PEOPLE], secrets=True)
    post(admin, "/api/v1/roles/", BODY, "k1")
    other = post(signed_in("zoe.admin"), "/api/v1/roles/", BODY | {"code": "z"}, "k1")
    assert other.status_code == 201
    assert other.json()["code"] == "z"


def test_a_refusal_that_recorded_nothing_gives_the_key_back(admin):
    refused(post(admin, "/api/v1/roles/", {"code": "a"}, "k1"), 422, "unreadable_input")
    assert post(admin, "/api/v1/roles/", BODY, "k1").status_code == 201


def test_a_refusal_told_after_the_deed_is_replayed(admin):
    body = BODY | {"name": "refused after"}
    refused(post(admin, "/api/v1/roles/", body, "k1"), 409, "told_late")
    again = post(admin, "/api/v1/roles/", body, "k1")
    assert refused(again, 409, "told_late")
    assert again["Idempotency-Replayed"] == "true"
    assert roles() == 1


def test_an_error_before_the_deed_gives_the_key_back(admin):
    admin.raise_request_exception = False
    body = BODY | {"name": "breaks before"}
    refused(post(admin, "/api/v1/roles/", body, "k1"), 500, "server_error")
    refused(post(admin, "/api/v1/roles/", body, "k1"), 500, "server_error")
    assert post(admin, "/api/v1/roles/", BODY, "k1").status_code == 201


def test_an_error_after_the_deed_never_does_the_deed_again(admin):
    admin.raise_request_exception = False
    body = BODY | {"name": "breaks after"}
    refused(post(admin, "/api/v1/roles/", body, "k1"), 500, "server_error")
    refused(post(admin, "/api/v1/roles/", body, "k1"), 409, "idempotency_answer_lost")
    assert roles() == 1


def test_a_key_left_by_a_process_that_died_before_its_deed_is_used_again(admin, monkeypatch):
    admin.raise_request_exception = False
    monkeypatch.setattr(idempotency, "_give_back", lambda user_id, key: None)  # what a killed process never does
    body = BODY | {"name": "breaks before"}
    refused(post(admin, "/api/v1/roles/", body, "k1"), 500, "server_error")
    assert IdempotencyKey.objects.get(key="api:k1").status is None
    refused(post(admin, "/api/v1/roles/", BODY, "k1"), 422, "idempotency_key_reused")
    refused(post(admin, "/api/v1/roles/", body, "k1"), 500, "server_error")  # done again, for nothing was recorded
    assert roles() == 0


def test_files_are_compared_by_their_content(admin):
    def send(content: bytes):
        file = SimpleUploadedFile("a.csv", content)
        return admin.post("/api/v1/upload/", {"code": "u", "file": file}, headers={"Idempotency-Key": "k1"})

    assert send(b"1;2").json() == {"bytes": 3}
    again = send(b"1;2")  # the boundary between the parts is another one each time
    assert again.status_code == 201
    assert again["Idempotency-Replayed"] == "true"
    refused(send(b"1;3"), 422, "idempotency_key_reused")


def test_an_answer_that_is_no_text_is_replayed_byte_by_byte(admin):
    first = post(admin, "/api/v1/paper/", {"code": "p"}, "k1")
    assert (first.status_code, first["Content-Type"]) == (201, "application/pdf")
    again = post(admin, "/api/v1/paper/", {"code": "p"}, "k1")
    assert (again.content, again["Content-Type"], again["Idempotency-Replayed"]) == (first.content, "application/pdf", "true")
    assert roles("p") == 1


def test_answer_and_body_cannot_be_read_from_the_table(admin, place):
    body = BODY | {"name": "Wiesengrund"}
    post(admin, "/api/v1/roles/", body, "k1")
    kept = IdempotencyKey.objects.get(user_id=place.people["anna.admin"].pk)
    assert b"Wiesengrund" not in bytes(kept.answer)
    assert b'"code"' not in bytes(kept.answer)
    assert len(kept.fingerprint) == 64
    plain = json.loads(idempotency._unseal(bytes(kept.answer), kept.user_id, kept.key, kept.path))
    assert json.loads(base64.b64decode(plain["body"]))["code"] == "a"
    with pytest.raises(Exception, match="answer can no longer be read"):
        idempotency._unseal(bytes(kept.answer), kept.user_id, "api:other", kept.path)


def test_an_answer_kept_under_the_secret_before_is_still_replayed(admin, settings):
    first = post(admin, "/api/v1/roles/", BODY, "k1")
    settings.SECRET_KEY_FALLBACKS = [settings.SECRET_KEY]
    settings.SECRET_KEY = "another secret that is long enough to be one, 0123456789 abcdef"
    again = signed_in("anna.admin")  # sessions end with the secret, answers do not
    assert post(again, "/api/v1/roles/", BODY, "k1").content == first.content


def test_old_answers_are_forgotten(admin, place):
    post(admin, "/api/v1/roles/", BODY, "k1")
    assert idempotency.forget(days=1) == 0
    with connection.cursor() as cursor:
        cursor.execute("UPDATE mes_idempotencykey SET created_at = clock_timestamp() - interval '40 days'")
    assert idempotency.forget() == 1


def test_two_at_once_with_one_key_make_one_record(committed_db, monkeypatch):
    from tests.mes.api import views_for_tests

    place = open_place()
    place.person("anna.admin", [Permission.MANAGE_PEOPLE], secrets=True)
    clients = [signed_in("anna.admin"), signed_in("anna.admin")]
    begun, go_on = Event(), Event()
    real = views_for_tests.services.define_role

    def slow(**arguments):
        begun.set()
        assert go_on.wait(20)
        return real(**arguments)

    monkeypatch.setattr(views_for_tests.services, "define_role", slow)

    def send(client):
        try:
            return post(client, "/api/v1/roles/", BODY, "k1")
        finally:
            connection.close()

    with ThreadPoolExecutor(1) as pool:
        first = pool.submit(send, clients[0])
        assert begun.wait(20)
        refused(post(clients[1], "/api/v1/roles/", BODY, "k1"), 409, "idempotency_key_in_use")
        go_on.set()
        assert first.result().status_code == 201
    again = post(clients[1], "/api/v1/roles/", BODY, "k1")
    assert (again.status_code, again["Idempotency-Replayed"]) == (201, "true")
    assert roles() == 1
    assert uuid.UUID(again.json()["id"])
