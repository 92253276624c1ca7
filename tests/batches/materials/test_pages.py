import pytest

from batches.materials.models import MaterialLot
from mes.records.context import site_context
from tests.builders.registers import fresh
from tests.builders.staff import PASSWORD, signed_in


@pytest.fixture
def browser(world):
    def open_for(name):
        world.by(name)
        return signed_in(world.users[name])

    return open_for


def test_a_material_is_defined_received_and_released_on_the_pages(world, browser):
    rita, quinn = browser("rita"), browser("quinn")
    assert rita.post("/materials/new/", {"code": "medium", "name": "Medium", "unit": "bags", "role": "raw"}).status_code == 303
    with site_context(world.site.pk):
        from batches.materials.models import Material

        material = Material.objects.get()
    sent = {"material": str(material.pk), "number": "L-1", "supplier": "Maker", "expires_at": "2030-01-01T00:00", "quantity": "10"}
    comma = rita.post("/materials/receive/", sent | {"quantity": "1,234"})
    assert comma.status_code == 422 and "1.234" in comma.content.decode() and 'value="L-1"' in comma.content.decode()
    answer = rita.post("/materials/receive/", sent)
    assert answer.status_code == 303
    url = answer["Location"]
    assert "In quarantine" in rita.get("/materials/").content.decode()
    assert rita.get(f"{url}release/").status_code == 403
    page = quinn.get(f"{url}release/").content.decode()
    intent = page.split('name="intent" value="')[1].split('"')[0]
    assert quinn.post(f"{url}release/", {"intent": intent, "who": "quinn.utr", "secret": "wrong"}).status_code == 403
    done = quinn.post(f"{url}release/", {"intent": intent, "who": "quinn.utr", "secret": PASSWORD})
    assert done.status_code == 303 and "Quinn Utr" in quinn.get(url).content.decode()
    assert rita.post(f"{url}stop/block/", {"seen": "2", "reason": "Recall."}).status_code == 303
    with site_context(world.site.pk):
        assert MaterialLot.objects.get().state == "blocked"


def test_expiry_is_typed_in_the_sites_time(world, browser):
    material = world.material()
    sent = {"material": str(material.pk), "number": "L-1", "supplier": "", "expires_at": "2030-07-01T12:00", "quantity": "10"}
    assert browser("rita").post("/materials/receive/", sent).status_code == 303
    with site_context(world.site.pk):
        assert MaterialLot.objects.get().expires_at.isoformat() == "2030-07-01T10:00:00+00:00"


def test_a_stale_screen_stops_nothing(world, browser):
    stock = world.released(world.material_lot())
    answer = browser("rita").post(f"/materials/lots/{stock.pk}/stop/block/", {"seen": "1", "reason": "Recall."})
    assert answer.status_code == 409
    with site_context(world.site.pk):
        assert fresh(stock).state == "released"


def test_a_scan_of_our_label_leads_to_the_lot(world, browser):
    stock = world.material_lot()
    assert browser("rita").get("/go/", {"code": f"CTL:M:{stock.identifier}"})["Location"] == f"/materials/lots/{stock.pk}/"
