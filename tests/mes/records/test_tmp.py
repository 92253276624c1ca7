import psycopg, pytest
from django.db import connection, DatabaseError
from mes.people.models import AccessEvent, User
from mes.records.together import together
from mes.records.context import site_context
from mes.asked import Sent, together as ask_together
from mes.audit import prepared
from tests.builders.people import open_place
from tests.mes.records.test_together import Told, event, _services_of_tests_stay_here, service

def test_prepared_after_abort(committed_db):
    place = open_place()
    @service(Told.DONE)
    def write(*, by, kinds, name):
        with together():
            AccessEvent.objects.insert([event(by, k) for k in kinds])
            user = User.objects.lock(by.user_id)
            user.full_name = name
            user.save()
        return user
    @service(Told.DONE)
    def bad(*, by):
        with together():
            AccessEvent.objects.insert([event(by, "x"*500)])
            AccessEvent.objects.insert([event(by, "in")])
            u = User.objects.defer().get(pk=by.user_id) if 0 else None
        return None
    for n in range(6):
        for m in range(2):
            try:
                bad(by=place.setup)
            except DatabaseError as e:
                print(type(e), str(e)[:60])
        write(by=place.setup, kinds=["in"], name=f"N{n}")
    # a statement whose first preparation lies behind an error in a pipeline
    @service(Told.DONE)
    def late(*, by, bad):
        with together():
            AccessEvent.objects.insert([event(by, "x"*500 if bad else "in")])
            with prepared.cursor("default") as c:
                c.execute("SELECT %s::int + 41", [1])
        return None
    for bad_ in (True, True, True, True, False, False, False):
        try:
            late(by=place.setup, bad=bad_)
            print("ok")
        except DatabaseError as e:
            print(bad_, type(e), str(e)[:80])
    with site_context(place.site.pk):
        print(AccessEvent.objects.count())

def test_ddl(committed_db):
    place = open_place()
    from mes.people import services
    p = place.person("ben", [])
    @service(Told.DONE)
    def write(*, by):
        AccessEvent.objects.insert([event(by, "in")])
        user = User.objects.lock(by.user_id); user.full_name += "x"; user.save()
        return user
    for _ in range(4): write(by=place.setup)
    with committed_db.connect() as admin:
        admin.execute("ALTER TABLE mes_user ADD COLUMN extra text DEFAULT 'a'"); admin.execute("ALTER TABLE mes_userhistory ADD COLUMN extra text DEFAULT 'a'"); admin.commit()
    for _ in range(4):
        try:
            write(by=place.setup); print("ok")
        except DatabaseError as e:
            print(type(e), e)
