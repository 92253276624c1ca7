import re

import pytest

from batches.custody.models import Label
from batches.custody.queries import hand_over_subject
from batches.custody.services import hand_over
from batches.lots import queries
from mes.people import totp
from mes.records.context import site_context
from mes.records.models import SecurityEvent
from tests.builders.registers import din
from tests.builders.staff import PIN, enrol_authenticator, open_site, outside, signed_in


@pytest.fixture
def browser(world):
    def open_for(name):
        world.by(name)
        return signed_in(world.users[name])

    return open_for


@pytest.mark.req("COI-06", case="positive")
def test_a_label_is_printed_opened_used_and_counted_on_the_pages(world, browser):
    lot = world.started()
    url, client = f"/lots/{lot.number}/labels/", browser("olga")
    with site_context(world.site.pk):
        bag = queries.containers_of(lot)[0]
    assert client.post(url, {"container": str(bag.pk)}).status_code == 303
    again = client.post(url, {"container": str(bag.pk)})
    assert again.status_code == 409 and "needs a reason" in again.content.decode()
    with site_context(world.site.pk):
        label = Label.objects.get()
    pdf = client.get(f"{url}{label.pk}/label.pdf")
    assert pdf.content.startswith(b"%PDF") and pdf["Cache-Control"] == "no-store, private"
    use = {"seen": "1", "scanned_label": f"CTL:C:{bag.identifier}", "scanned_container": f"CTL:D:{din()}"}
    by_hand = client.post(f"{url}{label.pk}/use/", use)
    assert by_hand.status_code == 422 and by_hand["X-Refusal"] == "label_not_scanned"
    use |= {"by_scanner": "scanned_label scanned_container"}
    old_by_hand = client.post(f"{url}{label.pk}/use/", use | {"by_scanner": "scanned_label"})
    assert old_by_hand.status_code == 422 and old_by_hand["X-Refusal"] == "typed_alone"
    assert client.post(f"{url}{label.pk}/use/", use | {"scanned_container": f"CTL:D:{din(2)}"}).status_code == 409
    alone = client.post(f"{url}{label.pk}/use/", use | {"scanned_container": din()})
    assert alone.status_code == 422 and 'name="second_who"' in alone.content.decode()
    assert client.post(f"{url}{label.pk}/use/", use).status_code == 303
    assert "Every printed label is accounted for." in client.get(url).content.decode()
    assert client.post(f"{url}{label.pk}/destroy/", {"seen": "2", "reason": "Came off."}).status_code == 303


def test_a_hand_over_is_signed_with_the_scan_of_the_container(world, browser):
    lot = world.order()
    with site_context(world.site.pk):
        bag = queries.containers_of(lot)[0]
    client, url = browser("nora"), f"/lots/{lot.number}/containers/{bag.pk}/hand-over/to_manufacture/"
    details = {"from_place": "Ward 3", "to_place": "Courier", "seal": "S-17", "carrier": "DHL", "temperature_min": "2.4 °C"}

    def show(scanned):
        return client.post(url, details | {"scanned": scanned, "by_scanner": "scanned"})

    def sign(shown, **more):
        intent = shown.content.decode().split('name="intent" value="')[1].split('"')[0]
        sent = {"intent": intent, "who": "nora.utr", "secret": PIN, "scanned": f"CTL:C:{bag.identifier}", "by_scanner": "scanned"}
        return client.post(url, sent | details | more)

    assert 'name="intent"' not in client.get(url).content.decode()
    wrong = show("5901234123457")
    assert wrong["X-Refusal"] == "container_unknown" and 'name="intent"' not in wrong.content.decode() and "Ward 3" in wrong.content.decode()
    assert client.post(url, details | {"scanned": bag.identifier, "to_place": ""}).status_code == 422
    with site_context(world.site.pk):
        assert SecurityEvent.objects.filter(code="container_unknown", attempted="hand_over").exists()
    shown = show(f"CTL:C:{bag.identifier}")
    recap = shown.content.decode().split('class="recap"')[1].split("</table>")[0]
    assert all(text in recap for text in ("Ward 3", "Courier", "S-17", "DHL", "2.4 °C"))
    assert sign(shown, by_scanner="")["X-Refusal"] == "typed_alone"
    assert sign(show(f"CTL:C:{bag.identifier}"), to_place="Elsewhere")["X-Refusal"] == "stale_screen"
    assert sign(show(f"CTL:C:{bag.identifier}")).status_code == 303
    labels = client.get(f"/lots/{lot.number}/labels/").content.decode()
    assert "seal S-17" in labels and "courier DHL" in labels and "2.4 °C" in labels
    assert client.get(f"/lots/{lot.number}/containers/{bag.pk}/hand-over/dispatch/").status_code == 404
    assert browser("olga").get(url).status_code == 403


