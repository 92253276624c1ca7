"""The API's description is whole, and everything its pages load comes from here."""

import re

import pytest
from django.contrib.staticfiles import finders
from django.core.management import call_command
from django.test import Client

pytestmark = pytest.mark.django_db

#: A POST without a key, each with its reason.
KEYLESS = {
    "/api/v1/session/": "signing in records nothing but the sign-in",
    "/api/v1/lots/{number}/evidence-file/": "every file is made anew, each making is an entry of the trail, and its bytes are kept nowhere",
    "/api/v1/labels/{label_id}/pdf/": "each look at a label that shows the patient is recorded; its answer is kept nowhere",
}


def test_the_schema_is_whole_and_without_a_warning(tmp_path):
    call_command("spectacular", validate=True, fail_on_warn=True, file=str(tmp_path / "schema.yml"))


def test_every_operation_names_how_it_is_refused_and_every_post_its_key():
    schema = Client().get("/api/v1/schema/", headers={"Accept": "application/json"}).json()
    assert schema["openapi"].startswith("3.")
    for path, operations in schema["paths"].items():
        for method, operation in operations.items():
            assert "application/problem+json" in operation["responses"]["default"]["content"], (method, path)
            keys = [p for p in operation.get("parameters", []) if p["name"] == "Idempotency-Key"]
            if method == "post" and path not in KEYLESS:
                assert keys and keys[0]["required"], path


def test_the_pages_load_nothing_from_elsewhere_and_run_nothing_inline():
    answer = Client().get("/api/v1/docs/")
    html = answer.content.decode()
    assert answer.status_code == 200
    assert "default-src 'self'" in answer["Content-Security-Policy"]
    assert not re.findall(r"""(?:src|href)=["'](?:https?:)?//""", html)
    assert not re.search(r"<script(?![^>]*\bsrc=)", html)
    assert "<style" not in html
    assert " style=" not in html
    files = re.findall(r"""(?:src|href)=["']/static/([^"']+)""", html)
    assert len(files) == 4
    assert all(finders.find(name) for name in files), files
