import datetime as dt
from decimal import Decimal

import pytest

from batches.lots import queries as lot_queries
from batches.materials import queries, rules, services
from batches.materials.models import Consumption, MaterialLot
from mes.records.context import site_context
from mes.records.door import service
from tests.builders.registers import din, fresh, move_clock


def take(world, lot, material_lot, quantity="1", unit="bags", **checks):
    """A minimal deed that takes a material, as a step does: lock, rule, fact."""
    from batches.events import Event
    from mes.records.door import deed_now

    @service(Event.MATERIAL_CONSUMED)
    def consume(*, by):
        locked = MaterialLot.objects.lock(material_lot.pk)
        rules.check_usable(locked, Decimal(quantity), unit, deed_now().at, **checks)
        fact = Consumption(
            lot=lot, step_run=lot.step_runs.order_by("order").first(), material_lot=locked, line="medium", quantity=Decimal(quantity),
            quantity_text=quantity, unit=unit, scanned=locked.identifier,
        )  # fmt: skip
        fact.save()
        return fact

    return consume(by=world.by("olga"))


@pytest.mark.req("MAT-01", case="positive")
def test_a_released_lot_is_used_and_what_is_left_is_computed(world):
    lot, stock = world.started(), world.released(world.material_lot(quantity="2.5"))
    take(world, lot, stock, "1.5")
    assert world.left(stock) == Decimal(1)
    with site_context(world.site.pk):
        assert [each.lot.number for each in queries.used_in(stock)] == [lot.number]
        assert [each.material_lot.number for each in queries.went_into(lot)] == ["L-1"]


@pytest.mark.req("MAT-01", case="negative")
def test_unreleased_material_is_refused(world, refused):
    lot, stock = world.started(), world.material_lot()
    with refused("material_in_quarantine") as answer:
        take(world, lot, stock)
    assert "is in quarantine" in answer.value.sentence and world.left(stock) == 10


@pytest.mark.req("MAT-01", case="negative")
def test_material_that_expires_between_release_and_use_is_refused(world, refused):
    lot, stock = world.started(), world.released(world.material_lot(days=2))
    move_clock(49)
    with refused("material_expired"):
        take(world, lot, stock)
    with site_context(world.site.pk):
        assert queries.usable_lots("medium", world.now()) == [] and Consumption.objects.count() == 0


@pytest.mark.req("MAT-01", case="negative")
@pytest.mark.parametrize(
    ("quantity", "unit", "checks", "code"),
    [
        ("11", "bags", {}, "material_used_up"),
        ("1", "mL", {}, "wrong_unit"),
        ("1", "bags", {"material_code": "vector"}, "material_wrong"),
        ("0", "bags", {}, "quantity_not_positive"),
    ],
)
def test_too_much_wrong_unit_wrong_material_and_nothing_are_refused(world, refused, quantity, unit, checks, code):
    lot, stock = world.started(), world.released(world.material_lot())
    with refused(code):
        take(world, lot, stock, quantity, unit, **checks)
    assert world.left(stock) == 10


@pytest.mark.req("MAT-01", case="negative")
def test_a_lot_blocked_after_its_release_is_refused_and_named_on_the_lots_that_used_it(world, refused):
    lot, stock = world.started(), world.released(world.material_lot())
    take(world, lot, stock)
    blocked = services.block_lot(by=world.by("rita"), material_lot_id=stock.pk, seen=stock.version, reason="Recall by the maker.")
    with refused("material_blocked"):
        take(world, lot, stock)
    with site_context(world.site.pk):
        assert [each.number for each in queries.troubled(lot)] == ["L-1"]
    again = world.released(blocked)
    assert again.state == "released" and take(world, lot, again).pk


@pytest.mark.req("MAT-01", case="negative")
def test_blocking_a_material_lot_holds_every_lot_that_used_it_and_has_not_ended(world):
    lot, stock = world.started(), world.released(world.material_lot())
    other = world.order(world.patient(family="Andersson", number="HN-2"), dins=[din(2)])
    take(world, lot, stock)
    services.block_lot(by=world.by("rita"), material_lot_id=stock.pk, seen=stock.version, reason="Recall by the maker.")
    with site_context(world.site.pk):
        hold = lot_queries.open_hold(lot)
        assert "L-1, which this lot used, was blocked: Recall by the maker." in hold.reason and hold.placed_by.username == "rita.utr"
        assert lot_queries.open_hold(other) is None