@pytest.mark.req("COI-04", case="negative")
def test_the_page_of_a_hand_over_says_its_limits_keeps_what_is_no_temperature_and_shows_what_opens_a_deviation(world, browser):
    lot = world.order()
    with site_context(world.site.pk):
        bag = queries.containers_of(lot)[0]
    client, url = browser("nora"), f"/lots/{lot.number}/containers/{bag.pk}/hand-over/to_manufacture/"
    assert "Limits 2 to 8 °C." in client.get(url).content.decode()
    details = {"from_place": "Ward 3", "to_place": "Courier", "scanned": f"CTL:C:{bag.identifier}", "by_scanner": "scanned"}
    text = client.post(url, details | {"temperature_max": "warm"})
    assert text.status_code == 422 and text["X-Refusal"] == "not_a_number"
    assert 'value="warm"' in text.content.decode() and 'name="intent"' not in text.content.decode()
    shown = client.post(url, details | {"temperature_max": "9.5"}).content.decode()
    assert "Outside its limits" in shown and "1.5 above the upper limit of 8 °C" in shown and 'name="intent"' in shown
    assert "No temperature was read." in client.post(url, details).content.decode()
    api = f"/api/v1/lots/{lot.number}/hand-overs/to_manufacture/sign/"
    answer = client.get(api, details | {"temperature_max": "warm"})
    assert answer.status_code == 422 and answer.json()["code"] == "not_a_number", answer.content


@pytest.mark.req("COI-04", case="positive")
def test_an_arrival_starts_with_what_left_and_leaves_seal_and_temperature_to_be_read(world, browser):
    lot = world.order()
    with site_context(world.site.pk):
        bag = queries.containers_of(lot)[0]
    details = {"from_place": "Ward 3", "to_place": "Clean room 2", "carrier": "DHL", "seal": "S-17", "logger": "LG-9", "temperature_max": "5.5"}
    proof = world.sign("nora", lambda: hand_over_subject(queries.container(bag.pk), "to_manufacture", details), "dispatched")
    hand_over(by=world.by("nora"), container_id=bag.pk, kind="to_manufacture", scanned=f"CTL:C:{bag.identifier}", proof=proof, **details)
    client, url = browser("rita"), f"/lots/{lot.number}/containers/{bag.pk}/hand-over/at_manufacture/"
    form = client.get(url).content.decode()
    values = dict(re.findall(r'name="(\w+)" value="([^"]*)"', form))
    assert (values["from_place"], values["to_place"], values["carrier"]) == ("Ward 3", "Clean room 2", "DHL")
    assert not {"seal", "logger", "scanned", "temperature_min", "temperature_max"} & {name for name, value in values.items() if value}
    assert "It was handed over with S-17." in form and "It was handed over with LG-9." in form
    read = {"from_place": "Ward 3", "to_place": "Clean room 2", "scanned": f"CTL:C:{bag.identifier}", "by_scanner": "scanned"}
    assert "Another one" in client.post(url, read | {"seal": "S-18"}).content.decode()
    assert "Another one" not in client.post(url, read | {"seal": "S-17"}).content.decode()


@pytest.mark.req("COI-03", case="positive")
def test_a_typed_identifier_asks_on_the_page_for_a_second_person(world, browser):
    lot = world.order()
    with site_context(world.site.pk):
        bag = queries.containers_of(lot)[0]
    world.by("petra")
    client, url = browser("nora"), f"/lots/{lot.number}/containers/{bag.pk}/hand-over/to_manufacture/"

    def sign(**second):
        typed = {"scanned": bag.identifier, "from_place": "Ward 3", "to_place": "Courier"}
        page = client.post(url, typed).content.decode()
        assert "second_who" not in page
        intent = page.split('name="intent" value="')[1].split('"')[0]
        return client.post(url, typed | {"intent": intent, "who": "nora.utr", "secret": PIN} | second)

    alone = sign()
    assert alone.status_code == 422 and 'name="second_who"' in alone.content.decode()
    assert sign(second_who="petra.utr", second_secret="000000").status_code in {403, 422}
    assert sign(second_who="petra.utr", second_secret=PIN).status_code == 303
    with site_context(world.site.pk):
        assert [each.username for each in queries.typed_identities(lot)] == ["petra.utr"]


@pytest.mark.req("ACC-03", case="negative")
def test_outside_the_second_person_for_a_typed_identifier_proves_a_second_factor(world, browser, settings):
    lot = world.order()
    with site_context(world.site.pk):
        bag = queries.containers_of(lot)[0]
    petra = world.by("petra")
    secret = enrol_authenticator(open_site(world.site.code), world.users["petra"])
    client, url = outside(browser("nora"), settings), f"/lots/{lot.number}/containers/{bag.pk}/hand-over/to_manufacture/"

    def sign(**second):
        typed = {"scanned": bag.identifier, "from_place": "Ward 3", "to_place": "Courier"}
        intent = client.post(url, typed).content.decode().split('name="intent" value="')[1].split('"')[0]
        return client.post(url, typed | {"intent": intent, "who": "nora.utr", "secret": PIN, "second_who": petra.username, "second_secret": PIN} | second)

    alone = sign()
    assert alone["X-Refusal"] == "code_missing" and 'name="second_code"' in alone.content.decode()
    assert sign(second_code=totp.code_at(secret, totp.step_now())).status_code == 303


def test_a_treatment_centre_prints_no_labels(world, browser):
    lot = world.order()
    with site_context(world.site.pk):
        bag = queries.containers_of(lot)[0]
    assert browser("tess").post(f"/lots/{lot.number}/labels/", {"container": str(bag.pk)}).status_code == 403
