"""A committed audit trail, and the hand that spoils it."""

from contextlib import contextmanager
from dataclasses import dataclass

from mes.people import services, totp
from mes.people.models import User
from mes.permissions import Permission
from mes.verifier import run
from tests.builders.people import open_place
from tests.mes.verifier.breaks import NEW_ID


@dataclass
class Trail:
    """A committed database, its site, and one person for each break."""

    database: object
    place: object
    users: dict[str, object]

    def stream(self, name: str) -> str:
        return f"person:{self.users[name]}"

    def verify(self, stream: str | None = None):
        return run.verify(self.database.urls["VERIFY_DATABASE_URL"], stream=stream)

    @contextmanager
    def superuser(self):
        """What nobody in the application can do: every trigger off, every right held."""
        with self.database.connect() as connection:
            connection.execute("SET session_replication_role = replica")
            connection.execute(
                "DO $$ DECLARE t regclass; BEGIN FOR t IN SELECT oid FROM pg_class WHERE relkind = 'r' AND relname LIKE 'mes\\_%' LOOP"
                " EXECUTE format('ALTER TABLE %s DISABLE TRIGGER ALL', t); END LOOP; END $$"
            )
            yield connection

    def spoil(self, name: str, statements, **values) -> None:
        with self.superuser() as connection:
            for statement in statements:
                done = connection.execute(statement, {"stream": self.stream(name), "user": self.users.get(name), "new": NEW_ID, **values})
                assert done.rowcount > 0, f"spoiled nothing: {statement}"


def make(database, names) -> Trail:
    """A site, and for each name a person with a stream of five entries or more."""
    place = open_place()
    trail = Trail(database, place, {})
    for name in names:
        actor = place.person(name, [Permission.READ_AUDIT], secrets=True, signs=False)
        user = User.objects.get(pk=actor.user_id)
        services.record_qualification(by=place.setup, user=user, subject="assay:1", title="Cell count")
        if name == "value_of_a_fact":
            use_a_code(actor, place.person(f"{name}_beside", [Permission.RECORD_TRAINING], secrets=True))
        if name == "column_list_changed":
            services.lock_person(by=actor, user_id=actor.user_id, why="three wrong PINs")
        trail.users[name] = actor.user_id
    return trail


def use_a_code(actor, checked_by) -> None:
    factor = services.begin_second_factor(by=actor, user_id=actor.user_id)
    code = totp.code_at(totp.unseal(factor.secret), totp.step_now())
    services.confirm_second_factor(by=actor, user_id=actor.user_id, code=code, checked_by=checked_by)