@pytest.mark.req("MAT-01", case="positive")
def test_blocking_leaves_a_hold_as_it_stands_and_holds_no_lot_that_used_nothing(world):
    lot, stock = world.started(), world.released(world.material_lot())
    unused = world.released(world.material_lot(world.read(lambda: stock.material), number="L-2"))
    take(world, lot, stock)
    services.block_lot(by=world.by("rita"), material_lot_id=unused.pk, seen=unused.version, reason="Box is wet.")
    with site_context(world.site.pk):
        assert lot_queries.open_hold(lot) is None
    world.held(lot)
    services.block_lot(by=world.by("rita"), material_lot_id=stock.pk, seen=stock.version, reason="Recall by the maker.")
    with site_context(world.site.pk):
        assert lot_queries.open_hold(lot).reason == "Label in doubt."


@pytest.mark.req("MAT-01", case="negative")
def test_a_rejected_lot_never_comes_back(world, refused):
    stock = world.material_lot()
    gone = services.reject_lot(by=world.by("quinn"), material_lot_id=stock.pk, seen=stock.version, reason="Seal broken.")
    with refused("state_move"):
        world.released(gone)


def test_receiving_people_do_not_release(world, refused):
    stock = world.material_lot()
    with refused("not_your_role"):
        world.released(stock, who="rita")
    with site_context(world.site.pk):
        assert fresh(stock).state == "quarantine"


def test_an_expired_lot_is_received_but_not_released(world, refused):
    stock = world.material_lot(days=-1)
    with refused("material_expired"):
        world.released(stock)


@pytest.mark.req("EXE-04", case="negative")
@pytest.mark.parametrize(
    ("quantity", "unit", "code"),
    [("1,234", "", "ambiguous_thousands"), ("ten", "", "not_a_number"), ("10", "mL", "wrong_unit"), ("0", "", "quantity_not_positive"), ("", "", "empty")],
)
def test_a_quantity_that_cannot_be_read_is_refused(world, refused, quantity, unit, code):
    material = world.material()
    with refused(code):
        world.material_lot(material, quantity=quantity, unit=unit)
    with site_context(world.site.pk):
        assert MaterialLot.objects.count() == 0


def test_a_lot_is_received_once(world, refused):
    material = world.material()
    world.material_lot(material)
    with refused("material_lot_known"):
        world.material_lot(material)


@pytest.mark.parametrize(
    ("change", "code"),
    [({"code": "Medium 1"}, "code_shape"), ({"unit": "bagz"}, "unknown_unit"), ({"role": "toy"}, "material_role"), ({"name": " "}, "name_missing")],
)
def test_a_material_that_is_not_whole_is_refused(world, refused, change, code):
    with refused(code):
        services.define_material(by=world.by("rita"), **({"code": "medium", "name": "Medium", "unit": "bags", "role": "raw"} | change))


def test_a_code_is_defined_once(world, refused):
    world.material()
    with refused("material_code_taken"):
        world.material()


def test_a_scan_names_a_lot_by_our_label_or_the_suppliers_number(world, refused):
    first = world.material_lot(number="X1")
    second = world.material_lot(world.material("saline", name="Saline"), number="X1")
    with site_context(world.site.pk):
        assert queries.find_lot(first.identifier) == first == queries.find_lot("X1", material_code="medium")
        assert queries.find_lot("X1", material_code="saline") == second
        with refused("material_ambiguous"):
            queries.find_lot("X1")
        with refused("material_unknown"):
            queries.find_lot("Y9")


def test_the_release_is_signed_for_what_was_shown(world):
    stock = world.released(world.material_lot())
    from mes.signatures.queries import payload_intact, signatures_of

    with site_context(world.site.pk):
        (signature,) = signatures_of([stock.pk])
        assert payload_intact(signature) and signature.meaning == "released_material" and signature.role == "QA reviewer"
    assert b'"lot":"L-1"' in bytes(signature.payload.content).replace(b" ", b"")


def test_expiry_needs_a_zone(world, refused):
    material = world.material()
    with refused("zone_missing"):
        services.receive_lot(by=world.by("rita"), material_id=material.pk, number="L", supplier="", expires_at=dt.datetime(2030, 1, 1), quantity="1")
