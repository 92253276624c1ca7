import pytest

from batches.equipment.models import Equipment
from mes.records.context import site_context
from tests.builders.registers import fresh
from tests.builders.staff import signed_in


@pytest.fixture
def browser(world):
    def open_for(name):
        world.by(name)
        return signed_in(world.users[name])

    return open_for


def test_equipment_is_registered_calibrated_and_taken_out_on_the_pages(world, browser):
    sue = browser("sue")
    assert sue.post("/equipment/classes/new/", {"code": "prodigy", "name": "Prodigy"}).status_code == 303
    with site_context(world.site.pk):
        from batches.equipment.models import EquipmentClass

        kind = EquipmentClass.objects.get()
    sent = {"equipment_class": str(kind.pk), "code": "PRO-1", "name": "Prodigy one", "calibrated_until": "2030-01-01T00:00"}
    answer = sue.post("/equipment/new/", sent)
    assert answer.status_code == 303
    url = answer["Location"]
    assert sue.post(f"{url}calibrate/", {"seen": "1", "calibrated_until": "2031-01-01T00:00", "certificate": "C-7"}).status_code == 303
    assert sue.post(f"{url}state/", {"seen": "1", "state": "out_of_service", "reason": "Noise."}).status_code == 409
    assert sue.post(f"{url}state/", {"seen": "2", "state": "out_of_service", "reason": "Noise."}).status_code == 303
    text = sue.get(url).content.decode()
    assert "Out of service" in text and "Calibration certificate C-7" in text and "Noise." in text
    assert sue.post(f"{url}free/", {"seen": "3", "reason": "Empty."}).status_code == 409
    assert "PRO-1" in sue.get("/equipment/").content.decode()
    assert sue.post(f"{url}channels/new/", {"code": "cells", "unit": "sheep"}).status_code == 422
    assert sue.post(f"{url}channels/new/", {"code": "cells", "unit": "10^6 cells/mL"}).status_code == 303
    assert "cells in" in sue.get(f"{url}readings/").content.decode()
    assert sue.get("/go/", {"code": "PRO-1"})["Location"] == url


def test_an_operator_changes_no_equipment(world, browser):
    device, olga = world.equipment(), browser("olga")
    assert olga.get(f"/equipment/{device.pk}/").status_code == 200
    assert olga.post(f"/equipment/{device.pk}/state/", {"seen": "1", "state": "retired", "reason": "Old."}).status_code == 403
    with site_context(world.site.pk):
        assert fresh(device).state == "in_service" and Equipment.objects.count() == 1
