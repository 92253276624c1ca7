"""The kit of pages: who gets in, where a scan leads, what a refusal looks like, whether the server is ready."""

import pytest
from django.db import connection
from django.test import Client
from django.urls import URLPattern, get_resolver

from mes.errors import RuleBroken
from mes.web import panels, scan_targets
from mes.web.pages import Page
from tests.builders.staff import signed_in

pytestmark = pytest.mark.django_db
OPEN = {"sign_in", "choose_site", "second_factor", "sign_out", "lock", "unlock", "switch", "join", "alive", "ready", "gallery", "gallery_shell", "verify", "verify_code"}
"""Addresses that answer without a session, by name; each says so itself."""


@pytest.fixture
def maya(place):
    return place.person("maya", "operator", badge="B-0001")


# --- who gets in -----------------------------------------------------------------------------------------------------


def pages():
    """Every page class behind an address, with its name."""

    def walk(patterns):
        for one in patterns:
            if isinstance(one, URLPattern):
                yield one
            else:
                yield from walk(one.url_patterns)

    for pattern in walk(get_resolver().url_patterns):
        view = getattr(pattern.callback, "view_class", None)
        if view is not None and issubclass(view, Page):
            yield pattern, view


@pytest.mark.req("ACC-02", case="negative")
def test_every_page_without_a_session_leads_to_the_sign_in(client):
    asked = 0
    for pattern, view in pages():
        if view.open_to_all:
            assert pattern.name in OPEN, f"{pattern.name} is open to all; list it with a reason"
            continue
        for method in ("get", "post"):
            answer = call_bare(view, method)
            assert answer.status_code == 302 and answer.url.startswith("/sign-in/"), pattern
        asked += 1
    assert asked >= 15


def call_bare(view, method):
    from django.test import RequestFactory

    request = getattr(RequestFactory(), method)("/somewhere/")
    request.actor, request.site, request.rights, request.htmx = None, None, frozenset(), False
    return view.as_view()(request)


def test_without_a_session_htmx_is_sent_to_the_sign_in_as_a_whole_page(client):
    answer = client.get("/people/", headers={"HX-Request": "true"})
    assert answer.headers["HX-Redirect"] == "/sign-in/"


def test_after_signing_in_one_is_back_where_one_wanted(client, maya):
    asked = client.get("/me/?tab=1")
    assert asked.url == "/sign-in/?next=%2Fme%2F%3Ftab%3D1"


# --- the first page, scans -------------------------------------------------------------------------------------------


def test_the_first_page_names_the_person_and_shows_only_panels_of_their_rights(place, maya):
    text = signed_in(maya).get("/").content.decode()
    assert "Maya" in text and "/people/locked/" not in text and "/audit/" not in text
    text = signed_in(place.person("olga", "administrator")).get("/").content.decode()
    assert 'hx-get="/people/locked/"' in text and '<a href="/people/locked/">' in text and 'href="/people/"' in text


def test_a_panel_is_a_fragment_for_htmx_and_a_page_without_script(place):
    client = signed_in(place.person("olga", "administrator"))
    assert "<html" not in client.get("/people/locked/", headers={"HX-Request": "true"}).content.decode()
    assert "<html" in client.get("/people/locked/").content.decode()


@pytest.mark.parametrize("right", ["mes.manage_people", "mes.read_audit"])
def test_whoever_may_open_the_register_of_people_finds_it_in_the_navigation(right):
    assert "/people/" in [line["url"] for line in panels.nav_for({right}, "/")]


def test_every_registered_panel_and_line_of_navigation_leads_somewhere():
    assert list(panels.unknown_names()) == []


def test_a_scan_leads_to_the_thing_scanned(place, maya, monkeypatch):
    monkeypatch.setattr(scan_targets, "_resolvers", [*scan_targets._resolvers])
    scan_targets.register(lambda scanned: f"/things/{scanned.text}/" if scanned.text.startswith("T-") else None)
    client = signed_in(maya)
    assert client.get("/go/", {"code": " T-100 "}).url == "/things/T-100/"
    unknown = client.get("/go/", {"code": "X-1"})
    assert unknown.status_code == 404 and "Nothing at this site has the code X-1" in unknown.content.decode()
    assert client.get("/go/").status_code == 422


