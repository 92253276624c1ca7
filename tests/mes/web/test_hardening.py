"""What goes around every request: headers, bounds, lines of the log. Numbers are those of OWASP ASVS 5.0 (docs/validation/asvs.md)."""

import io
import json
import logging

import pytest
import structlog
from django.conf import settings as configured
from django.contrib.staticfiles.storage import staticfiles_storage
from django.test import Client

from mes.people import session
from tests.builders.staff import PASSWORD, signed_in

pytestmark = pytest.mark.django_db


@pytest.fixture
def maya(place):
    return place.person("maya", "operator")


@pytest.fixture
def lines():
    """What the log writes, line by line, as it stands in the file."""
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    root = logging.getLogger()
    handler.setFormatter(next(one.formatter for one in root.handlers if isinstance(one.formatter, structlog.stdlib.ProcessorFormatter)))
    root.addHandler(handler)
    yield lambda: [json.loads(line) for line in stream.getvalue().splitlines()]
    root.removeHandler(handler)


# --- headers: V3.3, V3.4, V3.5, V14.3 ---------------------------------------------------------------------------------


@pytest.mark.req("DI-03", case="negative")
@pytest.mark.parametrize("path", ["/me/", "/sign-in/", "/nowhere/", "/livez", "/api/v1/me/", "/api/v1/nothing/", "/static/js/lock.js", "/go/"])
def test_nothing_is_framed_embedded_shared_or_sniffed(maya, path):
    answer = signed_in(maya).get(path)
    answer.close()  # a file of static/ would stay open
    assert "frame-ancestors 'none'" in answer.headers["Content-Security-Policy"]
    assert answer.headers["Cross-Origin-Resource-Policy"] == "same-origin" and answer.headers["Cross-Origin-Opener-Policy"] == "same-origin"
    assert answer.headers["X-Content-Type-Options"] == "nosniff" and answer.headers["Referrer-Policy"] == "same-origin"
    assert "Access-Control-Allow-Origin" not in answer.headers


@pytest.mark.parametrize("path", ["/me/", "/nowhere/", "/api/v1/me/", "/api/v1/nothing/", "/go/", "/people/"])
def test_nothing_of_a_person_is_kept_by_a_browser(maya, path):
    assert signed_in(maya).get(path).headers["Cache-Control"] == "no-store"


def test_signing_out_takes_away_what_the_browser_holds(maya):
    client = signed_in(maya)
    assert client.post("/sign-out/").headers["Clear-Site-Data"] == '"cache"'
    assert client.get("/me/").url.startswith("/sign-in/")


def test_no_cookie_names_a_person_and_none_can_be_read_by_a_script(place, maya):
    client = Client()
    client.get("/sign-in/")
    client.post("/sign-in/", {"username": "maya", "password": "wrong wrong wrong"})
    answer = client.post("/sign-in/", {"username": "maya", "password": PASSWORD})
    assert "Maya" in client.get("/").content.decode()
    assert set(client.cookies) == {"cartulary_session", "cartulary_csrf", "cartulary_station"}
    for kept in (*client.cookies.values(), *answer.cookies.values()):
        assert kept["httponly"] and kept["samesite"] == "Lax" and kept["path"] == "/" and not kept["domain"], kept


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("/me/", "text/html; charset=utf-8"), ("/nowhere/", "text/html; charset=utf-8"), ("/livez", "application/json"),
        ("/api/v1/me/", "application/json"), ("/api/v1/nothing/", "application/problem+json"),
        ("/static/js/lock.js", 'text/javascript; charset="utf-8"'), ("/static/img/icon.svg", "image/svg+xml; charset=utf-8"),
    ],
)  # fmt: skip
def test_every_answer_says_what_it_is(maya, path, kind):
    answer = signed_in(maya).get(path)
    answer.close()
    assert answer.headers["Content-Type"] == kind


def test_nothing_stands_in_the_way_of_a_password_manager(client):
    scripts = "".join(path.read_text() for path in (configured.ROOT / "static" / "js").glob("*.js"))
    page = client.get("/sign-in/").content.decode()
    assert '"paste"' not in scripts and "onpaste" not in scripts + page
    assert 'autocomplete="username"' in page and 'autocomplete="current-password"' in page and 'type="password"' in page


