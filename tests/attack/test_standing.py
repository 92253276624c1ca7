"""Whoever runs the database weakens what guards it, the reports' role looks for secrets, an administrator reaches into another site."""

import pytest

from mes.people import services as people
from mes.people.models import PersonLock, SecondFactor
from mes.records import guards
from tests.builders.staff import open_site, signed_in

DANGER = "what guards the record is taken away unseen, or somebody acts where they have no right"

WEAKENED = {
    "a trigger that never fires": (
        "CREATE OR REPLACE TRIGGER guard_change BEFORE UPDATE OR DELETE ON batches_entry FOR EACH ROW WHEN (false) EXECUTE FUNCTION guard.refuse_change()",
        "trigger guard_change on batches_entry fires at other times",
    ),
    "a trigger after the fact": (
        "DROP TRIGGER guard_remove ON batches_lot; CREATE TRIGGER guard_remove AFTER DELETE ON batches_lot FOR EACH STATEMENT"
        " EXECUTE FUNCTION guard.refuse_removal(); ALTER TABLE batches_lot ENABLE ALWAYS TRIGGER guard_remove",
        "trigger guard_remove on batches_lot fires at other times",
    ),
    "a trigger of somebody else": (
        "CREATE TRIGGER zz BEFORE INSERT ON mes_grant FOR EACH ROW EXECUTE FUNCTION suppress_redundant_updates_trigger()", "trigger zz on mes_grant is not ours",
    ),
    "a rule in place of the write": ("CREATE RULE gone AS ON INSERT TO mes_securityevent DO INSTEAD NOTHING", "rule gone on mes_securityevent is not ours"),
    "a right given by hand": ("GRANT UPDATE, DELETE ON batches_entry TO cartulary_app", "cartulary_app may do more on batches_entry"),
    "a right on one column": ("GRANT UPDATE (value_text) ON batches_entry TO cartulary_app", "cartulary_app was given columns of batches_entry"),
    "a right for everybody": ("GRANT SELECT ON mes_user TO PUBLIC", "PUBLIC may do more on mes_user"),
    "a role that goes past row security": ("ALTER ROLE cartulary_app BYPASSRLS", "role cartulary_app goes past the guards"),
    "a role that may act as the owner": ("GRANT cartulary_owner TO cartulary_app", "role cartulary_app is a member of cartulary_owner"),
}


@pytest.mark.req("AUD-05", case="negative")
@pytest.mark.parametrize("what", WEAKENED)
def test_a_guard_is_left_standing_and_weakened(siege, attack, what):
    """As superuser: let a guard of the right name fire never, hang a foreign trigger or rule on a table, give rights, let roles go past the guards"""
    statement, named = WEAKENED[what]
    with siege.database.connect() as admin:
        assert guards.missing(admin) == []
        admin.execute(statement)
        found = guards.missing(admin)
        admin.rollback()
    assert [each for each in found if named in each], found
    attack.came_of_it("named: new lots, approvals and release stop")


@pytest.mark.req("ACC-04", case="negative")
@pytest.mark.parametrize(("table", "column"), [("mes_user", "pin"), ("mes_user", "password"), ("mes_userhistory", "pin"), ("mes_secondfactor", "secret"),
                                               ("mes_devicecredential", "token_digest")])  # fmt: skip
def test_the_role_of_reports_reads_what_proves_who_somebody_is(siege, attack, table, column):
    """As the database role of reports: read digests of PINs and passwords, seeds of authenticators, digests of tokens"""
    with siege.database.connect("READ_DATABASE_URL") as raw:
        assert raw.execute(f"SELECT count(id) FROM {table}").fetchone()[0] >= 0, "the table itself can be read"
        with attack.refused_by_database("42501"):
            raw.execute(f"SELECT {column} FROM {table}")


@pytest.mark.req("ACC-09", case="negative")
def test_an_administrator_of_another_site_reaches_into_this_one(siege, attack):
    """As administrator of another site: lift a lock, retire an authenticator, issue and revoke a token of people and devices here, by their ids"""
    maya, ruth = siege.users["maya"], siege.users["ruth"]
    people.lock_person(by=siege.place.setup, user_id=maya.pk, why="wrong secrets in a row")
    device = siege.place.person("probe.siege", "equipment", kind="device", password="", pin="", signs=False)
    credential, _ = people.issue_device_token(by=siege.place.setup, user_id=device.pk, equipment_id=device.pk)
    lock, factor = PersonLock.objects.get(user=maya, open=True), SecondFactor.objects.get(user=ruth, active=True)
    other = open_site("OTHR", "Elsewhere")
    browser = signed_in(other.person("otto", "administrator"))
    for address, body in (
        (f"/people/{maya.pk}/locks/{lock.pk}/", {"seen": lock.version}),
        (f"/people/{ruth.pk}/authenticator/{factor.pk}/", {"seen": factor.version}),
        (f"/people/{device.pk}/token/{credential.pk}/", {"seen": credential.version}),
        (f"/people/{device.pk}/token/", {"equipment": str(device.pk)}),
    ):
        attack.answered(browser.post(address, body | {"reason": "Asked by telephone"}), 404)
    assert PersonLock.objects.get(pk=lock.pk).open and SecondFactor.objects.get(pk=factor.pk).active
    assert list(type(credential).objects.filter(user=device).values_list("pk", "revoked")) == [(credential.pk, False)]
