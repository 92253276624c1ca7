"""The gallery shows the real partials, says it is sample data, and every answer carries the headers."""

import re
from pathlib import Path

import pytest
from django.http import HttpResponse
from django.template.loader import render_to_string
from django.test import RequestFactory

from mes.web import csp, gallery, views

TEMPLATES = Path(__file__).parents[3] / "templates"


def page(name: str = "") -> str:
    request = RequestFactory().get("/ui/")
    answer = views.gallery_shell(request, name) if name else views.gallery(request)
    return answer.content.decode()


@pytest.mark.parametrize("name", ["", *gallery.SHELLS])
def test_each_page_is_drawn_and_says_it_is_sample_data(name):
    html = page(name)
    assert gallery.SAID in html
    assert "{#" not in html and "{{" not in html and "{%" not in html
    assert " style=" not in html


@pytest.mark.parametrize("name", ["", *gallery.SHELLS])
def test_a_power_is_never_a_bare_digit(name):
    assert not re.search(r"10(?:\^|\*)\d", re.sub(r'aria-label="[^"]*"|data-[\w-]+="[^"]*"', "", page(name)))


@pytest.mark.parametrize("name", ["", *gallery.SHELLS])
def test_ids_are_unique_on_each_page(name):
    ids = re.findall(r'\sid="([^"]+)"', page(name))
    assert len(ids) == len(set(ids)), sorted(one for one in ids if ids.count(one) > 1)


def test_a_shell_that_is_none_is_not_found():
    from django.http import Http404

    with pytest.raises(Http404):
        views.gallery_shell(RequestFactory().get("/ui/x/"), "x")


@pytest.mark.parametrize("name", ["list", "detail", "form", "home", "sign-in"])
def test_the_shells_of_the_desk_stand_without_any_context(name):
    assert "<main" in render_to_string(f"_shells/{name}.html")


@pytest.mark.parametrize("code", ["400", "403", "404", "500"])
def test_an_error_page_needs_no_context_and_says_what_was_done(code):
    html = render_to_string(f"{code}.html")
    assert code in html and "/static/css/tokens.css" in html


def test_the_paper_needs_nothing_from_elsewhere():
    html = render_to_string("_shells/certificate.pdf.html", gallery.certificate())
    assert "data:font/woff2;base64," in html
    assert not re.search(r'(?:src|href)="|url\("(?!data:)', html)
    style = re.sub(r"/\*.*?\*/", "", html, flags=re.S)
    assert "light-dark" not in style and "@layer" not in style


def test_each_font_file_of_the_paper_is_a_family_of_its_own():
    """The PDF renderer mixes up two files of one family and then prints r for ≤ and s for ≥: a wrong limit on a certificate."""
    from weasyprint import HTML

    style = render_to_string("base_pdf.html", {"lot": {}})
    families = re.findall(r'@font-face\{font-family:"([^"]+)"', style)
    assert len(families) == 2 == len(set(families))
    assert all(f'"{family}"' in style.split("html{font:")[1].split("}")[0] for family in families)
    pdf = HTML(string=style.replace("</body>", "≥ 80.0 % ≤ 5.0</body>")).write_pdf(uncompressed_pdf=True)
    assert b"Plex-Var" in pdf and b"Plex-Signs" in pdf


def test_a_field_that_was_refused_keeps_the_text_as_typed():
    p = {
        "id": "vol",
        "label": "Bag volume",
        "url": "/x/",
        "kind": "number",
        "value": "1,234",
        "unit": "mL",
        "state": "error",
        "message": "1,234 can be read as 1.234 or as 1234. Type it without a comma.",
    }
    html = render_to_string("_components/field.html", {"p": p})
    assert 'value="1,234"' in html and 'aria-invalid="true"' in html and "Type it without a comma." in html


def test_the_headers_allow_nothing_inline_and_nothing_from_elsewhere():
    answer = csp.SecurityHeaders(lambda request: HttpResponse())(RequestFactory().get("/"))
    policy = answer["Content-Security-Policy"]
    assert "default-src 'self'" in policy and "frame-ancestors 'none'" in policy
    assert "unsafe" not in policy and "*" not in policy and "http" not in policy
    assert answer["X-Content-Type-Options"] == "nosniff" and answer["X-Frame-Options"] == "DENY"
    assert answer["Referrer-Policy"] == "same-origin" and "camera=()" in answer["Permissions-Policy"]


def test_an_answer_with_its_own_policy_keeps_it():
    answer = csp.SecurityHeaders(lambda request: HttpResponse(headers={"Content-Security-Policy": "default-src 'none'"}))(RequestFactory().get("/"))
    assert answer["Content-Security-Policy"] == "default-src 'none'"
