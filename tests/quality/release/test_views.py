"""Pages and addresses of review, release, certificate and record, each person with a browser or session of their own."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import uuid
from urllib.parse import urlencode

import pytest

from batches.lots.models import Lot
from mes.audit.models import AuditEntry
from mes.people.setup import system_actor
from quality.alerts.services import raise_alert, record_delivery
from quality.release import queries, services
from quality.release.models import Certificate, ProductUse, ReleaseDecision
from quality.release.rendering import render_certificate, render_record, undrawn_certificates
from quality.review.models import Disposition, Review
from tests.builders.staff import PASSWORD, PIN, signed_in


def browser(judged, name):
    return signed_in(judged.users[name])


def intent_in(answer) -> str:
    return re.search(r'name="intent" value="([^"]+)"', answer.content.decode())[1]


def post(client, path: str, body: dict, *, status: int = 201):
    answer = client.post(f"/api/v1/{path}", json.dumps(body), content_type="application/json", HTTP_IDEMPOTENCY_KEY=str(uuid.uuid4()))
    assert answer.status_code == status, answer.content.decode()[:2000]
    return answer.json()


def get(client, path: str):
    answer = client.get(f"/api/v1/{path}")
    assert answer.status_code == 200, answer.content.decode()[:2000]
    return answer.json()


def jobs(judged):
    return system_actor(judged.place.site.pk)


def text_of(pdf: bytes, tmp_path, *how: str) -> str:
    if shutil.which("pdftotext") is None:
        pytest.skip("pdftotext (poppler-utils) is not installed")
    (tmp_path / "x.pdf").write_bytes(pdf)
    return subprocess.run(["pdftotext", *(how or ("-layout",)), str(tmp_path / "x.pdf"), "-"], capture_output=True, text=True, check=True).stdout


# --- pages ------------------------------------------------------------------------------------------------------------


@pytest.mark.req("REL-02", case="positive")
def test_from_review_to_certificate_on_pages(judged):
    lot = judged.made(viability="68.4")
    judged.tested(lot)
    judged.assess(lot)
    at = f"/lots/{lot.number}"
    reviewer = browser(judged, "quentin")
    assert "1 of 1 exception" in reviewer.get(f"{at}/review/").content.decode()
    assert reviewer.post(f"{at}/review/", {"act": "open"}).status_code == 303
    (line,) = judged.lines(lot)
    refused = reviewer.post(f"{at}/review/", {"exception": line.key, "decision": "justified", "comment": "ok"})
    assert refused.status_code == 409 and "at least 10 characters" in refused.content.decode()
    assert reviewer.post(f"{at}/review/", {"exception": line.key, "decision": "justified", "comment": "No effect, read twice by two"}).status_code == 303
    page = reviewer.get(f"{at}/review/sign/")
    assert "informational" in page.content.decode()
    who = {"who": judged.users["quentin"].username, "secret": PASSWORD}
    assert reviewer.post(f"{at}/review/sign/", {"intent": intent_in(page)} | who).status_code == 303
    certifier = browser(judged, "ruth")
    shown = certifier.get(f"{at}/release/").content.decode()
    assert "Certify, sterility pending" in shown and "Sterility is not final." in shown
    page = certifier.get(f"{at}/release/stage-1/")
    assert page.status_code == 200 and "Sterility" in page.content.decode()
    signed = {"intent": intent_in(page), "who": judged.users["ruth"].username, "secret": PASSWORD, "code": judged.code("ruth")}
    answer = certifier.post(f"{at}/release/stage-1/", signed)
    assert answer.status_code == 303 and answer.url == f"{at}/certificate/"
    shown = certifier.get(f"{at}/certificate/").content.decode()
    assert "STAGE 1: Sterility pending" in shown and "The PDF is being drawn." in shown
    assert certifier.get(f"{at}/certificate.pdf").status_code == 404
    with judged.reading():
        decision = ReleaseDecision.objects.get(lot=lot)
    render_certificate(jobs(judged), decision.pk)
    pdf = certifier.get(f"{at}/certificate.pdf")
    assert pdf["Content-Type"] == "application/pdf" and pdf.content.startswith(b"%PDF")
    page = certifier.get(f"{at}/release/withdraw/")
    assert page.status_code == 200 and "Withdraw" in page.content.decode()


@pytest.mark.req("REL-07", case="positive")
def test_the_page_of_a_lot_says_from_its_first_day_what_blocks_release(judged):
    lot = judged.order()
    panel = browser(judged, "maya").get(f"/lots/{lot.number}/gate/panel/", HTTP_HX_REQUEST="true")
    text = panel.content.decode()
    assert panel.status_code == 200 and "do not hold yet" in text and "steps before release are complete" in text
    states = re.findall(r'<li data-s="(\w*)">', browser(judged, "quentin").get(f"/lots/{lot.number}/release/").content.decode())
    assert states.index("") > max(at for at, state in enumerate(states) if state == "alarm"), "what does not hold stands first"


@pytest.mark.req("REL-01", case="positive")
def test_a_certified_lot_shows_its_conditions_as_they_were_certified_and_apart_what_is_otherwise_since(judged):
    lot = judged.ready()
    judged.certify(lot)
    at, reader = f"/lots/{lot.number}/release/", browser(judged, "quentin")

    def panels(stage: str = "") -> tuple[str, str]:
        page = reader.get(at + stage).content.decode()
        assert "as they stand now" not in page
        then, _, later = page.partition("Since then")
        return then, later.partition("</section>")[0]

    then, later = panels("?stage=stage_1")
    assert "as they stood when the lot was certified" in then and "Checked when Ruth Demo signed" in then
    assert 'data-s="alarm"' not in then and "Every condition answers as it did then." in later and "Release now is conditional" not in then

    judged.result(lot, "sterility", "sterile")
    then, later = panels("?stage=stage_1")
    assert 'data-s="alarm"' not in then and "Sterility is pending" in then
    assert "Pending then, no longer." in later and "Holds then, does not hold now. 2 entries came after it. It has to be signed again." in later
    assert 'data-s="alarm"' not in later and 'data-s="warn"' in later and "The lot is where this decision is made" not in later
    # The final certification is still to be decided: its conditions are asked now.
    assert "Final: 2 conditions do not hold yet" in reader.get(at).content.decode()

    judged.reviewed(lot)
    judged.certify(lot, "final", "rob")
    then, later = panels()
    assert "Final: the conditions as they stood" in then and "Checked when Rob Demo signed" in then and "Every condition answers as it did then." in later
    assert "Checked when Ruth Demo signed" in panels("?stage=stage_1")[0]


def test_who_has_no_right_gets_a_sentence_and_not_the_page(judged):
    lot = judged.order()
    operator = browser(judged, "maya")
    for path in ("review/", "release/", "release/stage-1/", "certificate/", "dispatch/", "infusion/"):
        assert operator.get(f"/lots/{lot.number}/{path}").status_code == 403, path
    assert operator.get(f"/lots/{lot.number}/record/").status_code == 200


def test_the_entries_that_met_every_rule_can_be_opened(judged):
    lot = judged.counted()
    text = browser(judged, "quentin").get(f"/lots/{lot.number}/review/entries/").content.decode()
    assert "Entries that met every rule" in text and "82.4" in text


def test_a_printed_certificate_is_checked_by_a_stranger_who_learns_no_more_than_the_paper_says(judged, client):
    lot = judged.ready()
    decision = judged.certify(lot)
    with judged.reading():
        decision = queries.standing_decision(judged.fresh_in(lot))
        code = queries.code_of(judged.place.site.code, queries.digest_of(decision))
    assert "No certificate has this code." in client.get(f"/verify/{code}/").content.decode()
    render_certificate(jobs(judged), decision.pk)
    text = client.get(f"/verify/{code}/").content.decode()
    assert "This certificate holds." in text and f"CERT-{lot.number}-1" in text and queries.digest_of(decision) in text
    assert judged.bag(lot).identifier not in text and "Demo hospital" not in text and lot.check_code not in text
    judged.result(lot, "sterility", "growth", review=False)
    text = client.get(f"/verify/{code}/").content.decode()
    assert "This certificate no longer holds." in text and "growth" not in text
    assert client.get("/verify/FL9-AAAA-AAAA-AAAA-AAAA-AAAA-AAAA/").status_code == 404
    assert client.get("/verify/").status_code == 200


@pytest.mark.req("COI-05", case="positive")
def test_two_persons_sign_the_infusion_on_one_page(judged):
    lot = judged.ready()
    judged.certify(lot)
    bag = judged.bag(lot)
    scanned = f"CTL:C:{bag.identifier}"
    at = f"/lots/{lot.number}"
    centre = browser(judged, "tess")
    where = {"from_place": "Site", "to_place": "Demo hospital"}
    proof = judged.hand_over_proof(lot, "dispatch", "boss", "dispatched", **where)
    services.dispatch(by=judged.by("boss"), container_id=bag.pk, scanned=scanned, proof=proof, **where)
    judged.received(lot)
    with judged.reading():
        from mes.clock import record_now

        now = record_now()
    from zoneinfo import ZoneInfo

    local = now.astimezone(ZoneInfo(judged.place.site.time_zone)).strftime("%Y-%m-%dT%H:%M")
    form = centre.get(f"{at}/infusion/").content.decode()
    zone = f"{record_now().astimezone(ZoneInfo(judged.place.site.time_zone)):%Z}"
    for name in ("started_at", "ended_at"):
        assert re.search(rf'name="{name}"[^>]*><span class="unit">{zone}</span><button type="button" class="btn" data-now="\d{{4}}-', form), name
    typed = {"scanned": scanned, "coi": f"CTL:T:{bag.lot.therapy_event.coi}", "infused": "yes", "started_at": local, "volume": "98 mL"}
    assert "typed in full" in centre.post(f"{at}/infusion/", typed).content.decode()
    typed |= {"by_scanner": "scanned coi"}
    asked = centre.get(f"{at}/infusion/").content.decode()
    assert "Use before" in asked and "Dose" in asked and '<span class="unit">mL</span>' in asked
    wrong = centre.post(f"{at}/infusion/", typed | {"coi": "COI-OF-SOMEBODY"})
    assert wrong.status_code == 409 and "Do not infuse" in wrong.content.decode()
    assert 'value="98 mL"' in wrong.content.decode()  # what was typed stands there
    early = centre.post(f"{at}/infusion/", typed | {"started_at": "2020-01-01T08:00"})
    assert early.status_code == 422 and "lies before" in early.content.decode() and 'value="2020-01-01T08:00' in early.content.decode()
    recap = centre.post(f"{at}/infusion/", typed)
    assert "typed in full" not in recap.content.decode() and "of 100 mL in the container" in recap.content.decode()
    above = centre.post(f"{at}/infusion/", typed | {"volume": "980 mL"})
    assert above.status_code == 422 and above["X-Refusal"] == "volume_above_bag" and 'value="980 mL"' in above.content.decode()
    assert "Both sign for lot" in recap.content.decode() and "98 mL" in recap.content.decode()
    signers = {"first_who": judged.users["tess"].username, "first_secret": PIN, "second_who": judged.users["tess"].username, "second_secret": PIN}
    alone = centre.post(f"{at}/infusion/", typed | signers | intents_in(recap))
    assert alone.status_code == 403 and "Another person" in alone.content.decode()
    two = typed | signers | {"second_who": judged.users["tina"].username}
    assert centre.post(f"{at}/infusion/", two | intents_in(alone)).status_code == 303
    with judged.reading():
        assert ProductUse.objects.get(lot=lot).infused
    after = centre.get(f"{at}/infusion/").content.decode()
    assert "What became of every container is recorded." in after and "Go to the signatures" not in after and "may not be given" not in after


@pytest.mark.req("SIG-15", case="negative")
def test_what_changes_after_it_was_shown_to_the_two_refuses_both_signatures(judged):
    lot = judged.ready()
    judged.certify(lot)
    bag, centre, page = judged.bag(lot), browser(judged, "tess"), f"/lots/{lot.number}/infusion/"
    typed = {
        "scanned": f"CTL:C:{bag.identifier}", "coi": bag.lot.therapy_event.coi, "infused": "no", "reason_code": "temperature",
        "reason": "Logger stopped on the way",
    }  # fmt: skip
    signers = {
        "first_who": judged.users["tess"].username, "first_secret": PIN, "second_who": judged.users["tina"].username, "second_secret": PIN,
    }  # fmt: skip
    unseen = centre.post(page, typed | signers)
    assert unseen["X-Refusal"] == "no_intent" and not judged_uses(judged, lot)
    shown = centre.post(page, typed)
    other = centre.post(page, typed | signers | intents_in(shown) | {"reason": "The logger was never started"})
    assert other.status_code == 409 and "changed since it was shown" in other.content.decode()
    shown = centre.post(page, typed)
    where = {"from_place": "Site", "to_place": "Demo hospital"}
    proof = judged.hand_over_proof(lot, "dispatch", "boss", "dispatched", **where)
    services.dispatch(by=judged.by("boss"), container_id=bag.pk, scanned=typed["scanned"], proof=proof, **where)
    moved = centre.post(page, typed | signers | intents_in(shown))
    assert moved.status_code == 409 and "changed since it was shown" in moved.content.decode() and not judged_uses(judged, lot)
    half = intents_in(moved)
    assert centre.post(page, typed | signers | half | {"second_intent": half["first_intent"]}).status_code == 403
    wrong = centre.post(page, typed | signers | intents_in(moved) | {"second_secret": "000111"})
    assert wrong["X-Refusal"] == "wrong_secret" and 'id="second-error"' in wrong.content.decode()
    assert centre.post(page, typed | signers | intents_in(wrong)).status_code == 303
    assert judged_uses(judged, lot) == [False]


def intents_in(answer) -> dict[str, str]:
    """The two intents that a page for two signatures is bound to."""
    return dict(re.findall(r'name="((?:first|second)_intent)" value="([^"]+)"', answer.content.decode()))


def judged_uses(judged, lot) -> list[bool]:
    with judged.reading():
        return list(ProductUse.objects.filter(lot=lot).values_list("infused", flat=True))


# --- the paper --------------------------------------------------------------------------------------------------------


@pytest.mark.req("REL-08", case="positive")
@pytest.mark.req("REC-01", case="positive")
def test_the_paper_prints_the_whole_stream_and_is_the_same_however_often_it_is_drawn(judged, tmp_path):
    from quality.release.paper import certificate_pdf
    from quality.release.rendering import signed_of

    lot = judged.tested(judged.made(viability="68.4"), evidence="illustrative")
    judged.assess(lot)
    told = raise_alert(by=jobs(judged), cause="test:door", severity="notice", title="The door stands open", body="Close it.", lot_id=lot.pk)
    for name, failure in (("boss", ""), ("quinn", "mail server away"), ("maya", "")):
        record_delivery(
            by=jobs(judged), alert_id=told.pk, channel="mail" if failure else "app", recipient=name, level=0, delivered=not failure, failure=failure
        )
    judged.reviewed(lot)
    decision = judged.certify(lot)
    with judged.reading():
        before = AuditEntry.objects.filter(stream=f"lot:{lot.pk}").count() - 1  # the certification itself came after
    first = render_certificate(jobs(judged), decision.pk)
    assert render_certificate(jobs(judged), decision.pk) is None
    with judged.reading():
        kept = Certificate.objects.get(pk=first.pk)
        signed = signed_of(ReleaseDecision.objects.select_related("signature__payload").get(pk=decision.pk))
    assert kept.entries == before
    pdf, entries = certificate_pdf(signed)
    assert pdf == bytes(kept.pdf) and entries == before
    text = text_of(pdf, tmp_path)
    assert f"{before} entries, numbers 1 to {before}" in text and f"End of the annex: {before} entries printed." in text
    assert "STAGE 1: Sterility pending" in text and "illustrative, not published" in text and "Demo data" in text
    pages = text.split("\f")[:-1]
    assert all("STAGE 1: Sterility pending" in page for page in pages) and f"Page {len(pages)} of {len(pages)}" in pages[-1]
    words = " ".join(text_of(pdf, tmp_path, "-raw").split())
    assert words.count("zone Europe/") == 1 and "Body weight" in words and re.search(r"88\.2 % tested \d{1,2} \w{3} \d{4}", words)
    for line in ("68.4 %", "DEV-", "no growth, day 1", "Ruth Demo", "Qualified Person", signed.digest):
        assert line in words, line
    numbers = [int(found) for found in re.findall(r"^\s{0,3}(\d+)(?: to)?(?: \d+)?\s{2,}\d{1,2} \w{3} \d{4}", text, re.M)]
    assert len(numbers) == len(set(numbers))
    # One alert told to several people is one row, with a line for each entry.
    assert "3 entries" in words and "Alert told: The door stands open" in words
    assert re.search(r"(\d+) boss \(app\), .+ (\d+) not quinn \(mail\): mail server away, .+ (\d+) maya \(app\), ", words)
    folded = [int(found) for found in re.findall(r"(\d+) (?:not )?\w+ \((?:app|mail)\)[:,]", words)]
    assert sorted({*numbers, *folded}) == list(range(1, before + 1))


@pytest.mark.req("REL-03", case="positive")
def test_the_final_certificate_supersedes_and_never_overwrites(judged):
    lot = judged.ready()
    first = judged.certify(lot)
    render_certificate(jobs(judged), first.pk)
    judged.result(lot, "sterility", "sterile")
    judged.reviewed(lot)
    final = judged.certify(lot, "final", "rob")
    render_certificate(jobs(judged), final.pk)
    render_record(jobs(judged), final.pk)
    with judged.reading():
        kept = list(Certificate.objects.filter(lot=lot).order_by("recorded_at").values_list("number", "stage"))
    assert kept == [(f"CERT-{lot.number}-1", "stage_1"), (f"CERT-{lot.number}-2", "final")]
    shown = browser(judged, "ruth").get(f"/lots/{lot.number}/certificate/CERT-{lot.number}-1/").content.decode()
    assert "A later certificate took the place of this one." in shown and "took its place" in shown and "NO LONGER VALID" not in shown
    assert browser(judged, "ruth").get(f"/lots/{lot.number}/record.pdf").content.startswith(b"%PDF")


def test_the_sweep_draws_what_a_lost_message_left_and_only_then(judged):
    from tests.builders.registers import move_clock

    lot = judged.ready()
    judged.certify(lot)
    assert undrawn_certificates(jobs(judged)) == 0
    move_clock(hours=1)
    assert undrawn_certificates(jobs(judged)) == 1
    assert undrawn_certificates(jobs(judged)) == 0


# --- the API ----------------------------------------------------------------------------------------------------------


@pytest.mark.req("REL-03", case="positive")
def test_review_certification_certificate_and_evidence_over_the_api(judged):
    lot = judged.made(viability="68.4")
    judged.tested(lot)
    judged.assess(lot)
    at = f"lots/{lot.number}"
    reviewer, certifier = browser(judged, "quentin"), browser(judged, "ruth")
    assert post(reviewer, f"{at}/review/", {})["state"] == "open"
    shown = get(reviewer, f"{at}/review/")
    assert shown["entries"] == shown["informational"] + shown["significant"] and shown["to_decide"] == 1
    post(
        reviewer,
        f"{at}/review/decisions/",
        {"exception": shown["exceptions"][0]["exception"], "decision": "justified", "comment": "No effect, read twice by two"},
    )
    prepared = get(reviewer, f"{at}/review/sign/")
    signed = post(reviewer, f"{at}/review/sign/", {"intent": prepared["intent"], "username": judged.users["quentin"].username, "secret": PASSWORD})
    assert signed["meaning"] == "reviewed"
    gate = get(certifier, f"{at}/gate/")
    assert gate["open"] and gate["stage"] == "stage_1"
    prepared = get(certifier, f"{at}/certify/?stage=stage_1")
    assert prepared["content"]["stamp"] == "STAGE 1: Sterility pending" and prepared["proof"] == "certify"
    body = {"intent": prepared["intent"], "username": judged.users["ruth"].username, "secret": PASSWORD}
    assert post(certifier, f"{at}/certify/?stage=stage_1", body, status=403)["code"] == "code_missing"
    post(certifier, f"{at}/certify/?stage=stage_1", body | {"code": judged.code("ruth")})
    with judged.reading():
        decision = ReleaseDecision.objects.get(lot=lot)
    render_certificate(jobs(judged), decision.pk)
    (certificate,) = get(certifier, f"{at}/certificates/")
    assert certificate["valid"] and certificate["number"] == f"CERT-{lot.number}-1"
    pdf = certifier.get(f"/api/v1/{at}/certificates/{certificate['number']}/pdf/")
    assert pdf.status_code == 200 and pdf.content.startswith(b"%PDF")
    import base64
    import hashlib

    assert hashlib.sha256(pdf.content).hexdigest() == certificate["sha256"]
    evidence = get(certifier, f"{at}/evidence/")
    before = "0" * 64
    for entry in evidence["entries"]:
        canon = bytes.fromhex(entry["canon"])
        assert json.loads(canon)["prev"] == before
        before = hashlib.sha256(b"cartulary:entry:v1\x00" + canon).hexdigest()
        assert before == entry["hash"]
    assert evidence["stream"]["head"] == before and evidence["stream"]["entries"] == len(evidence["entries"])
    for signature in evidence["signatures"]:
        assert hashlib.sha256(b"cartulary:signature:v1\x00" + base64.b64decode(signature["payload"])).hexdigest() == signature["digest"]
    assert get(browser(judged, "quinn"), f"{at}/record/")["lot"] == lot.number


def test_a_closed_gate_and_a_lot_unknown_here_are_answered_with_the_same_codes_as_on_the_page(judged):
    lot = judged.order()
    certifier = browser(judged, "ruth")
    gate = get(certifier, f"lots/{lot.number}/gate/?stage=final")
    assert not gate["open"] and {line["code"] for line in gate["lines"] if not line["ok"]} >= {"steps", "review", "results_in"}
    prepared = get(certifier, f"lots/{lot.number}/certify/?stage=final")
    body = {"intent": prepared["intent"], "username": judged.users["ruth"].username, "secret": PASSWORD, "code": judged.code("ruth")}
    assert post(certifier, f"lots/{lot.number}/certify/?stage=final", body, status=409)["code"] == "gate_closed"
    assert certifier.get("/api/v1/lots/NOWHERE-1/gate/").json()["code"] == "not_found"
    assert certifier.get(f"/api/v1/lots/{lot.number}/certify/?stage=second").json()["code"] == "unknown_stage"
    assert browser(judged, "maya").get(f"/api/v1/lots/{lot.number}/evidence/").status_code == 403
    with judged.reading():
        assert (
            not Disposition.objects.filter(lot=lot).exists() and not Review.objects.filter(lot=lot).exists() and Lot.objects.get(pk=lot.pk).state == "ordered"
        )


@pytest.mark.req("REL-06", case="positive")
@pytest.mark.req("SIG-15", case="negative")
@pytest.mark.req("COI-05", case="negative")
def test_dispatch_and_use_over_the_api(judged):
    lot = judged.ready()
    judged.certify(lot)
    bag = judged.bag(lot)
    supervisor, centre = browser(judged, "boss"), browser(judged, "tess")
    query = f"lots/{lot.number}/dispatch/?scanned=CTL:C:{bag.identifier}&from_place=Site&to_place=Demo+hospital"
    prepared = get(supervisor, query)
    post(supervisor, query, {"intent": prepared["intent"], "username": judged.users["boss"].username, "secret": PIN})
    facts = {
        "scanned": f"CTL:C:{bag.identifier}", "coi": f"CTL:T:{bag.lot.therapy_event.coi}", "infused": "false",
        "reason_code": "temperature", "reason": "Logger stopped on the way",
    }  # fmt: skip
    secrets = {"username": judged.users["tess"].username, "secret": PIN, "second_username": judged.users["tina"].username, "second_secret": "000111"}
    at, beside = f"lots/{lot.number}/use/", browser(judged, "tina")
    assert post(centre, at, facts | secrets, status=422)["code"] == "unreadable_input", "nobody signs what was shown to nobody"
    shown = [get(who, f"{at}{which}/?{urlencode(facts)}") for who, which in ((centre, "first"), (beside, "second"), (centre, "second"))]
    assert [each["meaning"] for each in shown] == ["not_infused", "confirmed_identity", "confirmed_identity"]
    assert shown[0]["content"] == shown[1]["content"] and shown[0]["content"]["reason"] == facts["reason"]
    body = facts | secrets | {"intent": shown[0]["intent"], "second_intent": shown[1]["intent"]}
    assert post(centre, at, body, status=403)["code"] == "wrong_secret"
    body["second_secret"] = PIN
    assert post(centre, at, body | {"second_intent": shown[2]["intent"]}, status=403)["code"] == "intent_of_another", "it was shown to the other one"
    assert post(centre, at, body | {"reason": "Another reason"}, status=409)["code"] == "stale_screen"
    assert judged.fresh(lot).state != "manufactured_not_infused"
    assert centre.get(f"/api/v1/{at}third/?{urlencode(facts)}").status_code == 404
    made = post(centre, at, body)
    assert made["infused"] is False and made["second"] == "Tina Demo"
    assert judged.fresh(lot).state == "manufactured_not_infused"
