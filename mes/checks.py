"""System checks: every model is a Record, a Fact or a named working row; the database's guards stand."""

from __future__ import annotations

from django.apps import apps
from django.core import checks
from django.db import DatabaseError, connections

WORKING_ROWS = {
    "mes.StreamHead": "where a chain stands; proven by the chain",
    "mes.AuditEntry": "guarded by its own triggers",
    "mes.AuditRow": "guarded by its own triggers",
    "mes.RowSchema": "kept column lists, written by the migrator only",
    "mes.SigningIntent": "minutes to live; the signature names it",
    "mes.FailureCounter": "the lock itself is a record",
    "mes.PasskeyCounter": "the newest counter of a passkey; each that counted stands in its signature",
    "mes.SignInThrottle": "minutes to live; the lock itself is a record",
    "mes.UserSession": "hours to live; coming in and going are facts",
    "mes.SimulatedClock": "demo and rehearsal only",
    "mes.IdempotencyKey": "the answer to a repeated request",
    "batches.BlindIndex": "gone with the patient's key, as decisions 10 wants",
    "quality.Heartbeat": "when a sweep last ran",
}
"""Models that are neither Record nor Fact, each with its reason."""


@checks.register(checks.Tags.models)
def every_model_has_a_kind(app_configs, **kwargs):
    """Error for a model of ours that is neither Record, Fact, history nor a listed working row."""
    errors = []
    for model in apps.get_models():
        if (
            model._meta.app_label in {"mes", "batches", "quality"}
            and not hasattr(model, "row_kind")
            and model._meta.label not in WORKING_ROWS
        ):
            errors.append(
                checks.Error(
                    f"{model._meta.label} is neither a Record nor a Fact",
                    hint="derive from one, or list it in mes/checks.py with a reason",
                    id="cartulary.E001",
                )
            )
    return errors


@checks.register("cartulary", deploy=True)
def guards_stand(app_configs, **kwargs):
    """Error for each guard of the database that is missing or does not fire always, and for a role with too many rights."""
    from mes.records import guards

    errors = [checks.Error(finding, id="cartulary.E002") for finding in guards.missing(connections["default"])]
    return errors + [checks.Error(finding, id="cartulary.E003") for finding in role_findings(connections["default"])]


@checks.register("cartulary", deploy=True)
def clock_agrees(app_configs, **kwargs):
    """Warning when this host's clock is too far from the database's: nobody signs here then; asked by readiness."""
    from mes import clock

    try:
        by = clock.drift()
    except DatabaseError:  # readiness names a missing database itself
        return []
    if not clock.has_drifted(by):
        return []
    return [checks.Warning(f"the clock of this host is {clock.drift_words(by)}", hint="look at its time service", id="cartulary.W003")]


def role_findings(connection) -> list[str]:
    """What is wrong with the application's role: superuser, bypasses row security, owns a table, member of the owner."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT rolsuper, rolbypassrls FROM pg_roles WHERE rolname = current_user")
        superuser, bypass = cursor.fetchone()
        cursor.execute(
            "SELECT count(*) FROM pg_class WHERE relowner = (SELECT oid FROM pg_roles WHERE rolname = current_user) AND relkind IN ('r', 'p')"
        )
        owned = cursor.fetchone()[0]
        cursor.execute("SELECT pg_has_role(current_user, 'cartulary_owner', 'MEMBER')")
        member = cursor.fetchone()[0]
    findings = []
    if superuser:
        findings.append("the application's role is a superuser")
    if bypass:
        findings.append("the application's role goes past row security")
    if owned:
        findings.append(f"the application's role owns {owned} tables")
    if member:
        findings.append("the application's role is a member of the owner")
    return findings