def test_static_files_are_no_listing(client):
    assert client.get("/static/").status_code == 404 and client.get("/static/js/").status_code == 404
    answer = client.get(staticfiles_storage.url("js/lock.js"))
    answer.close()
    assert answer.headers["Content-Type"].startswith("text/javascript")


# --- bounds: V4.1, V5.2.1, V2.4.1 -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("path", "content_type", "setting"),
    [
        ("/sign-in/", "multipart/form-data; boundary=x", "LARGEST_UPLOAD"),
        ("/sign-in/", "application/x-www-form-urlencoded", "DATA_UPLOAD_MAX_MEMORY_SIZE"),
        ("/api/v1/session/", "application/json", "DATA_UPLOAD_MAX_MEMORY_SIZE"),
        ("/nowhere/", "text/plain", "DATA_UPLOAD_MAX_MEMORY_SIZE"),
    ],
)
def test_a_body_beyond_any_use_is_refused_before_it_is_read(client, path, content_type, setting):
    class Unread(io.BytesIO):
        def read(self, *size):
            raise AssertionError("the body was read")

    length = str(getattr(configured, setting) + 1)
    answer = client.generic("POST", path, b"", content_type=content_type, CONTENT_LENGTH=length, **{"wsgi.input": Unread()})
    assert answer.status_code == 413
    words = answer.json()["code"] if path.startswith("/api/") else answer.content.decode()
    assert ("body_too_large" if path.startswith("/api/") else "Nothing was read.") in words


@pytest.mark.parametrize("length", ["-1", "1e9", "٣", "12 "])
def test_a_length_that_is_none_is_refused(client, length):
    assert client.generic("POST", "/sign-in/", b"x", CONTENT_LENGTH=length).status_code == 422


def test_the_api_refuses_the_clear_and_pages_are_redirected(client, settings):
    settings.SECURE_SSL_REDIRECT = True
    answer = client.get("/api/v1/session/")
    assert answer.status_code == 403 and answer.json()["code"] == "https_only"
    assert client.get("/sign-in/").headers["Location"].startswith("https://")
    assert client.get("/api/v1/session/", secure=True).status_code == 200
    assert client.get("/livez").status_code == 200


@pytest.mark.parametrize("told", [{"HTTP_X_FORWARDED_PROTO": "https"}, {"HTTP_X_FORWARDED_SSL": "on"}, {"HTTP_FRONT_END_HTTPS": "on"}])
def test_who_has_no_proxy_of_ours_before_them_cannot_say_that_they_came_by_tls(client, settings, told):
    settings.SECURE_SSL_REDIRECT = True
    assert client.get("/api/v1/session/", **told).status_code == 403


def test_a_host_that_is_not_ours_is_answered_nothing(client):
    assert client.get("/sign-in/", HTTP_HOST="evil.example").status_code == 400
    assert client.get("/sign-in/", HTTP_X_FORWARDED_HOST="evil.example").status_code == 200
    assert "evil.example" not in client.get("/sign-in/", HTTP_X_FORWARDED_HOST="evil.example").content.decode()


def test_a_loop_that_went_wild_is_told_to_wait_and_nobody_else(place, maya, settings):
    settings.REQUESTS_A_MINUTE = 5
    client, other = signed_in(maya), signed_in(place.person("jonas", "operator"))
    found = [client.get("/api/v1/me/").status_code for _ in range(12)]
    assert found[0] == 200 and found[-1] == 429
    assert client.get("/me/").status_code == 429
    assert other.get("/me/").status_code == 200


@pytest.mark.req("DI-03", case="negative")
@pytest.mark.parametrize("method", ["TRACE", "CONNECT", "PROPFIND", "get"])
def test_a_verb_that_no_view_names_does_nothing(maya, method):
    client = signed_in(maya)
    for path in ("/me/", "/api/v1/me/"):
        answer = client.generic(method, path, HTTP_X_SAID="said-by-me")
        assert answer.status_code == 405 or method == "get", (path, answer.status_code)
        assert "said-by-me" not in answer.content.decode()


