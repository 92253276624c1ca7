"""Input made to break what takes it."""

import json

import pytest
from django.test import Client

from batches.execution import services as steps
from batches.execution.models import Attachment, EntryAttempt
from mes.inspection.views import plain
from mes.web.pdf import PdfAsksOutside, render_pdf
from tests.builders.staff import PASSWORD

DANGER = "a wrong value stands, a value is lost, or a script runs"
SCRIPT = "<script>alert(1)</script>"


def browser(siege, who: str = "maya") -> Client:
    client = Client()
    assert client.post("/sign-in/", {"username": siege.users[who].username, "password": PASSWORD}).status_code == 302
    return client


@pytest.mark.req("EXE-04", case="negative")
@pytest.mark.parametrize(
    "typed",
    [
        "1e400", "1e-400", "１２", "٣", "NaN", "Infinity", "-0.0.0", "1,234", "1_000", "0x10", "1.2.3", "9" * 10_000, "8 2", "=1+1", SCRIPT, "12\x00", "\ud800",
        "−5",
    ],
)  # fmt: skip
def test_what_is_no_number_is_typed_as_one(siege, attack, typed):
    """Type numbers that are none: beyond all digits, other scripts, NaN, thousands, formulas, 10,000 digits, a character zero, half a surrogate"""
    made = steps.record_value(by=siege.by("maya"), step_run_id=siege.run(siege.young, "A1.2").pk, parameter="viability", text=typed)
    assert isinstance(made, EntryAttempt) and made.code
    with siege.reading():
        assert EntryAttempt.objects.filter(pk=made.pk).exists()
    attack.came_of_it("kept as an attempt, no value")


@pytest.mark.req("EXE-04", case="negative")
def test_a_character_that_no_record_holds_comes_over_http(siege, attack):
    """Send a character zero and half a surrogate pair over pages, addresses and the API"""
    client, at = browser(siege), f"/lots/{siege.young.number}/steps/A1.2/"
    attack.answered(client.post(f"{at}values/viability/", {"value": "12\x00"}), 422, "control character")
    attack.answered(client.get("/go/?code=%00"), 422)
    attack.answered(client.get("/lots/%00/"), 422)
    for text in ("12\x00", "\ud800"):
        body = json.dumps({"values": [{"parameter": "viability", "value": text}]})
        answer = client.post(f"/api/v1{at}values/", body, content_type="application/json", headers={"Idempotency-Key": "k" + str(len(text))})
        attack.answered(answer, 400, "unreadable_body")


@pytest.mark.req("DI-03", case="negative")
def test_a_body_is_nested_or_long_beyond_reason(siege, attack):
    """Send JSON nested 100,000 deep, a number of 100,000 digits, a name twice, NaN"""
    client = browser(siege)
    address = f"/api/v1/lots/{siege.young.number}/steps/A1.2/values/"
    for number, body in enumerate(("[" * 100_000, '{"values": ' + "9" * 100_000 + "}", '{"values": [], "values": []}', '{"values": NaN}')):
        answer = client.post(address, body, content_type="application/json", headers={"Idempotency-Key": f"deep-{number}"})
        attack.answered(answer, 400, "unreadable_body")


def test_a_script_is_put_into_texts_and_file_names(siege, attack):
    """Put a script into a file's name and content and into the reason of a hold, and open the pages"""
    run = siege.run(siege.young, "A1.2")
    name = f"../../{SCRIPT}\r\nSet-Cookie: a=b\u202e.svg"
    made = steps.attach(by=siege.by("maya"), step_run_id=run.pk, code="report", file_name=name, media_type="image/svg+xml", content=SCRIPT.encode())
    client, at = browser(siege), f"/lots/{siege.young.number}/steps/A1.2/"
    page = client.get(at)
    assert page.status_code == 200 and SCRIPT not in page.content.decode()
    with siege.reading():
        assert "/" not in Attachment.objects.get(pk=made.pk).file_name.replace("</script>", "")
    file = client.get(f"{at}file/{made.pk}/")
    assert file.status_code == 200 and file["Content-Type"] == "application/octet-stream" and file["Content-Disposition"].startswith("attachment")
    assert "\n" not in file["Content-Disposition"] and not file.cookies
    assert "script-src" not in page["Content-Security-Policy"] and "default-src 'self'" in page["Content-Security-Policy"]
    attack.came_of_it("shown as text; files are only saved, never shown")


def test_a_page_is_made_to_fetch_when_it_is_printed(attack):
    """Put pictures, styles and attachments with addresses of files and of this machine into a page that becomes a PDF"""
    fetched = (
        '<img src="file:///etc/passwd">', '<link rel=stylesheet href="http://127.0.0.1:1/x.css">', '<link rel=attachment href="file:///etc/passwd">',
        '<style>@import "http://127.0.0.1:1/y.css";</style>', "<style>body{background:url(file:///etc/passwd)}</style>",
    )  # fmt: skip
    for each in fetched:
        with pytest.raises(PdfAsksOutside):
            render_pdf(f"<html><head></head><body>{each}<p>x</p></body></html>")
    attack.came_of_it("nothing is fetched")


def test_a_cell_of_the_export_is_a_formula(siege, attack):
    """Put formulas into reasons and open the export of the trail in a spreadsheet"""
    for formula in ("=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1"):
        assert plain(formula).startswith("'")
    attack.came_of_it("marked as text")