def test_a_badge_scanned_anywhere_asks_who_is_there(maya):
    client = signed_in(maya)
    answer = client.get("/go/", {"code": "B-0001"}, follow=True)
    assert 'name="who" value="B-0001"' in answer.content.decode()
    assert client.get("/me/").status_code == 302


# --- refusals --------------------------------------------------------------------------------------------------------


def test_a_page_that_is_none_says_so_in_words(client):
    answer = client.get("/nowhere/")
    assert answer.status_code == 404 and "There is no such page." in answer.content.decode()


def test_every_answer_has_an_id_a_policy_and_is_not_kept(maya):
    answer = signed_in(maya).get("/me/")
    assert len(answer.headers["X-Request-ID"]) == 32
    assert "default-src 'self'" in answer.headers["Content-Security-Policy"]
    assert answer.headers["Cache-Control"] == "no-store"


@pytest.mark.req("DI-03", case="negative")
@pytest.mark.parametrize("path", ["/me/", "/sign-in/", "/nowhere/", "/livez", "/api/v1/me/"])
def test_no_answer_lets_a_script_run_that_is_not_a_file_of_ours(maya, path):
    answer = signed_in(maya).get(path)
    rules = dict(each.strip().partition(" ")[::2] for each in answer.headers.get("Content-Security-Policy", "").split(";"))
    assert rules.get("default-src") == "'self'" and not {"script-src", "style-src"} & set(rules)
    assert (rules["object-src"], rules["base-uri"], rules["form-action"], rules["frame-ancestors"]) == ("'none'", "'none'", "'self'", "'none'")
    assert answer.headers["X-Content-Type-Options"] == "nosniff" and answer.headers["X-Frame-Options"] == "DENY"


def test_a_form_from_before_a_sign_in_is_refused_with_a_sentence(maya):
    client = Client(enforce_csrf_checks=True)
    answer = client.post("/sign-in/", {"username": "maya", "password": "x"})
    assert answer.status_code == 403 and "This page is from before" in answer.content.decode()


def test_a_broken_rule_nobody_answered_becomes_a_page_or_a_problem(rf):
    from mes.web.middleware import BrokenRules

    broken = RuleBroken("lot_on_hold", "The lot is on hold. QA can resume it.", field="lot")
    request = rf.get("/api/v1/lots/")
    request.htmx, request.id = False, "abc"
    answer = BrokenRules(lambda _: None).process_exception(request, broken)
    assert answer.status_code == 409 and answer.headers["Content-Type"] == "application/problem+json"
    assert b'"code": "lot_on_hold"' in answer.content and b'"title": "The lot is on hold."' in answer.content


# --- health ----------------------------------------------------------------------------------------------------------


def test_the_process_lives_and_is_ready(client):
    assert client.get("/livez").json() == {"alive": True}
    answer = client.get("/readyz")
    assert answer.status_code == 200
    told = ("ready", "database", "migrations", "guards", "role", "redis", "sweeps", "anchors", "clock")
    assert answer.json() == dict.fromkeys(told, True)


def test_redis_is_told_and_not_required(client, settings):
    settings.CELERY_BROKER_URL = "redis://127.0.0.1:1/0"
    answer = client.get("/readyz")
    assert answer.status_code == 200 and answer.json()["redis"] is False


@pytest.mark.req("AUD-05", case="negative")
def test_a_missing_guard_makes_the_server_not_ready(client, monkeypatch):
    from mes.records import guards

    monkeypatch.setattr(guards, "missing", lambda connection: ["trigger guard_change on mes_signature is missing"])
    answer = client.get("/readyz")
    assert answer.status_code == 503 and answer.json()["guards"] is False
    assert "mes_signature" not in answer.content.decode()


def test_the_site_context_of_a_page_does_not_outlive_it(maya):
    signed_in(maya).get("/me/")
    with connection.cursor() as cursor:
        cursor.execute("SELECT nullif(current_setting('cartulary.site', true), '')")
        assert cursor.fetchone()[0] is None