# --- ways out: V3.7.2 -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("to", ["https://evil.example/", "//evil.example/", "/\\evil.example/", "\\\\evil.example", "javascript:alert(1)", "/\t/evil.example"])
def test_no_address_that_was_sent_leads_away_from_here(place, maya, to):
    answer = Client().post("/sign-in/", {"username": "maya", "password": PASSWORD, "next": to})
    assert answer.url == "/"
    client = signed_in(maya)
    client.post("/lock/")
    opened = client.post("/unlock/", {"who": "maya", "secret": "482915", "kept": "note=x", "kept_for": to, "next": to})
    assert opened.status_code == 302 and opened.url == "/"


# --- production shows nothing made up: V15.2.3 ------------------------------------------------------------------------


def test_production_has_no_gallery(client, settings):
    assert client.get("/ui/").status_code == 200
    settings.CARTULARY_MODE = "production"
    assert client.get("/ui/").status_code == 404 and client.get("/ui/desk/").status_code == 404


# --- the log: V16.2, V16.3, V16.4 -------------------------------------------------------------------------------------


def test_every_answer_is_a_line_with_who_what_where_when_and_no_query(maya, lines):
    client = signed_in(maya)
    logging.getLogger("cartulary.answered").setLevel(logging.INFO)
    try:
        client.get("/go/?code=what-was-scanned")
        client.get(f"/people/{maya.pk}/?equipment=typed")
        client.get("/join/a-link-that-opens/")
    finally:
        logging.getLogger("cartulary.answered").setLevel(logging.WARNING)
    told = [line for line in lines() if line["event"] == "answered"]
    assert [(line["view"], line["status"]) for line in told] == [("mes:web:go", 404), ("mes:people:person", 403), ("mes:people:join", 404)]
    assert told[1]["ids"] == {"user_id": str(maya.pk)} and told[1]["user"] == str(maya.pk) and told[1]["site"] and told[1]["station"]
    assert all(line["timestamp"].endswith("Z") and len(line["request"]) == 32 and line["method"] == "GET" for line in told)
    everything = json.dumps(told)
    assert "what-was-scanned" not in everything and "typed" not in everything and "a-link-that-opens" not in everything


@pytest.mark.req("AUD-09", case="negative")
def test_a_line_cannot_be_forged_by_what_is_sent(client, lines):
    client.get('/nowhere%0a{"event": "signed_in", "user": "admin"}')
    client.post("/sign-in/", {"username": 'x\n{"event": "forged"}', "password": "y\r\nforged"})
    assert lines() and {line["event"] for line in lines()}.isdisjoint({"forged", "signed_in"})


def test_no_secret_that_was_sent_stands_in_the_log(maya, lines):
    logging.getLogger("cartulary.answered").setLevel(logging.INFO)
    try:
        client = signed_in(maya)
        client.post("/me/password/", {"current": PASSWORD, "new": "another long password 31", "again": "not the same one at all"})
        Client().get("/api/v1/me/", headers={"Authorization": "Bearer ctd_000000000000_said-by-a-device"})
        key = client.session.session_key
    finally:
        logging.getLogger("cartulary.answered").setLevel(logging.WARNING)
    text = json.dumps(lines())
    for secret in (PASSWORD, "another long password 31", "said-by-a-device", key):
        assert secret not in text


def test_an_error_that_nobody_foresaw_is_logged_and_tells_nothing(maya, monkeypatch, lines):
    from mes.people.views.own import OwnPage

    def breaks(self):
        raise ZeroDivisionError("the-inside")

    monkeypatch.setattr(OwnPage, "read", breaks)
    client = signed_in(maya)
    client.raise_request_exception = False
    answer = client.get("/me/")
    assert answer.status_code == 500 and "the-inside" not in answer.content.decode() and "Traceback" not in answer.content.decode()
    (line,) = [line for line in lines() if "the-inside" in line.get("exception", "")]
    assert line["level"] == "error" and line["request"] == answer.headers["X-Request-ID"]


def test_behind_our_proxy_the_address_is_the_one_it_saw(rf, settings):
    request = rf.get("/", HTTP_X_FORWARDED_FOR="198.51.100.9, 192.0.2.1", REMOTE_ADDR="127.0.0.1")
    assert session.address_of(request) == "127.0.0.1"
    settings.SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
    assert session.address_of(request) == "192.0.2.1"
